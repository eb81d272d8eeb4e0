"""Approvals a second, beside transactions that do nothing, or next to nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
from sqlalchemy import func, select

from app import clock, db
from app.loans import commands
from app.loans.models import Loan
from app.loans.states import State
from app.settings import settings
from bench import neighbours
from bench.browser import Browser
from bench.figures import Section, rate
from bench.ground import Ground
from bench.neighbours import Neighbour
from bench.size import CLIENTS, Size

FIRST_DAY = 2  # from today on


@dataclass
class Pair:
    """A lender with a browser, and the requests that wait for them."""

    lender: Neighbour
    borrower: Neighbour
    browser: Browser
    tools: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)

    async def ask(self, day: int) -> None:
        """The borrower asks for each tool, for one day that is still free."""
        here = self.lender.viewer.here
        today = clock.local_day(clock.now(), here.zone)
        period = clock.days(today + timedelta(days=day), today + timedelta(days=day), here.zone)
        async with db.begin() as tx:
            for tool in self.tools:
                now = clock.now()
                asked = await commands.request(tx, tool, *period, self.borrower.viewer, now)
                self.requests.append(asked.id)

    async def approve_all(self) -> None:
        """One after the other, as the page's button does it: with its key and version."""
        waiting, self.requests = self.requests, []
        for loan in waiting:
            path = f"{self.lender.home}/loans/{loan}/approval"
            await self.browser.post(path, idempotency_key=f"once-{loan}", version=1)


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    section = Section(
        f"Approvals through two workers ({size.approvals} distinct tools a round, {CLIENTS} "
        "at once)",
        floors=2,
        per_second=True,
    )
    section.notes.append(
        f"{CLIENTS} lenders, each with a borrower: they share the board's rows and nothing else"
    )
    async with AsyncExitStack() as stack:
        pairs = await _move_in(stack, ground, size.approvals // CLIENTS)
        idle = [await _connection(stack) for _ in range(CLIENTS)]
        await idle[0].execute("CREATE TABLE measured (at timestamptz NOT NULL)")
        day = FIRST_DAY
        approved = 0

        async def round_once() -> None:
            nonlocal day, approved
            for name, sql in (
                ("BEGIN, COMMIT", ""),
                ("BEGIN, INSERT of one row, COMMIT", "INSERT INTO measured VALUES (now())"),
            ):
                count = size.empties
                section.add(name, rate(count, await _transactions(idle, sql, count)))
            await asyncio.gather(*(pair.ask(day) for pair in pairs))
            day += 1
            # Opens the workers' connections, as a lender who looks before answering does.
            await asyncio.gather(*(pair.browser.get(pair.lender.home) for pair in pairs))
            took = await _timed([pair.approve_all() for pair in pairs])
            section.add("POST …/approval", rate(size.approvals, took))
            approved += size.approvals
            assert await _approved(pairs) == approved, "each was approved"

        yield section, round_once


async def _move_in(stack: AsyncExitStack, ground: Ground, tools: int) -> list[Pair]:
    pairs = []
    for number, (lender, borrower) in enumerate(await neighbours.street_of(CLIENTS)):
        browser = Browser(ground.workers[number % 2], lender.cookie)
        stack.callback(browser.close)
        pair = Pair(lender, borrower, browser)
        for n in range(tools):
            pair.tools.append(await neighbours.lists(lender, f"Drill {number}.{n}"))
        pairs.append(pair)
    return pairs


async def _connection(stack: AsyncExitStack) -> asyncpg.Connection:
    connection = await asyncpg.connect(settings.database_url.replace("+asyncpg", ""))
    stack.push_async_callback(connection.close)
    return connection


async def _transactions(idle: Sequence[asyncpg.Connection], sql: str, count: int) -> float:
    """Seconds for so many transactions, spread over the connections."""

    async def run(connection: asyncpg.Connection) -> None:
        for _ in range(count // len(idle)):
            async with connection.transaction():
                if sql:
                    await connection.execute(sql)

    return await _timed([run(connection) for connection in idle])


async def _timed(work: Sequence[Awaitable[None]]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*work)
    return time.perf_counter() - began


async def _approved(pairs: Sequence[Pair]) -> int:
    here = pairs[0].lender.viewer.community_id
    done = (Loan.community_id == here, Loan.state == State.APPROVED)
    async with db.snapshot() as tx:
        return await tx.scalar(select(func.count()).select_from(Loan).where(*done)) or 0
