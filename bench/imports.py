"""A table of 5,000 tools: looked at, and hung up in one transaction; beside bare inserts."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from app import clock, db
from app.inventory import bringing_in, cells, columns, running
from app.inventory.models import ImportState
from app.settings import settings
from bench import neighbours
from bench.figures import Section, rate
from bench.ground import Ground
from bench.neighbours import Neighbour
from bench.size import Size

BARE = """
    INSERT INTO tool (community_id, owner_id, category_id, name, description, brand, parts,
                      price_cents, doorstep, status, created_at, changed_at)
    SELECT $1, $2, (SELECT min(id) FROM category WHERE community_id = $1), $3, $4, 'Makita',
           E'Charger\nBits', 250, true, 'listed', now(), now()
"""
numbers = itertools.count(1)


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    rows = min(size.rows, cells.ROWS)
    content = table(rows)
    section = Section(
        f"A table of {rows:,} new tools, {len(content) / 1024:.0f} kB: rows", per_second=True
    )
    section.notes.append("A: one statement for each row, in one transaction of the bare driver")

    async def round_once() -> None:
        number = next(numbers)
        ((bare, _),) = await neighbours.street_of(1, f"bare-{number}")
        ((ada, _),) = await neighbours.street_of(1, f"table-{number}")
        section.add("inserted, one by one", rate(rows, await _inserted(bare, rows)))
        looked, hung = await _brought(ada, content)
        section.add("looked at: what would become of each", rate(rows, looked))
        section.add("hung up: all of them, or none", rate(rows, hung))

    yield section, round_once


def table(rows: int) -> bytes:
    names = [column.name for column in columns.ALL]
    filled = {"category": "drills", "price": "2.50", "brand": "Makita", "parts": "Charger\nBits"}
    lines = (
        [
            {"name": f"Drill {n}", "description": f"The one in cellar {n}."}.get(
                name, filled.get(name, "")
            )
            for name in names
        ]
        for n in range(rows)
    )
    return cells.write(names, lines)


async def _inserted(by: Neighbour, rows: int) -> float:
    here, me = by.viewer.community_id, by.viewer.person_id
    bare = await asyncpg.connect(settings.database_url.replace("+asyncpg", ""))
    try:
        began = time.perf_counter()
        async with bare.transaction():
            insert = await bare.prepare(BARE)
            for n in range(rows):
                await insert.fetch(here, me, f"Drill {n}", f"The one in cellar {n}.")
        return time.perf_counter() - began
    finally:
        await bare.close()


async def _brought(by: Neighbour, content: bytes) -> tuple[float, float]:
    """Seconds for the trial, and for the run with its commit."""
    began = time.perf_counter()
    # One transaction for both, so that no worker's job loop takes it up beside us.
    async with db.begin() as tx:
        found = await bringing_in.receive(tx, by.viewer, "t.csv", content, None, clock.now())
        looked = time.perf_counter()
        await bringing_in.start(tx, found.id, by.viewer, clock.now())
        await running.run(tx, f"{found.community_id}/{found.id}", clock.now())
        assert found.state == ImportState.DONE, found.said
    return looked - began, time.perf_counter() - looked
