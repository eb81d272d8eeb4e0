"""Photos of a tool that is not listed yet: sent while its form is filled in, they wait for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from starlette.datastructures import UploadFile

from app import queue
from app.db import Tx
from app.errors import Conflict, mistyped
from app.http import throttle
from app.people import queries as people
from app.people.viewer import Viewer
from app.tools import album, photos, rules
from app.tools.album import PHOTOS_MOST
from app.tools.models import Tool
from app.tools.photo import Photo
from app.tools.photos import Stored

WAIT = timedelta(days=2)  # longer than a form is left open
MOST = 3 * PHOTOS_MOST  # of one person: a form that was left begins anew


async def lay_by(tx: Tx, picture: Stored, by: Viewer, client_id: uuid.UUID, now: datetime) -> Photo:
    """The same client id again is the same photo: then `picture` is not used.

    Nobody sees it until it hangs; if it never does, `album.discard` takes it away.
    """
    if refusal := rules.why_not_list(by):
        raise refusal
    await people.still_in(tx, by)
    # They are counted, and one that is sent twice at once is one.
    lock = func.hashtextextended(f"beforehand/{by.person_id}", 0)
    await tx.execute(select(func.pg_advisory_xact_lock(lock)))
    waiting = (await tx.scalars(_of(by))).all()
    if sent := [one for one in waiting if one.client_id == client_id]:
        return sent[0]
    if len(waiting) >= MOST:
        raise Conflict(
            "Many photos of yours wait for a tool already.",
            "List the tool, and add more on its page.",
            code="photos",
        )
    photo = Photo(
        community_id=by.community_id,
        name=picture.name,
        width=picture.width,
        height=picture.height,
        client_id=client_id,
        uploaded_by=by.person_id,
        created_at=now,
    )
    tx.add(photo)
    await photos.keep(tx, picture, by.community_id, now)
    await tx.flush()
    await queue.enqueue(tx, album.GONE, _key(photo), now + WAIT, now)
    return photo


async def store(form: Iterable[object], by: Viewer, stored: list[Stored]) -> None:
    """The pictures that came in a form itself. Raises Refusal; what is `stored` by then stays."""
    sent = [one for one in form if isinstance(one, UploadFile) and one.filename]
    for upload in sent:
        photos.check_size(upload.size or 0)
    for upload in sent:
        # Pictures are decoded one at a time, so one member's must not fill the line.
        await throttle.spend(f"photo:{by.person_id}", "photo", limit="30/minute")
        stored.append(await photos.store(await upload.read()))


async def hang(
    tx: Tx, tool: Tool, waiting: str, stored: Sequence[Stored], by: Viewer, now: datetime
) -> None:
    """On a tool that is being listed: those that wait, named in order, then those just stored."""
    named = client_ids(waiting)
    if len(named) + len(stored) > PHOTOS_MOST:
        raise mistyped("photo", f"A tool has at most {PHOTOS_MOST} photos.", "Choose the best.")
    for picture in stored:
        await photos.keep(tx, picture, tool.community_id, now)
    fresh = [album.photo_of(tool, picture, by, now) for picture in stored]
    await album.arrange(tx, tool, [*await _taken(tx, named, by), *fresh], now)


async def _taken(tx: Tx, named: Sequence[uuid.UUID], by: Viewer) -> list[Photo]:
    if not named:
        return []
    rows = await tx.scalars(_of(by).where(Photo.client_id.in_(named)).with_for_update())
    waiting = {photo.client_id: photo for photo in rows}
    if not waiting.keys() >= set(named):
        raise mistyped("photo", "A photo is not here any more.", "Leave it out, or choose it anew.")
    for photo in waiting.values():
        await queue.drop(tx, album.GONE, _key(photo))
    return [waiting[one] for one in dict.fromkeys(named)]


def client_ids(typed: str) -> list[uuid.UUID]:
    """As the form's script names them, with commas. Raises Refusal."""
    try:
        return [uuid.UUID(one) for one in typed.split(",") if one]
    except ValueError:
        raise mistyped("client_id", "This form is broken.", "Reload the page.") from None


def _of(by: Viewer) -> Select[Photo]:
    return select(Photo).where(
        Photo.community_id == by.community_id,
        Photo.tool_id.is_(None),
        Photo.uploaded_by == by.person_id,
        Photo.client_id.is_not(None),
    )


def _key(photo: Photo) -> str:
    return f"{photo.community_id}/{photo.name}"
