"""Searching as one types, key by key, on walls of very many tools: beside bare SQL and a scan."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import text

from app import clock, db
from app.board import wall
from app.board.search import Search
from app.demo.places import ELM
from app.people.viewer import Here
from app.settings import settings
from bench import neighbours
from bench.figures import Cost, Section, latency
from bench.ground import Ground, say
from bench.size import Size

TYPED = ("hedge trimmer", "cordless drill", "party tent", "sewing machine")
MISTYPED = ("hegde trimmer", "cordles drlil", "wheelbarow", "chiansaw")
CLEARED = ""  # the whole wall: what one sees before and after
INDEXES = {"ix_tool_words", "ix_tool_letters"}

# As the demo's, over and over, each told apart by a word and a number of its own.
TOOLS = """
    INSERT INTO tool (community_id, owner_id, category_id, name, brand, description, price_cents,
                      doorstep, status, created_at, changed_at)
    SELECT $1, $2, shelf.id,
           concat(kind.name, ', ', (ARRAY['old', 'new', 'red', 'blue'])[1 + n % 4], ' ', n),
           kind.brand, kind.description, 0, true, 'listed', now(), now()
    FROM generate_series(1, $3::int) n
    JOIN (SELECT row_number() OVER () - 1 AS k, one.* FROM
          jsonb_to_recordset($4::jsonb)
          AS one(name text, brand text, description text, category text)
    ) kind ON kind.k = n % jsonb_array_length($4::jsonb)
    JOIN category shelf ON shelf.community_id = $1 AND shelf.slug = kind.category
"""
BARE = text(
    """
    SELECT id FROM tool WHERE community_id = :community AND status = 'listed'
    AND words @@ CAST(:query AS tsquery) ORDER BY plain_name, id LIMIT 60
    """
)
COUNT = """
    SELECT count(*) FROM tool WHERE community_id = :community AND status = 'listed'
    AND words @@ CAST(:query AS tsquery)
"""
SCAN = text(
    """
    SELECT id FROM tool WHERE community_id = :community AND status = 'listed'
    AND name || ' ' || brand || ' ' || description ILIKE :like ORDER BY plain_name, id LIMIT 60
    """
)
Ask = Callable[[str], Awaitable[object]]


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[list[Section], Callable[[], Awaitable[None]]]]:
    walls = []
    for number, tools in enumerate(size.searched):
        here = await _filled(f"wall-{number}", tools)
        section = Section(f"Search as you type: {tools:,} tools, every key", floors=2)
        section.notes += [await _used(here, tools)]
        walls.append((here, section))

    async def round_once() -> None:
        for here, section in walls:
            await _once(here, section)

    yield [section for _, section in walls], round_once


async def _once(here: Here, section: Section) -> None:
    keys = [typed[:n] for typed in TYPED for n in range(1, len(typed) + 1)]

    async def bare(typed: str) -> None:
        query = " & ".join(f"'{word}':*" for word in typed.split())
        async with db.engine.connect() as connection:
            await connection.execute(BARE, {"community": here.id, "query": query})

    async def scan(typed: str) -> None:
        like = "%" + "%".join(typed.split()) + "%"
        async with db.engine.connect() as connection:
            await connection.execute(text("SET LOCAL enable_indexscan = off"))
            await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
            await connection.execute(SCAN, {"community": here.id, "like": like})

    async def hanging(typed: str) -> None:
        async with db.snapshot() as tx:
            search = Search.typed(typed, "", False)
            assert await wall.hanging(tx, here, search, clock.now()), f"{typed!r} finds nothing"

    section.add("the bare SQL: words that begin so, by name", await _times(bare, keys))
    section.add("a sequential scan with ILIKE, every fourth key", await _times(scan, keys[3::4]))
    section.add("wall.hanging: found, ranked, what is free in front", await _times(hanging, keys))
    section.add("the same, each with a typo", await _times(hanging, MISTYPED * 5))
    section.add("the same, nothing typed", await _times(hanging, [CLEARED] * 20))


async def _filled(slug: str, tools: int) -> Here:
    ((lender, _),) = await neighbours.street_of(1, slug)
    say(f"Hanging up {tools:,} tools")
    kinds = [
        {name: getattr(one.text, name) for name in ("name", "brand", "description", "category")}
        for one in ELM.tools
    ]
    viewer = lender.viewer
    bare = await asyncpg.connect(settings.database_url.replace("+asyncpg", ""))
    try:
        await bare.execute(
            TOOLS, viewer.community_id, viewer.person_id, tools, json.dumps(kinds), timeout=900
        )
        await bare.execute("VACUUM ANALYZE tool", timeout=300)
    finally:
        await bare.close()
    return viewer.here


async def _used(here: Here, tools: int) -> str:
    """The indexes that a search of two words goes through: of a large wall it must be these."""
    async with db.engine.connect() as connection:
        asked = {"community": here.id, "query": "'hedge':* & 'trim':*"}
        told = await connection.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {COUNT}"), asked)
    found: Any = json.loads(told) if isinstance(told, str) else told
    used = sorted(set(_indexes(found[0]["Plan"])))
    assert tools < 10_000 or INDEXES & set(used), f"no index of words is used: {used}"
    return f"EXPLAIN of two words: {', '.join(used) or 'a scan'}"


def _indexes(plan: dict[str, Any]) -> Sequence[str]:
    below = [name for one in plan.get("Plans", ()) for name in _indexes(one)]
    return [plan["Index Name"], *below] if "Index Name" in plan else below


async def _times(act: Ask, typed: Sequence[str]) -> Cost:
    took = []
    for one in typed:
        began = time.perf_counter()
        await act(one)
        took.append(time.perf_counter() - began)
    return latency(took)
