"""The container is well as long as it can serve pages, and says so within two seconds."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app import db
from app.http import vitals
from app.http.health import is_well
from tests.http.conftest import Ask, Build, Set
from tests.servers import Redis


@pytest.fixture
async def migrated(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    """Migrated to "new"; so is the code."""
    engine = db.make_engine(database)
    monkeypatch.setattr(db, "engine", engine)
    monkeypatch.setattr(vitals, "head", lambda: "new")
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        await connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
        await connection.execute(text("INSERT INTO alembic_version VALUES ('new')"))
    yield engine
    await engine.dispose()


@pytest.fixture
async def redis(valkey: Redis, with_settings: Set) -> None:
    with_settings(redis_url=valkey.url)


async def health(build: Build, ask: Ask) -> tuple[int, dict[str, str]]:
    app: FastAPI = build()
    app.include_router(vitals.router)
    async with ask(app) as probe, asyncio.timeout(10):
        answer = await probe.get("/health")
    return answer.status_code, answer.json()


async def test_all_is_well(build: Build, ask: Ask, migrated: AsyncEngine, redis: None) -> None:
    status, found = await health(build, ask)
    assert status == 200
    assert found == {
        "status": "ok",
        "database": "ok",
        "redis": "ok",
        "photos": "ok",
        "migration": "ok",
        "version": "new",
    }


async def test_without_redis_it_is_degraded(
    build: Build, ask: Ask, migrated: AsyncEngine, with_settings: Set
) -> None:
    with_settings(redis_url="unix:///nonexistent/redis.sock")
    status, found = await health(build, ask)
    assert (status, found["status"], found["redis"]) == (200, "degraded", "away")


async def test_a_redis_that_never_answers_counts_as_away(
    build: Build, ask: Ask, migrated: AsyncEngine, with_settings: Set
) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as silent:
        with_settings(redis_url=f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}/0")
        status, found = await health(build, ask)
    assert (status, found["redis"]) == (200, "away")


async def test_without_the_database_it_is_down(
    build: Build, ask: Ask, redis: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = db.make_engine(f"postgresql+asyncpg://toolshare@/x?host={tmp_path}")
    monkeypatch.setattr(db, "engine", gone)
    monkeypatch.setattr(vitals, "head", lambda: "new")
    status, found = await health(build, ask)
    assert (status, found["status"], found["database"]) == (503, "down", "away")


@pytest.mark.parametrize(
    ("change", "migration"),
    [
        ("UPDATE alembic_version SET version_num = 'newer'", "other"),
        ("DELETE FROM alembic_version", "missing"),
        ("DROP TABLE alembic_version", "missing"),
    ],
)
async def test_another_migration_is_down(
    build: Build, ask: Ask, migrated: AsyncEngine, redis: None, change: str, migration: str
) -> None:
    async with migrated.begin() as connection:
        await connection.execute(text(change))
    status, found = await health(build, ask)
    assert (status, found["status"], found["migration"]) == (503, "down", migration)


async def test_the_container_asks_itself() -> None:
    answers = iter([b"200 OK", b"503 Service Unavailable", b"nonsense"])

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + next(answers) + b"\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = [await asyncio.to_thread(is_well, port) for _ in range(3)]
    assert found == [True, False, False]
    assert not await asyncio.to_thread(is_well, port)


def test_the_check_is_light_and_fails_where_nobody_answers() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "app.http.health"]
    done = subprocess.run(command, env={"PORT": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for heavy in ("fastapi", "sqlalchemy", "pydantic", "app.settings"):
        assert heavy not in done.stderr
