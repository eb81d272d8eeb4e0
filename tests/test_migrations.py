"""From the tables of the first release, with neighbours in them, to those of today."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from app import migrations
from app.embedded import create_database
from tests import servers

FIRST = "0001"
numbers = itertools.count(1)


@pytest.fixture
def bare(postgres: servers.Postgres) -> Iterator[str]:
    """The URL of a database without any table."""
    name = f"bare_{next(numbers)}_test"
    yield create_database(postgres, name)  # type: ignore[arg-type]
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


def _first_release(connection: Connection) -> None:
    prepared = migrations.config()
    prepared.attributes["connection"] = connection
    command.upgrade(prepared, FIRST)


async def test_a_database_of_the_first_release_keeps_its_people(bare: str) -> None:
    engine = create_async_engine(bare)
    people = text(
        "INSERT INTO person (email, name, password_hash, locale, created_at) VALUES"
        " ('ada@example.org', 'Ada', 'none', 'en-GB', now()),"
        " ('ben@example.org', 'Ben', 'none', 'en-GB', now())"
    )
    async with engine.begin() as connection:
        await connection.run_sync(_first_release)
        await connection.execute(people)
    assert await migrations.upgrade(bare) == (FIRST, migrations.head())
    assert await migrations.upgrade(bare) == (migrations.head(), migrations.head())
    async with engine.begin() as connection:
        names = await connection.scalars(text("SELECT name FROM person ORDER BY name"))
        assert list(names) == ["Ada", "Ben"]
        assert await connection.scalar(text("SELECT count(*) FROM block")) == 0
    await engine.dispose()
