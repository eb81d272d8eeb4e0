"""Fixtures of the engine's own tests: real servers, and a world of a fresh database each."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from app import embedded
from tests.realtime import world as worlds

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Postgres]:
    server = embedded.start_postgres(tmp_path_factory.mktemp("pg"), durable=False)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    server = embedded.start_valkey(tmp_path_factory.mktemp("vk"))
    yield server
    server.stop()


@pytest.fixture
def database(postgres: embedded.Postgres) -> str:
    return embedded.create_database(postgres, f"realtime_{next(numbers)}_test")


@pytest.fixture
async def world(database: str, valkey: embedded.Server) -> AsyncIterator[worlds.World]:
    async with worlds.made(database, valkey.url, f"test{next(numbers)}") as world:
        yield world


@pytest.fixture
async def worker(world: worlds.World) -> worlds.Worker:
    return await world.worker()


@pytest.fixture
async def other(world: worlds.World, worker: worlds.Worker) -> worlds.Worker:
    """A second worker: what the first commits reaches it by Redis or by its own compare."""
    return await world.worker()
