"""The page of `bin/bench live`: blocks of interleaved rounds, one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import machine
from bench.ground import say
from bench.live import (
    burst,
    catchup,
    chart,
    compression,
    cores,
    deliveries,
    goals,
    ground,
    latency,
    memory,
    slow,
    touches,
)
from bench.live.acts import Acts
from bench.live.contest import FLOOR, OURS, PLAIN, Contestant, Stage
from bench.live.cores import CLIENT
from bench.live.ground import Ground
from bench.live.size import ENOUGH, LONGEST, QUICK, Size
from bench.live.table import Table

__all__ = ("LONGEST", "measured")
Once = Callable[[], Awaitable[None]]


@dataclass
class Page:
    """All tables, and the measuring of them."""

    ground: Ground
    acts: Acts
    size: Size

    def __post_init__(self) -> None:
        size = self.size
        self.few = deliveries.table(size.few)
        self.many = deliveries.table(size.many)
        self.latency = latency.table(size.few)
        self.burst = burst.table(size.few, size.burst)
        self.memory = memory.table()
        self.catchup = catchup.table(size.back)
        self.touches = touches.table()
        self.compression = compression.table(size.few)

    @property
    def tables(self) -> list[Table]:
        return [
            *(self.few, self.many, self.latency, self.burst),
            *(self.memory, self.catchup, self.touches, self.compression),
        ]

    async def measure(self) -> None:
        await self._few()
        await self._many()
        say("Memory")
        size = self.size
        await memory.measure(self.memory, self.ground, self.acts, size.sixty, size.many)
        await self._back()
        await self._touches()

    async def _rounds(self, name: str, seconds: int, once: Once) -> None:
        """As many as are wanted, or as the time allows; one at least."""
        began = time.monotonic()
        for number in range(self.size.rounds):
            say(f"{name}: round {number + 1} of {self.size.rounds}")
            await once()
            used = time.monotonic() - began
            if used + used / (number + 1) > seconds:
                break

    async def _few(self) -> None:
        size = self.size
        async with Stage(self.ground, self.acts) as stage:
            say(f"Opening {size.few} screens at each server")
            floor, plain = await stage.floor_with(size.few), await stage.plain_with(size.few)
            ours = await stage.ours_with(size.few)
            other = stage.ours(CLIENT)
            offering = await compression.opened(stage, size.few, ours.server)
            contestants: dict[str, Contestant] = {FLOOR: floor, PLAIN: plain, OURS: ours}

            async def once() -> None:
                await deliveries.once(self.few, contestants, size.changes)
                await burst.written(self.burst, FLOOR, floor, size.burst)
                await burst.written(self.burst, PLAIN, plain, size.burst)
                await burst.acted(self.burst, ours, size.burst)
                await latency.written(self.latency, FLOOR, floor, size.paced)
                await latency.written(self.latency, PLAIN, plain, size.paced)
                for name, by in ((latency.OTHER, other), (latency.OWN, ours.server)):
                    await latency.acted(self.latency, name, ours, by, size.paced)
                async with slow.readers(stage, ours.server, size.slow):
                    await latency.acted(self.latency, latency.SLOW, ours, other, size.paced)
                await compression.once(self.compression, offering, size.changes)

            await self._rounds("few", size.seconds_few, once)

    async def _many(self) -> None:
        size = self.size
        async with Stage(self.ground, self.acts) as stage:
            say(f"Opening {size.many} screens at each server")
            contestants: dict[str, Contestant] = {
                FLOOR: await stage.floor_with(size.many),
                PLAIN: await stage.plain_with(size.many),
                OURS: await stage.ours_with(size.many),
            }
            await self._rounds(
                "many",
                size.seconds_many,
                lambda: deliveries.once(self.many, contestants, size.changes_to_many),
            )

    async def _back(self) -> None:
        async with Stage(self.ground, self.acts) as stage:
            say(f"Opening {self.size.back} screens")
            ours = await catchup.opened(stage, self.size.back)
            await self._rounds(
                "back",
                self.size.seconds_back,
                lambda: catchup.once(self.catchup, ours, self.ground),
            )

    async def _touches(self) -> None:
        async with touches.actors(self.ground) as pair:
            await self._rounds(
                "touches",
                self.size.seconds_touches,
                lambda: touches.once(self.touches, pair, self.size.acts),
            )


def _facts(here: Ground, scarce: str) -> Iterator[str]:
    """How it was measured."""
    if cores.apart():
        yield f"The server alone on core {cores.SERVER}; the screens, PostgreSQL, Valkey, the other"
        yield f"worker and the measurement on core {CLIENT}; all over loopback"
    else:
        yield "One core only: servers and screens take turns on it, so look at the CPU columns"
    if not here.programs.compiled:
        yield "No C compiler (cc) was found: floor and screens are Python, so the floor is too high"
        yield "and the screens are slow; look at the CPU columns"
    if scarce:
        yield scarce


def measured(quick: bool, file: Path | None) -> None:
    """Measures all of it, and prints the page."""
    size, scarce = (QUICK if quick else Size()).within(cores.raise_the_limit())
    with ground.opened() as here, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measured(here, size, scarce, file))


async def _measured(here: Ground, size: Size, scarce: str, file: Path | None) -> None:
    began = time.monotonic()
    await ground.furnish(here.postgres.url)
    facts = await machine.facts(here.postgres.url, here.valkey.url, here.folder)
    async with Acts(here.postgres.url) as acts:
        page = Page(here, acts, size)
        try:
            async with asyncio.timeout(ENOUGH - (time.monotonic() - began)):
                await page.measure()
        except TimeoutError as error:
            say(f"Stopped before the end: {error or 'the time was up'}")
    print("The live engine, measured\n")
    print(*facts, *_facts(here, scarce), sep="\n")
    for table in page.tables:
        if not any(table.rows.values()):
            continue
        print()
        print(*table.lines(), sep="\n")
    picture = chart.panels(page)
    print()
    print(*chart.text(picture), sep="\n")
    print()
    print(*goals.lines(page), sep="\n")
    if file:
        file.write_text(chart.svg(picture))
