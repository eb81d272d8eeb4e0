"""Resident memory of a server for each socket, with all that a browser sends."""

from __future__ import annotations

import asyncio

from bench.live.acts import Acts
from bench.live.contest import OURS, PLAIN, Stage
from bench.live.ground import Ground
from bench.live.programs import Sink
from bench.live.servers import Ours, Plain
from bench.live.table import Column, Table

SETTLING = 1.0  # seconds
WARM = 50  # sockets that come and go first, so that what is loaded late is not counted


def table() -> Table:
    return Table(
        "Resident memory a socket, in kB",
        (Column("kB"),),
        floors=0,
        enough=1,
        notes=[
            "a browser's headers of 1 kB, compression offered; each screen another person",
            f"measured once: when {WARM} sockets have come and gone, and when the others are in,",
            "    each time after a garbage collection",
        ],
    )


def ours(count: int, topics: int) -> str:
    return f"{OURS}, {count:,} sockets with {topics} topics"


def plain(count: int) -> str:
    return f"{PLAIN}, {count:,} sockets"


async def measure(table: Table, ground: Ground, acts: Acts, few: int, many: int) -> None:
    base = await acts.versions()
    for name, count, topics, pads in (
        (ours(many, 3), many, (0, 50, 1), 2),
        (ours(few, 60), few, (0, 50, 50), 10),
    ):
        async with Stage(ground, acts) as stage:
            table.add(name, await _a_socket(stage, stage.ours(), count, topics, pads, base))
    async with Stage(ground, acts) as stage:
        kept = await _a_socket(stage, stage.plain(), many, (0, 50, 1), 2, base)
        table.add(plain(many), kept)


async def _a_socket(
    stage: Stage,
    server: Ours | Plain,
    count: int,
    topics: tuple[int, int, int],
    pads: int,
    base: dict[int, int],
) -> float:
    async with Sink(stage.ground.programs) as first:
        await first.open(WARM, server.port, topics=topics, pads=pads, base=base, offer=True)
    before = await _settled(server)
    sink = await stage.sink()
    await sink.open(
        count, server.port, topics=topics, pads=pads, base=base, offer=True, person=1000
    )
    return (await _settled(server) - before) / count / 1000


async def _settled(server: Ours | Plain) -> int:
    await server.post("/settle")
    await asyncio.sleep(SETTLING)
    await server.post("/settle")
    return server.resident()
