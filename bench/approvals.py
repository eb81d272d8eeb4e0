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
    asked: int = 0

    async def ask(self, count: int) -> None:
        """The borrower asks for one tool after the other, for hours that are still free."""
        here = self.lender.viewer.here
        today = clock.local_day(clock.now(), here.zone)
        first = clock.day_start(today + timedelta(days=FIRST_DAY), here.zone)
        async with db.begin() as tx:
            for _ in range(count):
                hours, which = divmod(self.asked, len(self.tools))
                start = first + timedelta(hours=hours)
                period = start, start + timedelta(hours=1)
                asked = await commands.request(
                    tx, self.tools[which], *period, self.borrower.viewer, clock.now()
                )
                self.requests.append(asked.id)
                self.asked += 1

    async def approve_all(self) -> None:
        """One after the other, as the page's button does it: with its key and version."""
        waiting, self.requests = self.requests, []
        await _approve(self.browser, self.lender, waiting)


@dataclass
class Hot(Pair):
    """One tool that everybody wants; its lender has as many browsers as there are lenders else."""

    browsers: list[Browser] = field(default_factory=list)

    async def approve_all(self) -> None:
        waiting, self.requests = self.requests, []
        each = enumerate(self.browsers)
        await asyncio.gather(
            *(_approve(one, self.lender, waiting[n :: len(self.browsers)]) for n, one in each)
        )


async def _approve(browser: Browser, lender: Neighbour, loans: Sequence[int]) -> None:
    for loan in loans:
        path = f"{lender.home}/loans/{loan}/approval"
        await browser.post(path, idempotency_key=f"once-{loan}", version=1)


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    section = Section(
        f"Approvals through two workers ({size.approvals} a round, {CLIENTS} at once)",
        floors=2,
        per_second=True,
    )
    section.notes.append(
        f"{size.lent:,} tools: {CLIENTS} lenders, each with a borrower; they share the board's "
        "rows and nothing else. One tool: all its approvals wait for its row"
    )
    async with AsyncExitStack() as stack:
        *pairs, hot = await _move_in(stack, ground, size.lent // CLIENTS)
        idle = [await connection(stack) for _ in range(CLIENTS)]
        await idle[0].execute("CREATE TABLE measured (at timestamptz NOT NULL)")
        approved = 0

        async def round_once() -> None:
            nonlocal approved
            for name, sql in (
                ("BEGIN, COMMIT", ""),
                ("BEGIN, INSERT of one row, COMMIT", "INSERT INTO measured VALUES (now())"),
            ):
                count = size.empties
                section.add(name, rate(count, await transactions(idle, sql, count)))
            await asyncio.gather(*(pair.ask(size.approvals // CLIENTS) for pair in pairs))
            await hot.ask(size.approvals)
            # Opens the workers' connections, as a lender who looks before answering does.
            await asyncio.gather(*(pair.browser.get(pair.lender.home) for pair in pairs))
            took = await timed([pair.approve_all() for pair in pairs])
            section.add(f"POST …/approval, {size.lent:,} tools", rate(size.approvals, took))
            took = await timed([hot.approve_all()])
            section.add("POST …/approval, one hot tool", rate(size.approvals, took))
            approved += 2 * size.approvals
            assert await _approved(pairs) == approved, "each was approved"

        yield section, round_once


async def _move_in(stack: AsyncExitStack, ground: Ground, tools: int) -> list[Pair]:
    """Pairs with so many tools each, and last the one with the hot tool."""

    def window(number: int, lender: Neighbour) -> Browser:
        browser = Browser(ground.workers[number % 2], lender.cookie)
        stack.callback(browser.close)
        return browser

    pairs: list[Pair] = []
    *many, last = await neighbours.street_of(CLIENTS + 1)
    for number, (lender, borrower) in enumerate(many):
        pair = Pair(lender, borrower, window(number, lender))
        pair.tools = await neighbours.list_many(lender, f"Drill {number}", tools)
        pairs.append(pair)
    windows = [window(number, last[0]) for number in range(CLIENTS)]
    hot = Hot(*last, windows[0], browsers=windows)
    hot.tools = await neighbours.list_many(last[0], "The only chainsaw", 1)
    return [*pairs, hot]


async def connection(stack: AsyncExitStack) -> asyncpg.Connection:
    connection = await asyncpg.connect(settings.database_url.replace("+asyncpg", ""))
    stack.push_async_callback(connection.close)
    return connection


async def transactions(idle: Sequence[asyncpg.Connection], sql: str, count: int) -> float:
    """Seconds for so many transactions, spread over the connections."""

    async def run(connection: asyncpg.Connection) -> None:
        for _ in range(count // len(idle)):
            async with connection.transaction():
                if sql:
                    await connection.execute(sql)

    return await timed([run(connection) for connection in idle])


async def timed(work: Sequence[Awaitable[None]]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*work)
    return time.perf_counter() - began


async def _approved(pairs: Sequence[Pair]) -> int:
    here = pairs[0].lender.viewer.community_id
    done = (Loan.community_id == here, Loan.state == State.APPROVED)
    async with db.snapshot() as tx:
        return await tx.scalar(select(func.count()).select_from(Loan).where(*done)) or 0
