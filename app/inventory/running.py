"""The import's job: first its pictures, some at a time, then every row in one transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from app import clock, db, queue, topic
from app.db import Tx
from app.errors import NotFound, Refusal
from app.inventory import bringing_in, hanging_up, packing, waiting_room
from app.inventory.bringing_in import JOB
from app.inventory.models import ImportState, ToolImport
from app.inventory.trial import Becomes, Plan
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import photos, rules
from app.tools.models import Tool

STEP = 2.0  # seconds of pictures, then the clock's other work has its turn
AGAIN = timedelta(milliseconds=200)
CHANGED = "Something has changed since you looked. Nothing was imported: look again, and say yes."
GONE = "The files are not there any more. Nothing was imported: send the table again."
NOT_IN = "You are not a member here any more. Nothing was imported."
PHOTO = "A photo in the zip cannot be taken. Nothing was imported."


async def run(tx: Tx, key: str, now: datetime) -> None:
    """For the job loop; its key is `community/import`. One import at a time in a community."""
    community_id, import_id = (int(part) for part in key.split("/"))
    lock = func.hashtextextended(f"import/{community_id}", 0)
    if not await tx.scalar(select(func.pg_try_advisory_xact_lock(lock))):
        await queue.enqueue(tx, JOB, key, clock.now() + timedelta(seconds=2), now)
        return
    found = await tx.get(ToolImport, (community_id, import_id), populate_existing=True)
    if found is None or found.state != ImportState.RUNNING:
        return
    try:
        by = await bringing_in.by_of(tx, found)
        await people.still_in(tx, by)
        if refusal := rules.why_not_list(by):
            raise refusal
        if await _pictures_left(tx, found, by) or not await _hung_up(tx, found, by, now):
            await queue.enqueue(tx, JOB, key, clock.now() + AGAIN, now)
    except Refusal as refusal:
        if refusal.code == photos.AWAY:
            raise  # nobody's mistake: the job is tried again
        await tx.refresh(found)  # whatever was written after the savepoint is not so
        await bringing_in.stop(tx, found, f"{refusal.sentence} Nothing was imported.", now)
    except NotFound:
        await bringing_in.stop(tx, found, NOT_IN, now)
    except OSError:
        await bringing_in.stop(tx, found, GONE, now)


async def _pictures_left(tx: Tx, found: ToolImport, by: Viewer) -> bool:
    """Takes some out of the zip and keeps them; True while there are more."""
    if not found.with_photos:
        return False
    staged = dict(found.staged)
    if not staged:
        staged = dict.fromkeys(_pictures_of(await _planned(tx, found, by)))
        found.of += len(staged)
    left = [name for name, kept in staged.items() if kept is None]
    if not left:
        return False
    until, stored = time.monotonic() + STEP, []
    try:
        for name in left:
            content = await asyncio.to_thread(packing.read, waiting_room.zipped(found.stored), name)
            # Whole: thousands of jobs would stand in the way of all others.
            picture = await photos.store(content, whole=True)
            stored.append(picture)
            await photos.keep(tx, picture, found.community_id, clock.now())
            staged[name] = [picture.name, picture.width, picture.height]
            if time.monotonic() > until:
                break
    except BaseException as error:
        if isinstance(error, Refusal) and error.code != photos.AWAY:
            found.staged = staged
            await _refuse_rows(tx, found, by, name, error)
            raise Refusal(PHOTO.split(". ")[0] + f": {name}.") from error
        for picture in stored:
            await photos.discard(picture)
        raise
    found.staged = staged
    found.done = sum(kept is not None for kept in staged.values())
    touch(tx, topic.imported(found.community_id, found.id))
    await tx.flush()
    return True  # what was the last leads to a turn of its own, too


async def _refuse_rows(
    tx: Tx, found: ToolImport, by: Viewer, picture: str, refusal: Refusal
) -> None:
    rows = {
        plan.fate.row
        for plan in await _planned(tx, found, by)
        if picture in plan.values.get("photos", ())
    }
    why = ["photos", f"{picture}: {refusal.sentence} {refusal.way_out or ''}".strip()]
    found.fates = [
        {**fate, "becomes": Becomes.REFUSED, "why": [*fate["why"], why]}
        if fate["row"] in rows
        else fate
        for fate in found.fates
    ]
    await tx.flush()


async def _hung_up(tx: Tx, found: ToolImport, by: Viewer, now: datetime) -> bool:
    """Through with it, one way or the other; False where it needs a picture more by now."""
    plans = await _planned(tx, found, by)
    changing = [plan.held.tool.id for plan in plans if plan.held and plan.fate.changes]
    if changing:
        await tx.execute(
            select(Tool.id)
            .where(Tool.community_id == found.community_id, Tool.id.in_(changing))
            .order_by(Tool.id)
            .with_for_update()
        )
        plans = await _planned(tx, found, by)  # as they are now that nobody else changes them
    fates, wanted = [plan.fate.kept() for plan in plans], _pictures_of(plans)
    if fates != found.fates:
        found.fates, found.state, found.said = fates, ImportState.LOOKED, CHANGED
        touch(tx, topic.imported(found.community_id, found.id))
    elif more := [name for name in wanted if name not in found.staged]:
        found.staged = found.staged | dict.fromkeys(more)
        found.of += len(more)
        return False
    else:
        # Nothing of its row is written before: `_tell` would wait for us, and we for it.
        first = len(found.staged)

        async def told(rows: int) -> None:
            await _tell(found, first + rows)

        async with tx.begin_nested():
            await hanging_up.hang_up(tx, plans, found.staged, by, now, told)
        found.state, found.done = ImportState.DONE, found.of
        found.staged = {name: kept for name, kept in found.staged.items() if name not in wanted}
        await bringing_in.over(tx, found, now)
    found.changed_at = now
    await tx.flush()
    return True


async def _planned(tx: Tx, found: ToolImport, by: Viewer) -> list[Plan]:
    content = await asyncio.to_thread(waiting_room.table(found.stored).read_bytes)
    pictures = None
    if found.with_photos:
        pictures = await asyncio.to_thread(_names_in, waiting_room.zipped(found.stored))
    _, plans = await bringing_in.planned(tx, by, content, pictures)
    return plans


def _names_in(zipped: Path) -> frozenset[str]:
    with zipped.open("rb") as file:
        return packing.names_in(file)


def _pictures_of(plans: Iterable[Plan]) -> list[str]:
    """The files that are wanted out of the zip, each once."""
    wanted = (
        name
        for plan in plans
        if plan.fate.becomes in bringing_in.COUNTED
        for name in plan.values.get("photos", ())
        if plan.held is None or name not in plan.held.names
    )
    return list(dict.fromkeys(wanted))


async def _tell(found: ToolImport, done: int) -> None:
    """How far it is, in a commit of its own: the rows themselves are not to be seen before all."""
    async with db.begin() as beside:
        await beside.execute(
            update(ToolImport)
            .where(ToolImport.community_id == found.community_id, ToolImport.id == found.id)
            .values(done=done)
            .execution_options(synchronize_session=False)
        )
        touch(beside, topic.imported(found.community_id, found.id))
