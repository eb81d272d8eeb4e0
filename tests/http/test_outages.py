"""A database that is away, busy or read-only means "try again in a moment"; our bugs do not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app import db
from tests.http.conftest import Ask, Build

Act = Callable[[], Awaitable[object]]


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database, pool_size=1, max_overflow=0, pool_timeout=0.1)
    yield engine
    await engine.dispose()


async def status_of(build: Build, ask: Ask, act: Act) -> int:
    """What a browser gets if a page does this; 503 must say when to come back."""
    app: FastAPI = build()

    @app.get("/page")
    async def page() -> None:
        await act()

    async with ask(app) as browser:
        answer = await browser.get("/page", headers={"accept": "text/html"})
    if answer.status_code == 503:
        assert "again in a moment" in answer.text
        assert int(answer.headers["retry-after"]) > 0
    return answer.status_code


def run(engine: AsyncEngine, *statements: str) -> Act:
    async def act() -> None:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    return act


async def test_a_database_that_is_away(build: Build, ask: Ask, tmp_path: Path) -> None:
    for where in (f"@/x?host={tmp_path}", "@127.0.0.1:1/x"):
        engine = db.make_engine(f"postgresql+asyncpg://toolshare{where}")
        assert await status_of(build, ask, run(engine, "SELECT 1")) == 503


async def test_a_connection_that_is_cut_in_the_middle(
    build: Build, ask: Ask, engine: AsyncEngine
) -> None:
    cut = run(engine, "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1")
    assert await status_of(build, ask, cut) == 503
    assert await status_of(build, ask, run(engine, "SELECT 1")) == 200


async def test_a_pool_that_is_empty(build: Build, ask: Ask, engine: AsyncEngine) -> None:
    async with engine.connect():
        assert await status_of(build, ask, run(engine, "SELECT 1")) == 503


async def test_a_database_that_only_reads(build: Build, ask: Ask, engine: AsyncEngine) -> None:
    write = run(engine, "SET TRANSACTION READ ONLY", "CREATE TABLE never (id int)")
    assert await status_of(build, ask, write) == 503


async def test_a_statement_that_takes_too_long(build: Build, ask: Ask, engine: AsyncEngine) -> None:
    slow = run(engine, "SET LOCAL statement_timeout = 1", "SELECT pg_sleep(60)")
    assert await status_of(build, ask, slow) == 503


@pytest.mark.parametrize("state", ["53100", "53300", "57P03", "58030", "40P01", "55P03"])
async def test_a_server_in_trouble(build: Build, ask: Ask, engine: AsyncEngine, state: str) -> None:
    trouble = f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{state}'; END $$"
    assert await status_of(build, ask, run(engine, trouble)) == 503


async def test_our_own_mistakes_are_not_an_outage(
    build: Build, ask: Ask, engine: AsyncEngine, tmp_path: Path
) -> None:
    async def misses_a_file() -> None:
        (tmp_path / "missing").read_text()

    async def takes_forever() -> None:
        raise TimeoutError

    assert await status_of(build, ask, misses_a_file) == 500
    assert await status_of(build, ask, takes_forever) == 500
    assert await status_of(build, ask, run(engine, "SELECT nonsense")) == 500
    assert await status_of(build, ask, run(engine, "SELECT 1 / 0")) == 500
