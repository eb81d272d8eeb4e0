"""The tables: Alembic scripts, applied at start by whoever gets the lock first."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

LOCK = 7_081_502_964  # any number, the same in every process


class NewerDatabase(RuntimeError):  # noqa: N818 - says what is wrong
    """The database was made by a later release; this one must not touch it."""


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def head() -> str | None:
    """The newest revision this code knows."""
    return ScriptDirectory.from_config(config()).get_current_head()


def current(connection: Connection) -> str | None:
    """The revision the database has, None if it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


async def upgrade(url: str) -> tuple[str | None, str | None]:
    """Brings the database to `head` in one transaction; answers (before, after).

    Two processes at once: one migrates under the lock, the other waits and finds it done.
    Raises NewerDatabase for a revision that this code does not know.
    """
    engine = create_async_engine(url, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> tuple[str | None, str | None]:
    before = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if before is not None and before not in known:
        raise NewerDatabase(
            f"The database is at revision {before}, which this release does not know: "
            "start the release that made it, or a newer one."
        )
    if before != head():
        prepared = config()
        prepared.attributes["connection"] = connection
        command.upgrade(prepared, "head")
    return before, head()
