"""One of several processes that do acts as the app does them: `python -m bench.live.touching FD`.

A line in says what is touched and how many acts are wanted; a line out says that they are done.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys

import sqlalchemy as sa
import uvloop
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.realtime import touch, versions

TOOLS = 1000
CLIENTS = 8
ACT = sa.text("UPDATE tool SET said = said + 1 WHERE id = :tool")

versions.stripe("board", 16)  # as the app's counters are


def touched_by(what: str, tool: int) -> tuple[str, ...]:
    match what:
        case "one":
            return f"c1/tool/{tool}", "c1/board"
        case "many":
            return f"c{tool}/tool/{tool}", f"c{tool}/board"
        case _:
            return ()


async def act(sessions: async_sessionmaker[AsyncSession], what: str) -> None:
    tool = random.randint(1, TOOLS)
    async with sessions() as tx, tx.begin():
        await tx.execute(ACT, {"tool": tool})
        touch(tx, *touched_by(what, tool))
        await versions.flush(tx)


async def main(fd: int) -> None:
    engine = create_async_engine(
        os.environ["BENCH_DATABASE"], pool_size=CLIENTS, max_overflow=0, pool_pre_ping=True
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    while line := await reader.readline():
        what, count = line.decode().split()
        left = iter(range(int(count)))

        async def client(what: str = what, left: object = left) -> None:
            for _ in left:  # type: ignore[attr-defined]
                await act(sessions, what)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        writer.write(b"done\n")
    await engine.dispose()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
