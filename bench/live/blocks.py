"""What is measured, block after block: the servers of a block live side by side, and its rounds
interleave all that it measures."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bench.ground import say
from bench.live import (
    burst,
    catchup,
    compression,
    cores,
    deliveries,
    latency,
    memory,
    profile,
    slow,
    touches,
)
from bench.live.acts import Acts
from bench.live.contest import FLOOR, OURS, PLAIN, Contestant, Stage
from bench.live.cores import CLIENT
from bench.live.ground import Ground
from bench.live.size import Size
from bench.live.table import Table

Once = Callable[[], Awaitable[None]]


@dataclass
class Blocks:
    ground: Ground
    acts: Acts
    size: Size
    others: list[str] = field(default_factory=list)  # who else was on the server's core
    time_goes: list[str] = field(default_factory=list)
    memory_goes: list[str] = field(default_factory=list)

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

    async def measure(self, names: Sequence[str] = ()) -> None:
        """All of it, or the named blocks."""
        blocks = {
            "few": self._few,
            "many": self._many,
            "compression": self._compression,
            "memory": self._memory,
            "back": self._back,
            "touches": self._touches,
        }
        wanted = [name for name in blocks if name in names or not names]
        busy = cores.Others()
        for name in wanted:
            async with Stage(self.ground, self.acts) as stage:
                await blocks[name](stage)
            if name != "touches":  # there PostgreSQL, which is no server of ours, may use that core
                self.others = [busy.line()]

    async def _rounds(self, what: str, seconds: int, once: Once) -> None:
        """As many as are wanted, or as the time allows; one at least."""
        began = time.monotonic()
        for number in range(self.size.rounds):
            say(f"{what}: round {number + 1} of {self.size.rounds}")
            await once()
            used = time.monotonic() - began
            if used + used / (number + 1) > seconds:
                break

    async def _few(self, stage: Stage) -> None:
        size = self.size
        say(f"Opening {size.few:,} screens at each server")
        floor, plain = await stage.floor_with(size.few), await stage.plain_with(size.few)
        ours, other = await stage.ours_with(size.few), stage.ours(CLIENT)
        contestants: dict[str, Contestant] = {FLOOR: floor, PLAIN: plain, OURS: ours}

        async def once() -> None:
            await deliveries.once(self.few, contestants, size.changes)
            await burst.written(self.burst, FLOOR, floor, size.burst)
            await burst.written(self.burst, PLAIN, plain, size.burst)
            await burst.acted(self.burst, ours, size.burst)
            for name, contestant in ((FLOOR, floor), (PLAIN, plain)):
                async with ours.server.still(), other.still():
                    await latency.written(self.latency, name, contestant, size.paced)
            for name, by in ((latency.OTHER, other), (latency.OWN, ours.server)):
                await latency.acted(self.latency, name, ours, by, size.paced)
            async with slow.readers(stage, ours.server, size.slow):
                await latency.acted(self.latency, latency.SLOW, ours, other, size.paced)

        await self._rounds(f"{size.few:,} screens", size.seconds_few, once)
        self.time_goes = await profile.of_changes(ours, size.changes)

    async def _many(self, stage: Stage) -> None:
        size = self.size
        say(f"Opening {size.many:,} screens at each server")
        contestants: dict[str, Contestant] = {
            FLOOR: await stage.floor_with(size.many),
            PLAIN: await stage.plain_with(size.many),
            OURS: await stage.ours_with(size.many),
        }
        await self._rounds(
            f"{size.many:,} screens",
            size.seconds_many,
            lambda: deliveries.once(self.many, contestants, size.changes_to_many),
        )

    async def _compression(self, stage: Stage) -> None:
        size = self.size
        say(f"Opening {size.few:,} screens with compression, and as many without")
        offerings = await compression.opened(stage, size.few)
        await self._rounds(
            "compression",
            size.seconds_compressed,
            lambda: compression.once(self.compression, offerings, size.changes),
        )

    async def _memory(self, stage: Stage) -> None:
        say("Memory")
        size = self.size
        self.memory_goes = await memory.measure(self.memory, stage, size.sixty, size.many)

    async def _back(self, stage: Stage) -> None:
        size = self.size
        say(f"Opening {size.back:,} screens")
        ours = await catchup.opened(stage, size.back)
        plain = await stage.plain_with(size.back)
        await self._rounds(
            "coming back",
            size.seconds_back,
            lambda: catchup.once(self.catchup, ours, plain, self.ground),
        )

    async def _touches(self, stage: Stage) -> None:
        async with touches.actors(self.ground) as pair:
            await self._rounds(
                "touches",
                self.size.seconds_touches,
                lambda: touches.once(self.touches, pair, self.size.acts),
            )
