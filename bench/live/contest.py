"""Who is compared: the floor, the plain loop and our engine, each with so many screens."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import NamedTuple, Protocol, TypeVar

from app.realtime.topics import frame, stamp
from bench.live import cores
from bench.live.acts import Acts
from bench.live.ground import Ground
from bench.live.programs import Arrival, Floor, Sink
from bench.live.servers import Ours, Plain, Server, listening
from bench.live.thing import card

S = TypeVar("S", bound=Server)
FLOOR, PLAIN, OURS = "floor", "FastAPI loop", "ours"
ALL = (0, 50, 50)  # every screen watches the same fifty topics
LANES = 8  # changes in flight, each to a topic that has none


class Contestant(Protocol):
    """A server, and the screens at it."""

    sink: Sink

    def cpu(self) -> float: ...

    async def writes(self) -> int:
        """System calls that wrote, until now."""

    async def change(self, topic: int) -> Arrival:
        """One change; returns when every screen has it."""

    async def flow(self, changes: int) -> None:
        """So many changes, none of which may be left out, without waiting for each."""


class Written(ABC):
    """What has no versions of its own: the frame that ours would make, numbered here."""

    @abstractmethod
    def cpu(self) -> float: ...

    @abstractmethod
    async def writes(self) -> int: ...

    def __init__(self, sink: Sink, write: Callable[[str, int], Awaitable[object]]) -> None:
        self.sink, self._write = sink, write
        self._versions = dict.fromkeys(range(64), 1)

    async def change(self, topic: int) -> Arrival:
        version = await self.write(topic)
        return await self.sink.arrival(topic, version)

    async def flow(self, changes: int) -> None:
        await self.write(0, changes - 1)
        await self.change(0)

    async def write(self, topic: int, times: int = 1) -> int:
        version = self._versions[topic] = self._versions[topic] + 1
        name = f"t1/x/{topic}"
        html = stamp(card(str(topic), version), name, version)
        await self._write(frame(topic=name, version=version, html=html), times)
        return version


class FloorWritten(Written):
    def __init__(self, sink: Sink, floor: Floor) -> None:
        super().__init__(sink, floor.write)
        self._floor = floor
        self._pid = floor.child.pid

    def cpu(self) -> float:
        return cores.cpu(self._pid)

    async def writes(self) -> int:
        return self._floor.sent * self.sink.count


class PlainWritten(Written):
    def __init__(self, sink: Sink, server: Plain) -> None:
        super().__init__(sink, lambda text, times: server.post(f"/write/{times}", text.encode()))
        self.server = server

    def cpu(self) -> float:
        return self.server.cpu()

    async def writes(self) -> int:
        return cores.writes(self.server.child.pid)


class OursActed:
    def __init__(self, sink: Sink, server: Ours, acts: Acts) -> None:
        self.sink, self.server, self.acts = sink, server, acts

    def cpu(self) -> float:
        return self.server.cpu()

    async def writes(self) -> int:
        """As the engine counts them: the kernel's count leaves `send` out."""
        return int((await self.server.post("/counted")).get("writes", 0))

    async def change(self, topic: int) -> Arrival:
        version = await self.acts.change("x", topic)
        return await self.sink.arrival(topic, version)

    async def flow(self, changes: int) -> None:
        async def lane(topic: int) -> None:
            for _ in range(changes // LANES):
                await self.change(topic)

        await asyncio.gather(*(lane(topic) for topic in range(LANES)))


class Cost(NamedTuple):
    """What a part of a round took."""

    seconds: float
    cpu: float
    writes: int


async def taking(contestant: Contestant) -> Callable[[], Awaitable[Cost]]:
    """Asked at the end, it says what was taken since."""
    writes = await contestant.writes()
    began, cpu = time.monotonic(), contestant.cpu()

    async def taken() -> Cost:
        seconds, used = time.monotonic() - began, contestant.cpu() - cpu
        return Cost(seconds, used, await contestant.writes() - writes)

    return taken


class Stage:
    """Starts servers and screens, and ends them all."""

    def __init__(self, ground: Ground, acts: Acts) -> None:
        self.ground, self.acts = ground, acts
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Stage:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def scene(self) -> Stage:
        """A stage on the same ground, for something that comes and goes."""
        return Stage(self.ground, self.acts)

    async def sink(self) -> Sink:
        return await self._stack.enter_async_context(Sink(self.ground.programs))

    def ours(self, core: int = cores.SERVER) -> Ours:
        return self._ended(Ours(self.ground.folder, listening(), core))

    def plain(self) -> Plain:
        return self._ended(Plain(self.ground.folder, listening(), cores.SERVER))

    def _ended(self, server: S) -> S:
        self._stack.callback(server.end)
        return server

    async def floor_with(self, count: int) -> FloorWritten:
        with listening() as listener:
            floor = Floor(self.ground.programs, listener)
            port = listener.getsockname()[1]
            await self._stack.enter_async_context(floor)
            sink = await self.sink()
            await sink.open(count, port, base=dict.fromkeys(range(64), 1))
        return FloorWritten(sink, floor)

    async def plain_with(self, count: int) -> PlainWritten:
        server, sink = self.plain(), await self.sink()
        await sink.open(count, server.port, base=dict.fromkeys(range(64), 1))
        return PlainWritten(sink, server)

    async def ours_with(
        self, count: int, topics: tuple[int, int, int] = ALL, *, server: Ours | None = None
    ) -> OursActed:
        server, sink = server or self.ours(), await self.sink()
        await sink.open(count, server.port, topics=topics, base=await self.acts.versions())
        return OursActed(sink, server, self.acts)
