"""The photos of a tool, the cover first."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, exists, or_, select

from app import queue
from app.db import Tx
from app.people.viewer import Viewer
from app.tools import photos
from app.tools.models import Tool
from app.tools.photo import Photo
from app.tools.photos import Stored

GONE = "photos.discard"
PHOTOS_MOST = 8
ALT_LONGEST = 200


async def photos_of(tx: Tx, tool: Tool) -> Sequence[Photo]:
    return (await photos_of_all(tx, tool.community_id, [tool.id])).get(tool.id, [])


async def photos_of_all(
    tx: Tx, community_id: int, tool_ids: Collection[int]
) -> dict[int, list[Photo]]:
    """By tool. A cover of the release before names no tool: then its tool names it."""
    rows = await tx.execute(
        select(Tool.id, Photo)
        .join(
            Photo,
            and_(
                Photo.community_id == Tool.community_id,
                or_(Photo.tool_id == Tool.id, Photo.id == Tool.photo_id),
            ),
        )
        .where(Tool.community_id == community_id, Tool.id.in_(tool_ids))
        .order_by(Tool.id, (Photo.id == Tool.photo_id).desc(), Photo.position, Photo.id)
    )
    found: dict[int, list[Photo]] = {}
    for tool_id, photo in rows:
        found.setdefault(tool_id, []).append(photo)
    return found


def photo_of(
    tool: Tool,
    picture: Stored,
    by: Viewer,
    now: datetime,
    *,
    alt: str = "",
    source: str = "",
    client_id: uuid.UUID | None = None,
) -> Photo:
    """A stored picture as a photo of this tool, not hung up yet."""
    return Photo(
        community_id=tool.community_id,
        tool_id=tool.id,
        name=picture.name,
        width=picture.width,
        height=picture.height,
        alt=alt,
        source=source,
        client_id=client_id,
        uploaded_by=by.person_id,
        created_at=now,
    )


async def arrange(tx: Tx, tool: Tool, wanted: Sequence[Photo], now: datetime) -> None:
    """These are its photos now, in this order; what is left out is taken away for good."""
    kept = {photo.name for photo in wanted}
    gone = [photo for photo in await photos_of(tx, tool) if photo.name not in kept]
    tx.add_all(wanted)
    for position, photo in enumerate(wanted):
        photo.tool_id, photo.position = tool.id, position
    await tx.flush()
    tool.photo_id = wanted[0].id if wanted else None
    await tx.flush()
    for photo in gone:
        await tx.delete(photo)
        await goes(tx, tool.community_id, photo.name, now)
    await tx.flush()


async def goes(tx: Tx, community_id: int, name: str, now: datetime) -> None:
    """No row names this picture, once this transaction is so: until then it has to be there."""
    await queue.enqueue(tx, GONE, f"{community_id}/{name}", now, now)


async def copy(
    tx: Tx, tool: Tool, others: Sequence[Tool], stored: list[Stored], by: Viewer, now: datetime
) -> None:
    """The cover of a tool to others that are alike; more would be many files for one form.

    What is copied is added to `stored`: whoever rolls back discards it. Raises Refusal.
    """
    covers = (await photos_of(tx, tool))[:1] if others else []
    for cover in covers:
        for other in others:
            made = await photos.again(Stored(cover.name, cover.width, cover.height))
            stored.append(made)
            await photos.keep(tx, made, other.community_id, now)
            await arrange(tx, other, [photo_of(other, made, by, now, alt=cover.alt)], now)


async def discard(tx: Tx, key: str, now: datetime) -> None:
    """For the job loop: the files of a photo that hangs nowhere any more, or never came to."""
    name = key.partition("/")[2]
    photo = await tx.scalar(select(Photo).where(Photo.name == name).with_for_update())
    if photo is None:
        await photos.remove(name)
    elif photo.tool_id is None and not await _is_cover(tx, photo):
        await tx.delete(photo)
        await queue.enqueue(tx, GONE, key, now, now)


async def _is_cover(tx: Tx, photo: Photo) -> bool:
    """Of a tool that the release before has listed."""
    shown = exists().where(Tool.community_id == photo.community_id, Tool.photo_id == photo.id)
    return bool(await tx.scalar(select(shown)))
