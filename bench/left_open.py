"""What a room's page weighs that was left open while very much was said: its list is bounded."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from playwright.async_api import CDPSession, Page
from sqlalchemy import insert, select, update

from app import clock, db, topic
from app.chat.models import Message, MessageKind
from app.loans.models import Loan
from app.realtime import bump
from app.realtime.versions import live_topic
from bench import chromium, neighbours
from bench.ground import Ground, say
from bench.live.table import Column, Table
from bench.neighbours import Neighbour
from bench.room import WORDS, room_of
from bench.size import Size

AT_ONCE = 100  # messages a commit: more than 200 would come as a fresh page
WITHIN = 60_000  # milliseconds
ROWS = "document.querySelectorAll('#timeline .message').length"
MB = 1024 * 1024


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Table, Callable[[], Awaitable[None]]]]:
    columns = (Column("JS heap MB", "A"), Column("nodes", "A"), Column("rows", "A"))
    table = Table(
        "A room's page, left open while messages come in (in the first round only)",
        columns,
        notes=["after a collection of garbage; nobody scrolls, so the newest stays in sight"],
        enough=1,
    )
    if not chromium.found():
        table.notes.append(chromium.MISSING)

    async def round_once() -> None:
        if chromium.found() and not table.rows:
            say("Leaving a page open")
            await _left_open(ground, size, table)

    yield table, round_once


async def _left_open(ground: Ground, size: Size, table: Table) -> None:
    ((ada, ben),) = await neighbours.street_of(1, slug="left-open")
    path = await room_of(ada, ben, 0)
    at = f"http://{ground.workers[0].host}"
    async with chromium.page_of(ada, at, reduced_motion="reduce") as page:
        await page.goto(f"{at}{path}")
        await page.wait_for_selector("#liveness[data-state=live]", state="attached")
        devtools = await page.context.new_cdp_session(page)
        said = 0
        for wanted in (size.left_open // 10, size.left_open):
            while said < wanted:
                count = min(AT_ONCE, wanted - said)
                await _say(ben, int(path.rsplit("/", 1)[1]), said, count)
                said += count
                await page.wait_for_selector(f"text={said - 1}: {WORDS[:20]}", timeout=WITHIN)
            table.add(f"after {said:,} messages", *await _weighed(page, devtools))


async def _weighed(page: Page, devtools: CDPSession) -> tuple[float, float, float]:
    """JS heap in MB, nodes of the page, rows of the list."""
    await devtools.send("HeapProfiler.collectGarbage")
    await devtools.send("Performance.enable")
    told = (await devtools.send("Performance.getMetrics"))["metrics"]
    metrics = {one["name"]: one["value"] for one in told}
    return metrics["JSHeapUsedSize"] / MB, metrics["Nodes"], await page.evaluate(ROWS)


async def _say(by: Neighbour, loan_id: int, first: int, count: int) -> None:
    """So many messages in one commit, as one hint."""
    here, now = by.viewer.community_id, clock.now()
    async with db.begin() as tx:
        room = await tx.scalar(
            select(Loan.conversation_id).where(Loan.community_id == here, Loan.id == loan_id)
        )
        assert room is not None, "it is there"
        name = topic.room(here, room)
        born = await bump(tx, name)
        raised = update(live_topic).where(live_topic.c.name == name)
        await tx.execute(raised.values(version=born + count))
        said = [
            {
                "community_id": here,
                "conversation_id": room,
                "author_id": by.viewer.person_id,
                "kind": MessageKind.TEXT,
                "body": f"{first + n}: {WORDS}",
                "client_id": uuid.uuid4(),
                "born": born + n,
                "revision": born + n,
                "created_at": now,
            }
            for n in range(count)
        ]
        await tx.execute(insert(Message), said)
        await bump(tx, name)
