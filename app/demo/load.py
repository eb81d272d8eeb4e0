"""Loading the demo once: all its rows in one transaction, its pictures before the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter

from sqlalchemy import delete, func, select

from app import db
from app.chat import commands as chat
from app.chat import queries as chat_queries
from app.chat.models import ConversationId
from app.db import Tx
from app.demo.places import ELM, MILL, SHOTS, Place
from app.demo.played import EVERYTHING, READ_WITHIN
from app.demo.stage import Cast, Shot, Stage, not_taken
from app.jobs import COMMANDS
from app.notices import commands as notices
from app.people import commands as people
from app.people import passwords, queries
from app.people.models import PersonId
from app.queue import Job
from app.tools import album, photos
from app.tools import commands as tools
from app.tools.photos import Stored

PASSWORD = "toolshare"  # noqa: S105 - told to everybody who looks at the demo
PLACES = (ELM, MILL)
LOCK = 5_310_774_208  # any number, the same in every process
LOOK_AGAIN = 0.2  # seconds

Told = Callable[[int], None]


async def load(now: datetime, hung: Told) -> list[Stage] | None:
    """The demo, as if it had been lived until `now`; None if there is a community already.

    `hung` hears the number of pictures that are ready. Interrupted, it leaves no row behind.
    """
    async with db.begin() as tx:
        await _alone(tx)
        if await queries.is_set_up(tx):
            return None
        # A slow machine still draws when the story has been told.
        await tx.execute(select(func.set_config("idle_in_transaction_session_timeout", "0", True)))
        stored: list[Stored] = []
        # Drawn on the other processor while the story is told; first what is looked at in it.
        shots = {name: asyncio.create_task(_develop(name)) for name in shots_of(PLACES)}
        drawing = asyncio.create_task(_store(PLACES, stored, hung))
        try:
            told = await passwords.hashed(PASSWORD)
            stages = await tell(tx, now, told, lambda name: asyncio.shield(shots[name]))
            await drawing
            await _hang(tx, stages, stored)
        except BaseException:
            await _put_away(drawing, stored, list(shots.values()))
            raise
    return stages


def shots_of(places: Sequence[Place]) -> list[str]:
    """The photos that people take, in the order in which they are first needed; none twice."""
    lines = (line for place in places for scene in place.story for line in scene.lines)
    return [line.shot for line in lines if line.shot]


async def tell(tx: Tx, now: datetime, password_hash: str, shot: Shot = not_taken) -> list[Stage]:
    """The story of all places in one order, with what the clock does in between."""
    cast = Cast(password_hash)
    stages = [Stage(place, cast, now, shot) for place in PLACES]
    acts = [act for stage in stages for act in stage.acts()]
    acts.append((now - READ_WITHIN, lambda tx, at: _everybody_reads(tx, cast, at)))
    for at, act in sorted(acts, key=itemgetter(0)):
        await _clock_runs(tx, at)
        await act(tx, at)
    await _clock_runs(tx, now)
    for person in cast.persons.values():  # only now: nobody wants the mail of the last weeks
        person.verified_at = person.created_at
    cy = PersonId(cast.persons["cy"].id)
    await people.remember(tx, cy, stages[0].viewers["cy"].community_id)
    return stages


async def _alone(tx: Tx) -> None:
    """Waits while another process loads the demo: longer than locks are waited for elsewhere."""
    tried = select(func.pg_try_advisory_xact_lock(LOCK))
    while not await tx.scalar(tried):  # noqa: ASYNC110 - no event comes from another process
        await asyncio.sleep(LOOK_AGAIN)


async def _clock_runs(tx: Tx, until: datetime) -> None:
    """What the job loop would have done by then, each at its time: requests expire, loans close."""
    due = select(Job).where(Job.run_at <= until).order_by(Job.run_at, Job.id).limit(1)
    while job := await tx.scalar(due):
        await tx.execute(delete(Job).where(Job.id == job.id))
        await COMMANDS[job.name](tx, job.key, job.run_at)


async def _everybody_reads(tx: Tx, cast: Cast, now: datetime) -> None:
    """Up to here everybody has seen everything."""
    for person in cast.persons.values():
        by = PersonId(person.id)
        for community_id, room in await chat_queries.unread_by_room(tx, by):
            await chat.mark_seen(tx, community_id, ConversationId(room), by, EVERYTHING)
        await notices.mark_seen(tx, by, EVERYTHING, now)


async def _develop(name: str) -> Stored:
    content = await asyncio.to_thread((SHOTS / f"{name}.webp").read_bytes)
    return await photos.store(content, whole=True)


async def _store(places: Sequence[Place], stored: list[Stored], hung: Told) -> None:
    for place in places:
        for tool in place.tools:
            content = await asyncio.to_thread(tool.picture.read_bytes)
            storing = asyncio.create_task(photos.store(content, whole=True))
            try:
                stored.append(await asyncio.shield(storing))
            except asyncio.CancelledError:
                stored.append(await storing)  # a half-written one could not be put away
                raise
            hung(len(stored))


async def _hang(tx: Tx, stages: Sequence[Stage], stored: list[Stored]) -> None:
    """What is copied for those that are alike goes into `stored`, too."""
    drawn = [(stage, tool) for stage in stages for tool in stage.place.tools]
    for (stage, hung), picture in zip(drawn, tuple(stored), strict=True):
        tool = stage.tools[hung.key]
        by, at = stage.viewers[hung.owner], tool.changed_at
        await tools.show(tx, tool, picture, by, at)
        await album.copy(tx, tool, stage.alike[hung.key], stored, by, at)


async def _put_away(
    drawing: asyncio.Task[None], stored: Sequence[Stored], shots: Sequence[asyncio.Task[Stored]]
) -> None:
    """Pictures whose rows did not come to be."""
    drawing.cancel()
    await asyncio.gather(drawing, return_exceptions=True)
    developed = await asyncio.gather(*shots, return_exceptions=True)
    for picture in (*stored, *developed):
        if isinstance(picture, Stored):
            await photos.discard(picture)
