"""What is free from Friday to Sunday: the search over many tools and loans, beside the bare SQL."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy import text

from app import clock, db
from app.settings import settings
from app.tools import occupied
from bench import neighbours
from bench.figures import Section, latency
from bench.ground import Ground, say
from bench.size import Size

LOANS_A_TOOL = 20
INDEXES = ("ex_occupancy_overlap", "ix_occupancy_when")

TOOLS = """
    INSERT INTO tool (community_id, owner_id, category_id, name, brand, description, price_cents,
                      doorstep, status, created_at, changed_at)
    SELECT {community}, {owner}, (SELECT min(id) FROM category WHERE community_id = {community}),
           'Tool ' || n, '', '', 0, true, 'listed', now(), now()
    FROM generate_series(1, {tools}) n
"""
# Each tool goes out for two days of every week, on days of its own: ten weeks back, ten ahead.
ROOMS = """
    INSERT INTO conversation (community_id, created_at)
    SELECT {community}, now() FROM generate_series(1, {tools} * {loans})
"""
LOANS = """
    WITH room AS (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM conversation
        WHERE community_id = {community}
    ), thing AS (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM tool
        WHERE community_id = {community}
    ), wanted AS (
        SELECT room.id AS room, thing.id AS tool, date_trunc('day', now()) + make_interval(
                   days => (7 * (room.n % {loans} - {loans} / 2) + thing.n % 7)::int
               ) AS at
        FROM room JOIN thing ON thing.n = room.n / {loans}
    )
    INSERT INTO loan (community_id, tool_id, borrower_id, lender_id, conversation_id, period,
                      price_cents, state, version, reason, place, requested_at, expires_at,
                      ended_at)
    SELECT {community}, tool, {borrower}, {owner}, room, tstzrange(at, at + interval '2 days'), 0,
           CASE WHEN at < now() - interval '2 days' THEN 'closed' ELSE 'approved' END, 2, '', '',
           at - interval '3 days', at,
           CASE WHEN at < now() - interval '2 days' THEN at + interval '4 days' END
    FROM wanted
"""
OCCUPANCY = """
    INSERT INTO occupancy (community_id, tool_id, kind, period, loan_id)
    SELECT community_id, tool_id, 'loan', period, id FROM loan WHERE community_id = {community}
    ORDER BY tool_id, period
"""
BARE = text(
    """
    SELECT t.id FROM tool t WHERE t.community_id = :community AND t.status = 'listed'
    AND NOT EXISTS (
        SELECT FROM occupancy o WHERE o.community_id = t.community_id AND o.tool_id = t.id
        AND o.period && tstzrange(:start, :end)
        AND (o.expires_at IS NULL OR o.expires_at > :now)
    )
    """
)


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    who = await _filled(size)
    here = who.viewer.here
    now = clock.now()
    today = clock.local_day(now, here.zone)
    friday = today + timedelta(days=(4 - today.weekday()) % 7 + 7)
    start, end = clock.days(friday, friday + timedelta(days=2), here.zone)
    asked = {"community": here.id, "start": start, "end": end, "now": now}
    used, took = await _explained(asked)
    free = await _searched(here.id, start, end)
    section = Section(
        f"Free from Friday to Sunday: {size.many_tools:,} tools, "
        f"{size.many_tools * LOANS_A_TOOL:,} loans ({size.searches} searches a round)"
    )
    section.notes.append(
        f"{free:,} tools are free; EXPLAIN ANALYZE: {', '.join(used)}, {took:.1f} ms"
    )

    async def bare() -> None:
        async with db.engine.connect() as connection:
            assert len((await connection.execute(BARE, asked)).all()) == free, "the same are free"

    async def search() -> None:
        assert await _searched(here.id, start, end) == free, "the same are free"

    async def round_once() -> None:
        section.add("the bare SQL, through the app's pool", await _times(bare, size.searches))
        section.add("occupied.free_between", await _times(search, size.searches))

    yield section, round_once


async def _filled(size: Size) -> neighbours.Neighbour:
    """A community of its own, full of tools and loans; answers one who looks for something."""
    ((lender, borrower),) = await neighbours.street_of(1, "library")
    say("Filling in tools and loans")
    values = {
        "community": lender.viewer.community_id,
        "owner": lender.viewer.person_id,
        "borrower": borrower.viewer.person_id,
        "tools": size.many_tools,
        "loans": LOANS_A_TOOL,
    }
    # By a bare connection: it takes longer than a request may. The rows are right: who they point
    # to need not be looked up two hundred thousand times.
    bare = await asyncpg.connect(settings.database_url.replace("+asyncpg", ""))
    try:
        await bare.execute("SET session_replication_role = replica")
        for statement in (TOOLS, ROOMS, LOANS, OCCUPANCY):
            await bare.execute(statement.format(**values))
        for table in ("tool", "loan", "occupancy"):
            await bare.execute(f"VACUUM ANALYZE {table}")
    finally:
        await bare.close()
    return borrower


async def _searched(community_id: int, start: datetime, end: datetime) -> int:
    async with db.snapshot() as tx:
        return len(await occupied.free_between(tx, community_id, start, end, clock.now()))


async def _explained(asked: dict[str, object]) -> tuple[list[str], float]:
    """Which indexes the search goes through, and the milliseconds that the database says."""
    async with db.engine.connect() as connection:
        found = await connection.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {BARE.text}"), asked)
    told = json.loads(found) if isinstance(found, str) else found
    used = sorted({node["Index Name"] for node in _nodes(told[0]["Plan"]) if "Index Name" in node})
    assert set(used) & set(INDEXES), f"no index of occupancy is used: {json.dumps(told)}"
    return used, told[0]["Execution Time"]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


async def _times(act: Callable[[], Awaitable[None]], count: int) -> Any:
    took = []
    for _ in range(count):
        began = time.perf_counter()
        await act()
        took.append(time.perf_counter() - began)
    return latency(took)
