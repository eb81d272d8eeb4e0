"""The photos of a tool, by who lends it: adding, describing, ordering, taking away."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, mistyped
from app.people import queries as people
from app.people.viewer import Viewer
from app.tools import album, photos, queries, rules
from app.tools.album import ALT_LONGEST, PHOTOS_MOST
from app.tools.commands import touch_tool
from app.tools.models import Tool
from app.tools.photo import Photo
from app.tools.photos import Stored


def why_not_add(count: int) -> Refusal | None:
    if count < PHOTOS_MOST:
        return None
    return Conflict(
        f"A tool has at most {PHOTOS_MOST} photos.", "Take one away first.", code="photos"
    )


def check_alt(text: str) -> str:
    text = " ".join(rules.clean(text).split())
    if len(text) > ALT_LONGEST:
        raise mistyped("alt", f"{ALT_LONGEST} characters are enough.", "Shorten it.")
    return text


async def add(
    tx: Tx,
    tool_id: int,
    picture: Stored,
    by: Viewer,
    now: datetime,
    alt: str = "",
    client_id: uuid.UUID | None = None,
) -> Photo:
    """Behind the others. The same client id again is the same photo: then `picture` is not used."""
    tool, there = await _own(tx, tool_id, by)
    if client_id and (sent := [one for one in there if one.client_id == client_id]):
        return sent[0]
    if refusal := why_not_add(len(there)):
        raise refusal
    await photos.keep(tx, picture, tool.community_id, now)
    photo = album.photo_of(tool, picture, by, now, alt=check_alt(alt), client_id=client_id)
    await _arrange(tx, tool, [*there, photo], now)
    return photo


async def describe(
    tx: Tx, tool_id: int, photo_id: int, alt: str, by: Viewer, now: datetime
) -> Photo:
    """What is seen on it, for who does not see it."""
    tool, there = await _own(tx, tool_id, by)
    photo = _one(there, photo_id)
    photo.alt = check_alt(alt)
    await _arrange(tx, tool, there, now)
    return photo


async def order(tx: Tx, tool_id: int, ids: Sequence[int], by: Viewer, now: datetime) -> None:
    """All of its photos in a new order, the cover first."""
    tool, there = await _own(tx, tool_id, by)
    named = {photo.id: photo for photo in there}
    if sorted(ids) != sorted(named):
        raise Conflict("The photos are others by now.", "Load the page again, and order them anew.")
    await _arrange(tx, tool, [named[one] for one in ids], now)


async def move(
    tx: Tx, tool_id: int, photo_id: int, by_places: int, by: Viewer, now: datetime
) -> None:
    """So many places on; it stays within the row."""
    tool, there = await _own(tx, tool_id, by)
    photo = _one(there, photo_id)
    at = there.index(photo)
    there.insert(max(0, min(at + by_places, len(there) - 1)), there.pop(at))
    await _arrange(tx, tool, there, now)


async def remove(tx: Tx, tool_id: int, photo_id: int, by: Viewer, now: datetime) -> None:
    tool, there = await _own(tx, tool_id, by)
    photo = _one(there, photo_id)
    await _arrange(tx, tool, [one for one in there if one is not photo], now)


async def look(tx: Tx, tool_id: int, by: Viewer) -> tuple[Tool, Sequence[Photo]]:
    """For who may change them. Raises NotFound, or Refusal for who only sees the tool."""
    tool = await queries.tool_for(tx, by, tool_id)
    if refusal := rules.why_not_edit(tool, by):
        raise refusal
    return tool, await album.photos_of(tx, tool)


async def _own(tx: Tx, tool_id: int, by: Viewer) -> tuple[Tool, list[Photo]]:
    await people.still_in(tx, by)
    tool = await queries.locked(tx, by.community_id, tool_id)
    if not rules.sees(tool, by):
        raise NotFound
    if refusal := rules.why_not_edit(tool, by):
        raise refusal
    return tool, list(await album.photos_of(tx, tool))


async def _arrange(tx: Tx, tool: Tool, wanted: Sequence[Photo], now: datetime) -> None:
    await album.arrange(tx, tool, wanted, now)
    tool.changed_at = now
    await tx.flush()
    touch_tool(tx, tool)


def _one(there: Sequence[Photo], photo_id: int) -> Photo:
    found = next((photo for photo in there if photo.id == photo_id), None)
    if found is None:
        raise NotFound
    return found
