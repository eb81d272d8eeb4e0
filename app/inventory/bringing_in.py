"""Import: a table is looked at, its sender says yes, and a job hangs up all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import select

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

JOB = "inventory.import"
GONE = "inventory.discard"
FORGET = "inventory.forget"
KEPT = timedelta(days=2)
OPEN_MOST = 5  # of one person, looked at and not started
REPLACED = "Other tables came after this one. Nothing was imported: send it again."
COUNTED = (Becomes.NEW, Becomes.CHANGES)


async def receive(
    tx: Tx, by: Viewer, name: str, content: bytes, zipped: IO[bytes] | None, now: datetime
) -> ToolImport:
    """Looks at a table and keeps it; nothing is done yet. Raises Refusal for what is none."""
    await people.still_in(tx, by)
    pictures = await asyncio.to_thread(packing.names_in, zipped) if zipped else None
    table, plans = await planned(tx, by, content, pictures)
    await _make_room(tx, by, now)
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
    found.state, found.said, found.changed_at = ImportState.RUNNING, "", now
    found.done = len(found.staged)  # of a start before, that met a change
    found.of = found.done + len(counted(found.fates))
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
    await tx.flush()
    await over(tx, found, now)


async def over(tx: Tx, found: ToolImport, now: datetime) -> None:
    """Its files go once this is so: until then they have to be there."""
    await queue.enqueue(tx, GONE, f"{found.community_id}/{found.id}", now, now)
    touch(tx, topic.imported(found.community_id, found.id))


async def discard(tx: Tx, key: str, now: datetime) -> None:
    """For the job loop: the files of what is over; its key is `community/import`."""
    community_id, import_id = (int(part) for part in key.split("/"))
    found = await tx.get(ToolImport, (community_id, import_id), populate_existing=True)
    if found is not None and found.state in (ImportState.DONE, ImportState.STOPPED):
        await _discard(found)
        found.staged = {}


async def _discard(found: ToolImport) -> None:
    """The files that it waited with; pictures that hang on a tool are in no import any more."""
    waiting_room.discard(found.stored)
    for kept in filter(None, found.staged.values()):
        await photos.remove(kept[0])


async def forget_old(tx: Tx, now: datetime) -> None:
    """For the job loop: what was sent and never started, and the lists of what is over."""
    rows = await tx.scalars(
        select(ToolImport)
        .where(ToolImport.created_at < now - KEPT, ToolImport.state != ImportState.RUNNING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for found in rows.all():
        await _discard(found)
        await tx.delete(found)
    await tx.flush()
    waiting_room.sweep({*await tx.scalars(select(ToolImport.stored))}, KEPT)


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


async def _make_room(tx: Tx, by: Viewer, now: datetime) -> None:
    """What was looked at before and left ends."""
    rows = await tx.scalars(
        select(ToolImport)
        .where(
            ToolImport.community_id == by.community_id,
            ToolImport.person_id == by.person_id,
            ToolImport.state == ImportState.LOOKED,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    unstarted = rows.all()
    if len(unstarted) >= OPEN_MOST:
        for found in unstarted:
            await stop(tx, found, REPLACED, now)
