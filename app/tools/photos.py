"""Pictures: checked, re-encoded without their metadata, kept under random names.

What was sent is not kept. Its JPEGs are made at once, and everybody can see them; a job makes
the WebPs (`finish`), which take ten times as long. Who asks for one before gets the JPEG.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import clock, db, queue, storage
from app.db import Tx
from app.errors import Conflict, Refusal
from app.settings import settings
from app.storage import StorageError
from app.tools import developing
from app.tools.developing import LATER, TYPES, WIDTHS

FINISH = "photos.finish"
ABANDON = "photos.abandon"
AWAY = "storage"  # the code of a refusal that is no fault of the photo
KEPT_WITHIN = timedelta(hours=1)  # from the upload to the row that names it
ONE_AT_A_TIME = asyncio.Semaphore(1)  # a decoded picture may take 200 MB
# The largest JPEG first: without it a picture is gone, whatever else is still there.
COPIES = tuple((width, ending) for ending in TYPES for width in sorted(WIDTHS, reverse=True))
FULL = COPIES[0]
_log = structlog.stdlib.get_logger("toolshare.photos")


@dataclass(frozen=True)
class Stored:
    """A picture; width and height of the largest copy, in pixels.

    `whole`: with all its copies; `watched`: given up, unless `keep` is in time.
    """

    name: str
    width: int
    height: int
    whole: bool = False
    watched: bool = False


def name_of(name: str, width: int, ending: str) -> str:
    """Of a copy, as it is kept."""
    return f"{name}-{width}.{ending}"


def check_size(size: int) -> None:
    """Raises Refusal for more bytes than we take; asked before they are read into memory."""
    if size > settings.photo_bytes:
        raise developing.refused(
            f"The photo is larger than {settings.photo_bytes // (1024 * 1024)} MB.",
            "Choose a smaller one.",
        )


async def store(content: bytes, *, whole: bool = False) -> Stored:
    """Checks and keeps a picture. Raises Refusal: 422 for what is not one, 503, 507.

    It is given up after a while, unless `keep` says in a transaction that a row names it.
    `whole`: with what a job would make later.
    """
    check_size(len(content))
    async with ONE_AT_A_TIME:
        size, copies = await asyncio.to_thread(developing.developed, content, whole=whole)
    return await _put(size, copies)


async def again(picture: Stored) -> Stored:
    """The same picture under a name of its own, for another tool. Raises Refusal."""
    copies = {}
    try:
        for width, ending in COPIES:
            content = await storage.kept().read(name_of(picture.name, width, ending))
            if content is not None:
                copies[width, ending] = content
    except StorageError as error:
        raise _not_kept(error) from error
    return await _put((picture.width, picture.height), copies)


async def keep(tx: Tx, picture: Stored, community_id: int, now: datetime) -> None:
    """A row of this transaction names it, so it stays. Raises Conflict where that is too late."""
    if not await queue.drop(tx, ABANDON, picture.name) and picture.watched:
        raise Conflict("The photo was on its way for too long.", "Send it again.", code="photo")
    if not picture.whole:
        await queue.enqueue(tx, FINISH, f"{community_id}/{picture.name}", now, now)


async def discard(picture: Stored) -> None:
    """At once, where the row that was to name it did not come to be; else `abandon` does it."""
    with suppress(StorageError, SQLAlchemyError, OSError):  # what was refused is still told
        await remove(picture.name)
        async with db.begin() as tx:  # does not wait: the transaction that failed may not be over
            await queue.drop(tx, ABANDON, picture.name, waits=False)


async def remove(name: str) -> None:
    """Every copy of it. Raises StorageError; then it may be done again."""
    for width, ending in COPIES:
        await storage.kept().delete(name_of(name, width, ending))


async def abandon(tx: Tx, key: str, now: datetime) -> None:
    """For the job loop: nobody has said in time that this picture stays. Its key is its name."""
    if await queue.held(tx, ABANDON, key):  # whoever would keep it now waits, and is told
        await remove(key)


async def finish(tx: Tx, key: str, now: datetime) -> None:
    """For the job loop: makes the copies that were left for later; its key is `community/name`.

    Done again, it does the same. Raises StorageError.
    """
    name, place = key.partition("/")[2], storage.kept()
    first, last = name_of(name, *FULL), name_of(name, FULL[0], LATER)
    source = await place.read(first)
    if source is None or await place.read(last) is not None:
        return
    async with ONE_AT_A_TIME:
        copies = await asyncio.to_thread(developing.finished, source)
    for (width, ending), content in sorted(copies.items()):
        await place.put(name_of(name, width, ending), content, TYPES[ending])
    if await place.read(first) is None:
        await remove(name)  # taken away meanwhile, by somebody who may not have seen these


async def _put(size: tuple[int, int], copies: Mapping[tuple[int, str], bytes]) -> Stored:
    whole, now = len(copies) == len(COPIES), clock.now()
    stored = Stored(secrets.token_hex(16), *size, whole=whole, watched=True)
    async with db.begin() as tx:  # first of all: nothing can stay that nobody knows of
        await queue.enqueue(tx, ABANDON, stored.name, now + KEPT_WITHIN, now)
    try:
        for (width, ending), content in copies.items():
            name = name_of(stored.name, width, ending)
            await storage.kept().put(name, content, TYPES[ending])
    except StorageError as error:
        with suppress(StorageError):  # once more later: what was given up may yet arrive there
            await remove(stored.name)
        raise _not_kept(error) from error
    return stored


def _not_kept(error: StorageError) -> Refusal:
    _log.error("photo_not_kept", why=error.sentence)
    if error.full:
        return Refusal(
            "The photo could not be kept: there is no room.",
            "List the tool without it for now.",
            status=507,
            field_name="photo",
        )
    return Refusal(
        "The photo could not be kept: nothing can be stored right now.",
        "Try again in a moment.",
        status=503,
        code=AWAY,
        field_name="photo",
    )
