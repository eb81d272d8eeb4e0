"""Resident memory of a server for each socket, with all that a browser sends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bench.live import profile
from bench.live.contest import OURS, PLAIN, Stage
from bench.live.programs import Sink
from bench.live.servers import Server
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


@dataclass(frozen=True)
class Case:
    """Sockets at a fresh server; `topics` as Sink.open has them."""

    count: int
    topics: tuple[int, int, int]
    pads: int
    base: dict[int, int]

    async def open(self, sink: Sink, server: Server, count: int, person: int) -> None:
        await sink.open(
            count,
            server.port,
            topics=self.topics,
            pads=self.pads,
            base=self.base,
            person=person,
            offer=True,
        )

    async def kept(self, stage: Stage, server: Server) -> float:
        """kB a socket."""
        async with Sink(stage.ground.programs) as warming:
            await self.open(warming, server, WARM, person=1)
        before = await _settled(server)
        await self.open(await stage.sink(), server, self.count, person=1 + WARM)
        return (await _settled(server) - before) / self.count / 1000


async def measure(table: Table, stage: Stage, few: int, many: int) -> list[str]:
    """Answers where it goes, of the many."""
    base = await stage.acts.versions()
    three, sixty = Case(many, (0, 50, 1), 2, base), Case(few, (0, 50, 50), 10, base)
    async with stage.scene() as scene:
        server = scene.ours()
        before = await server.post("/objects")
        kept = await three.kept(scene, server)
        where = profile.of_memory(before, await server.post("/objects"), many, kept)
        table.add(ours(many, 3), kept)
    async with stage.scene() as scene:
        table.add(ours(few, 60), await sixty.kept(scene, scene.ours()))
    async with stage.scene() as scene:
        table.add(plain(many), await three.kept(scene, scene.plain()))
    return where


async def _settled(server: Server) -> int:
    await server.post("/settle")
    await asyncio.sleep(SETTLING)
    await server.post("/settle")
    return server.resident()
