"""Loading the demo once: all its rows in one transaction, its pictures before the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from sqlalchemy import select, text

from app import db
from app.chat import commands as chat
from app.chat import queries as chat_queries
from app.chat.models import ConversationId
from app.db import Tx
from app.demo.places import ELM, MILL, Place
from app.demo.stage import EVERYTHING, Cast, Stage
from app.jobs import COMMANDS
from app.people import commands as people
from app.people import passwords, queries
from app.people.models import PersonId
from app.queue import Job
from app.tools import commands as tools
from app.tools import photos
from app.tools.photos import Stored

PASSWORD = "toolshare"  # noqa: S105 - told to everybody who looks at the demo
PLACES = (ELM, MILL)
LOCK = 5_310_774_208  # any number, the same in every process
READ_WITHIN = timedelta(days=1)

Told = Callable[[int], None]


async def load(now: datetime, hung: Told) -> list[Stage] | None:
    """The demo, as if it had been lived until `now`; None if there is a community already.

    `hung` hears the number of pictures that are ready. Interrupted, it leaves no row behind.
    """
    async with db.snapshot() as tx:
        if await queries.is_set_up(tx):
            return None
    password_hash = await passwords.hashed(PASSWORD)
    stored: list[Stored] = []
    # Drawn on the other processor while the story is told.
    drawing = asyncio.create_task(_store(PLACES, stored, hung))
    async with db.begin() as tx:
        stages = None
        try:
            await tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            if not await queries.is_set_up(tx):  # another may have been faster
                told = await tell(tx, now, password_hash)
                await drawing
                await _hang(tx, told, stored)
                stages = told
        finally:
            if stages is None:
                await _put_away(drawing, stored)
    return stages


async def tell(tx: Tx, now: datetime, password_hash: str) -> list[Stage]:
    """The story of all places in one order, with what the clock does in between."""
    cast = Cast(password_hash)
    stages = [Stage(place, cast, now) for place in PLACES]
    acts = [act for stage in stages for act in stage.acts()]
    acts.append((now - READ_WITHIN, lambda tx, _: _everybody_reads(tx, cast)))
    for at, act in sorted(acts, key=itemgetter(0)):
        await _clock_runs(tx, at)
        await act(tx, at)
    await _clock_runs(tx, now)
    cy = PersonId(cast.persons["cy"].id)
    await people.remember(tx, cy, stages[0].viewers["cy"].community_id)
    return stages


async def _clock_runs(tx: Tx, until: datetime) -> None:
    """What the job loop would have done by then, each at its time: requests expire, loans close."""
    due = select(Job).where(Job.run_at <= until).order_by(Job.run_at, Job.id).limit(1)
    while job := await tx.scalar(due):
        await COMMANDS[job.name](tx, job.key, job.run_at)
        await tx.delete(job)
        await tx.flush()


async def _everybody_reads(tx: Tx, cast: Cast) -> None:
    """Lines older than this have been seen."""
    for person in cast.persons.values():
        by = PersonId(person.id)
        for community_id, room in await chat_queries.unread_by_room(tx, by):
            await chat.mark_seen(tx, community_id, ConversationId(room), by, EVERYTHING)


async def _store(places: Sequence[Place], stored: list[Stored], hung: Told) -> None:
    for place in places:
        for tool in place.tools:
            content = await asyncio.to_thread(tool.picture.read_bytes)
            stored.append(await photos.store(content))
            hung(len(stored))


async def _hang(tx: Tx, stages: Sequence[Stage], stored: Sequence[Stored]) -> None:
    drawn = [(stage, tool) for stage in stages for tool in stage.place.tools]
    for (stage, hung), picture in zip(drawn, stored, strict=True):
        tool = stage.tools[hung.key]
        await tools.show(tx, tool, picture, stage.viewers[hung.owner], tool.changed_at)


async def _put_away(drawing: asyncio.Task[None], stored: Sequence[Stored]) -> None:
    """Pictures whose rows did not come to be."""
    drawing.cancel()
    await asyncio.wait([drawing])
    for picture in stored:
        photos.discard(picture)
