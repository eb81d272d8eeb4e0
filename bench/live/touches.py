"""What a touch costs the act that makes it: commits a second with and without."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bench.live import cores
from bench.live.ground import Ground
from bench.live.programs import Program
from bench.live.table import Column, Table
from bench.live.touching import CLIENTS, TOOLS

NONE, ONE, MANY = (
    "an UPDATE, no touch",
    "and two touches, one community",
    f"and two touches, {TOOLS:,} communities",
)
WAYS = {NONE: "none", ONE: "one", MANY: "many"}
MAKE = (
    "CREATE TABLE tool (id int PRIMARY KEY, said int NOT NULL)",
    f"INSERT INTO tool SELECT n, 0 FROM generate_series(1, {TOOLS}) n",
)


class Actor(Program):
    """A process that acts, as touching.py describes."""

    def __init__(self, core: int) -> None:
        super().__init__([sys.executable, "-m", "bench.live.touching"], core)
        self._done: asyncio.Future[None] | None = None

    async def act(self, what: str, count: int) -> None:
        self._done = asyncio.get_running_loop().create_future()
        self.say(f"{what} {count}")
        await self._done

    def hear(self, words: list[str]) -> None:
        assert self._done, "it was asked"
        self._done.set_result(None)

    def gone(self) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(RuntimeError("an actor has ended"))


def table() -> Table:
    return Table(
        f"Acts on {TOOLS:,} tools, {2 * CLIENTS} clients in two processes: commits a second",
        (Column("a second", "A", "rate"),),
        names=tuple(WAYS),
        notes=[
            "BEGIN, the UPDATE, the engine's own touch and flush, COMMIT, durable, on bare",
            "    connections; touched are the tool's card and the community's counters, which are",
            "    spread over 16 rows; here PostgreSQL and the clients have both cores",
        ],
    )


@asynccontextmanager
async def actors(ground: Ground) -> AsyncIterator[list[Actor]]:
    for sql in MAKE:
        ground.postgres.run(sql, database="toolshare")
    cores.spread(ground.postgres.process.pid)
    async with AsyncExitStack() as stack:
        pair = [Actor(core) for core in (cores.SERVER, cores.CLIENT)]
        for one in pair:
            await stack.enter_async_context(one)
        await asyncio.gather(*(one.act("one", 20 * CLIENTS) for one in pair))  # they have connected
        yield pair


async def once(table: Table, pair: list[Actor], count: int) -> None:
    for name, what in WAYS.items():
        began = time.monotonic()
        await asyncio.gather(*(one.act(what, count // len(pair)) for one in pair))
        table.add(name, count / (time.monotonic() - began))
