"""Servers, a migrated database, two workers, and neighbours who live in a street of their own."""

from __future__ import annotations

from tests import servers

POSTGRES, REDIS, FOLDER, NOON = servers.start()  # before the app's settings are read

import asyncio  # noqa: E402
import itertools  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402
from collections.abc import AsyncIterator, Generator, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import asyncpg  # noqa: E402
import pytest  # noqa: E402

from app.embedded import create_database  # noqa: E402

MIGRATED = "template_test"
MAIN = "neighbours_test"


def _prepare() -> None:
    """A migrated template, and the database of this run copied from it."""
    os.environ["DATABASE_URL"] = POSTGRES.url_of(MAIN)
    from app import migrations

    for name in (MAIN, MIGRATED):
        POSTGRES.run(f"DROP DATABASE IF EXISTS {name}")
    template = create_database(POSTGRES, MIGRATED)  # type: ignore[arg-type]
    asyncio.run(migrations.upgrade(template))
    create_database(POSTGRES, MAIN, template=MIGRATED)  # type: ignore[arg-type]


_prepare()

from app import clock, db  # noqa: E402
from app.queue import ClockMark  # noqa: E402
from tests.clocks import Clock  # noqa: E402
from tests.neighbours import Street, found_street  # noqa: E402
from tests.workers import Worker, start_worker  # noqa: E402

numbers = itertools.count(1)


left_out: set[str] = set()
NOT_IN_COMPOSE = Path(__file__).with_name("not_in_compose.txt")
ALONE = Path(__file__).with_name("alone.txt")
FIRST = Path(__file__).with_name("first.txt")


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest first and marks what runs alone. Where compose gives the servers, what needs
    servers of its own or a browser is left out.
    """
    places = {file: place for place, file in enumerate(_lines(FIRST))}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))
    alone = tuple(_lines(ALONE))
    for item in items:
        if item.nodeid.startswith(alone):
            item.add_marker(pytest.mark.alone)
    if not servers.GIVEN:
        return
    for line in _lines(NOT_IN_COMPOSE):
        file, _, reason = line.partition(" ")
        matching = [item for item in items if item.nodeid.startswith(file)]
        assert matching, f"{NOT_IN_COMPOSE.name} names {file}, which is not there"
        for item in matching:
            left_out.add(item.nodeid)
            item.add_marker(pytest.mark.skip(reason=f"not in compose: {reason.strip()}"))


def _lines(names: Path) -> list[str]:
    return [one for one in names.read_text().splitlines() if one and not one.startswith("#")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In compose and in CI a skip that is not on the list is a failure: nothing hides."""
    report = yield
    strict = servers.GIVEN or os.environ.get("CI")
    known = item.nodeid in left_out or hasattr(report, "wasxfail")
    if report.skipped and strict and not known:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


def pytest_sessionfinish() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> servers.Postgres:
    return POSTGRES


@pytest.fixture(scope="session")
def valkey() -> servers.Redis:
    return REDIS


def _drop(name: str) -> None:
    """Autovacuum may be in it: only a superuser may end that by force, but a plain DROP waits."""
    for force in (" WITH (FORCE)", "", " WITH (FORCE)"):
        try:
            POSTGRES.run(f"DROP DATABASE IF EXISTS {name}{force}")
            return
        except (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectInUseError) as error:
            refusal = error
    raise refusal


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a migrated database that only this test has."""
    name = f"own_{next(numbers)}_test"
    yield create_database(POSTGRES, name, template=MIGRATED)  # type: ignore[arg-type]
    _drop(name)


@pytest.fixture(scope="session", autouse=True)
async def _pool() -> AsyncIterator[None]:
    yield
    await db.engine.dispose()


@pytest.fixture
async def tx() -> AsyncIterator[db.Tx]:
    """A transaction that is rolled back: for rules and commands without HTTP or sockets."""
    async with db.sessions() as session:
        await session.begin()
        yield session
        await session.rollback()


@pytest.fixture(scope="session")
async def workers() -> AsyncIterator[tuple[Worker, Worker]]:
    """Two web workers on one database and one Redis, as real processes with their own ports."""
    first = await start_worker("first")
    second = await start_worker("second")
    yield first, second
    await first.stop()
    await second.stop()


@pytest.fixture
async def street(workers: tuple[Worker, Worker]) -> AsyncIterator[Street]:
    """A community of its own with ada (lends), ben (borrows), cy (waits), cora (coordinates)."""
    async with found_street(workers) as made:
        yield made


@pytest.fixture
async def the_clock() -> AsyncIterator[Clock]:
    """Moves the clock of this process and of both workers; back afterwards."""
    shifted = Clock(FOLDER / "clock", NOON)
    yield shifted
    shifted.back()
    # The workers would find their mark in the future and touch every board there is, in the
    # middle of the next test: so it goes back too, once a tick that is under way is through.
    async with db.begin() as tx:
        mark = await tx.get(ClockMark, "boards", with_for_update=True)
        if mark is not None:
            mark.done_until = min(mark.done_until, clock.now())
