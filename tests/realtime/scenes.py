"""Single scenes in a town in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .ground import InMemory, at_once
from .onlooker import Onlooker
from .town import Town
from .virtual import VirtualLoop

THING, OTHER = "t1/thing/1", "t1/thing/2"
Scene = Callable[[Town], Awaitable[None]]


def play(loop: VirtualLoop, scene: Scene, **limits: Any) -> None:
    """In a town with one engine, whose three people may all hear t1."""

    async def it() -> None:
        town = Town(InMemory(at_once), engines=1, **limits)
        await town.start()
        for person in (1, 2, 3):
            await town.allow(person, "t1")
        await town.write(THING, "first")
        await scene(town)
        assert not town.faults
        await town.stop()

    loop.do(it())


async def screen_of(town: Town, person: int, *topics: str) -> Onlooker:
    screen = Onlooker(town, 0, person)
    await screen.open()
    screen.watch({topic: town.now.version(topic) for topic in topics})
    await asyncio.sleep(0.1)
    assert screen.lives == {1}
    return screen
