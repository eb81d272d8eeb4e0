"""Import: a table is looked at, its sender says yes, and a job hangs up all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import delete, func, select

from app import queue, topic
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.inventory import cells, columns, held_here, packing, trial, waiting_room
from app.inventory.models import ImportState, ToolImport
from app.inventory.trial import Becomes, Known, Plan
from app.people import queries as people
from app.people.models import PersonId, Status
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import photos
from app.tools.photos import Stored

JOB = "inventory.import"
FORGET = "inventory.forget"
KEPT = timedelta(days=2)
OPEN_MOST = 5  # of one person, looked at and not started
COUNTED = (Becomes.NEW, Becomes.CHANGES)


async def receive(
    tx: Tx, by: Viewer, name: str, content: bytes, zipped: IO[bytes] | None, now: datetime
) -> ToolImport:
    """Looks at a table and keeps it; nothing is done yet. Raises Refusal for what is none."""
    await people.still_in(tx, by)
    pictures = await asyncio.to_thread(packing.names_in, zipped) if zipped else None
    table, plans = await planned(tx, by, content, pictures)
    await _forget_unstarted(tx, by)
    stored = await asyncio.to_thread(waiting_room.keep, content, zipped)
    made = ToolImport(
        community_id=by.community_id,
        person_id=by.person_id,
        table_name=columns.file_name(name)[:100] or "table.csv",
        stored=stored,
        with_photos=zipped is not None,
        warnings=trial.warnings(table),
        fates=[plan.fate.kept() for plan in plans],
        staged={},
        created_at=now,
        changed_at=now,
    )
    tx.add(made)
    await tx.flush()
    touch(tx, topic.imported(made.community_id, made.id))
    return made


async def planned(
    tx: Tx, by: Viewer, content: bytes, pictures: frozenset[str] | None
) -> tuple[cells.Table, list[Plan]]:
    """The table, and what would become of it now; counted in a thread, since it may be long."""
    names = {*columns.BY_NAME, *columns.OTHER_NAMES}
    table = await asyncio.to_thread(cells.read, content, names)
    if refusal := trial.why_not_at_all(table):
        raise refusal
    found = await held_here.categories(tx, by.community_id)
    known = Known(by, found, await held_here.held_by(tx, by), pictures)
    return table, await asyncio.to_thread(trial.look, table, known)


async def start(tx: Tx, import_id: int, by: Viewer, now: datetime) -> ToolImport:
    """The sender has seen what would become of it, and says yes."""
    await people.still_in(tx, by)
    found = await held_here.import_for(tx, by, import_id)
    await tx.refresh(found, with_for_update=True)
    if found.state in (ImportState.RUNNING, ImportState.DONE):
        return found  # pressed twice
    if refusal := why_not_start(found):
        raise refusal
    found.state, found.said, found.done, found.changed_at = ImportState.RUNNING, "", 0, now
    found.of = len(counted(found.fates))
    await tx.flush()
    await queue.enqueue(tx, JOB, f"{found.community_id}/{found.id}", now, now)
    touch(tx, topic.imported(found.community_id, found.id))
    return found


def why_not_start(found: ToolImport) -> Refusal | None:
    if found.state == ImportState.STOPPED:
        return Conflict("This import has ended without anything.", "Send the table again.")
    if not counted(found.fates):
        return Refusal("There is nothing to import in it.", "Look at what its rows say.")
    return None


def counted(fates: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [fate for fate in fates if fate["becomes"] in COUNTED]


async def stop(tx: Tx, found: ToolImport, sentence: str, now: datetime) -> None:
    """Nothing was imported; its pictures go with it."""
    found.state, found.said, found.changed_at = ImportState.STOPPED, sentence, now
    discard(found)
    found.staged = {}
    await tx.flush()
    touch(tx, topic.imported(found.community_id, found.id))


def discard(found: ToolImport) -> None:
    """The files that it waited with; pictures that hang on a tool are in no import any more."""
    waiting_room.discard(found.stored)
    for kept in filter(None, found.staged.values()):
        photos.discard(Stored(*kept))


async def forget_old(tx: Tx, now: datetime) -> None:
    """For the job loop: what was sent and never started, and the lists of what is over."""
    rows = await tx.scalars(select(ToolImport).where(ToolImport.created_at < now - KEPT))
    for found in rows:
        if found.state != ImportState.RUNNING:
            discard(found)
            await tx.delete(found)


async def by_of(tx: Tx, found: ToolImport) -> Viewer:
    """Its sender as they stand now. Raises NotFound if they are not in it any more."""
    place = (await people.places_of(tx, found.person_id)).get(found.community_id)
    if place is None:
        raise NotFound
    here, standing = place
    person = await people.person(tx, found.person_id)
    return Viewer(
        person_id=PersonId(person.id),
        name=person.name,
        locale=person.locale,
        community=here,
        role=standing.role,
        suspended=standing.status == Status.SUSPENDED,
    )


async def _forget_unstarted(tx: Tx, by: Viewer) -> None:
    """What was looked at before and left makes room."""
    mine = (
        ToolImport.community_id == by.community_id,
        ToolImport.person_id == by.person_id,
        ToolImport.state == ImportState.LOOKED,
    )
    if (await tx.scalar(select(func.count()).where(*mine)) or 0) < OPEN_MOST:
        return
    for found in await tx.scalars(select(ToolImport).where(*mine)):
        discard(found)
    await tx.execute(delete(ToolImport).where(*mine))
