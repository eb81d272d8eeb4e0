"""One of several processes that do acts as fast as they can: `python -m bench.live.touching FD`.

A line in says what is touched and how many acts are wanted; a line out says that they are done.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import asyncpg
import sqlalchemy as sa
import uvloop
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncSession

from app.realtime import touch, versions

TOOLS = 1000
CLIENTS = 8
ACT = "UPDATE tool SET said = said + 1 WHERE id = $1"

versions.stripe("board", 16)  # as the app's counters are


class Rows(list[Any]):
    def all(self) -> Rows:
        return self


class Thin:
    """What the engine's touch and flush need of a session, on a bare connection: so it is the
    database that is waited for, and not the library between."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.info: dict[str, Any] = {}
        self._connection = connection

    async def flush(self) -> None:
        """There is nothing that it has not written."""

    async def execute(self, statement: sa.TextClause, values: Mapping[str, Any]) -> Rows:
        sql, names = _plain(statement)
        return Rows(await self._connection.fetch(sql, *(values[name] for name in names)))


@cache
def _plain(statement: sa.TextClause) -> tuple[str, list[str]]:
    """As the driver wants it, and its parameters in order."""
    compiled = cast(Any, statement.compile(dialect=dialect.dialect()))  # type: ignore[no-untyped-call]
    return str(compiled), list(compiled.positiontup)


def touched_by(what: str, tool: int) -> tuple[str, ...]:
    match what:
        case "one":
            return f"c1/tool/{tool}", "c1/board"
        case "many":
            return f"c{tool}/tool/{tool}", f"c{tool}/board"
        case _:
            return ()


async def act(connection: asyncpg.Connection, what: str) -> None:
    tool = random.randint(1, TOOLS)
    async with connection.transaction():
        await connection.execute(ACT, tool)
        tx = cast(AsyncSession, Thin(connection))
        touch(tx, *touched_by(what, tool))
        await versions.flush(tx)


async def client(connection: asyncpg.Connection, what: str, left: Iterator[int]) -> None:
    for _ in left:
        await act(connection, what)


async def main(fd: int) -> None:
    url = os.environ["BENCH_DATABASE"].replace("+asyncpg", "")
    connections = [await asyncpg.connect(url) for _ in range(CLIENTS)]
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    while line := await reader.readline():
        what, count = line.decode().split()
        left = iter(range(int(count)))
        await asyncio.gather(*(client(one, what, left) for one in connections))
        writer.write(b"done\n")
    for one in connections:
        await one.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
