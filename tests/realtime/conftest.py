"""Fixtures of the engine's own tests: a world in a fresh database each, and workers in it."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests import servers
from tests.realtime import world as worlds
from tests.realtime.virtual import VirtualLoop, virtual_time

numbers = itertools.count(1)


@pytest.fixture
async def world(database: str, valkey: servers.Redis) -> AsyncIterator[worlds.World]:
    async with worlds.made(database, valkey.url, f"engine_test{next(numbers)}") as world:
        yield world


@pytest.fixture
async def worker(world: worlds.World) -> worlds.Worker:
    return await world.worker()


@pytest.fixture
async def room(world: worlds.World) -> worlds.World:
    """Persons 1 and 2 sit in a room; 3 belongs elsewhere."""
    await world.sit("1", 1, 2)
    return world


@pytest.fixture
async def patient(room: worlds.World) -> tuple[worlds.Worker, worlds.Worker]:
    """Two workers on which nobody vanishes by themselves as long as a test may last."""
    lasting = {"here_for": 60.0, "typing_for": 60.0}
    return await room.worker(**lasting), await room.worker(**lasting)


@pytest.fixture
async def other(world: worlds.World, worker: worlds.Worker) -> worlds.Worker:
    """A second worker: what the first commits reaches it by Redis or by its own compare."""
    return await world.worker()


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    with virtual_time(every_turn=True) as loop:
        yield loop
