"""The board page, beside the least that the database could be asked for it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import TextClause, func, select, text

from app import db
from app.tools.models import Tool
from app.tools.rules import ON_THE_BOARD
from bench import neighbours
from bench.browser import Browser
from bench.figures import Section, latency
from bench.ground import Ground
from bench.size import Size

ONE = text("SELECT 1")
TOOLS = text(
    """
    SELECT t.*, p.name AS owner, c.name AS category, c.icon, f.name AS photo
    FROM tool t JOIN person p ON p.id = t.owner_id
    JOIN category c ON (c.community_id, c.id) = (t.community_id, t.category_id)
    LEFT JOIN photo f ON (f.community_id, f.id) = (t.community_id, t.photo_id)
    WHERE t.community_id = :community AND t.status = ANY(:shown) ORDER BY lower(t.name), t.id
    """
)


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    ada = await neighbours.of_elm("ada")
    shown = {"community": ada.viewer.community_id, "shown": [*map(str, ON_THE_BOARD)]}
    tools = await _tools(ada.viewer.community_id)
    for number in range(tools, size.tools):
        await neighbours.lists(ada, f"Spare drill {number}")
    tools = max(tools, size.tools)
    browser = Browser(ground.workers[0], ada.cookie)
    page = await browser.get(ada.home)
    section = Section(
        f"The board page, {tools} tools, {len(page) / 1024:.0f} kB ({size.pages} pages a round, "
        "one after the other)",
        floors=2,
    )
    section.notes.append("A and B through the app's own engine and pool, its ping included")

    async def round_once() -> None:
        section.add("SELECT 1", latency(await _asked(ONE, {}, size.queries)))
        section.add(
            "the tools with owner, category, photo: one query",
            latency(await _asked(TOOLS, shown, size.queries)),
        )
        took = []
        await browser.get(ada.home)
        for _ in range(size.pages):
            began = time.perf_counter()
            await browser.get(ada.home)
            took.append(time.perf_counter() - began)
        section.add(f"GET {ada.home}", latency(took))

    yield section, round_once
    browser.close()


async def _tools(community_id: int) -> int:
    on_it = (Tool.community_id == community_id, Tool.status.in_(ON_THE_BOARD))
    async with db.snapshot() as tx:
        return await tx.scalar(select(func.count()).select_from(Tool).where(*on_it)) or 0


async def _asked(query: TextClause, values: dict[str, object], count: int) -> list[float]:
    took = []
    for _ in range(count):
        began = time.perf_counter()
        async with db.engine.connect() as connection:
            (await connection.execute(query, values)).all()
        took.append(time.perf_counter() - began)
    return took
