"""Screens that stop reading, at a server that has others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.live.contest import Stage
from bench.live.programs import Sink
from bench.live.servers import Ours
from bench.live.thing import LARGE

FILL = 60  # large frames: 4 MB for each, more than the kernel and the engine keep
WATCHED = (LARGE - 49, 50, 50)  # the large topic, and most of those that the others watch
PERSON = 50_000
NARROW = 4096  # bytes that the kernel keeps on the reader's side


@asynccontextmanager
async def readers(stage: Stage, server: Ours, count: int) -> AsyncIterator[None]:
    """Their buffers are full when this is entered."""
    acts = stage.acts
    async with Sink(stage.ground.programs) as sink, Sink(stage.ground.programs) as witness:
        base = await acts.versions()
        await sink.open(count, server.port, topics=WATCHED, base=base, person=PERSON, buffer=NARROW)
        await witness.open(1, server.port, topics=(LARGE, 1, 1), base=base, person=PERSON + count)
        sink.say("stall")
        await sink.counted()
        for _ in range(FILL):
            await witness.arrival(LARGE, await acts.change("x", LARGE))
        yield
