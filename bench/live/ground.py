"""PostgreSQL and Valkey of the measurement's own, on the client's core, with its two tables."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from app.child import StartError
from app.embedded import Postgres, Server, start_postgres, start_valkey
from app.realtime import versions
from bench.ground import say
from bench.live import acts, cores
from bench.live.programs import Programs
from bench.live.thing import metadata, thing


@dataclass(frozen=True)
class Ground:
    folder: Path
    postgres: Postgres
    valkey: Server
    programs: Programs
    statements: bool  # pg_stat_statements counts them


@contextmanager
def opened() -> Iterator[Ground]:
    cores.stay_with_the_client()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="toolshare-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        programs = Programs(folder)
        say("Starting PostgreSQL and Valkey")
        postgres, statements = _postgres(folder / "postgres")
        stack.callback(postgres.stop)
        valkey = start_valkey(folder / "valkey")
        stack.callback(valkey.stop)
        os.environ.update(
            BENCH_DATABASE=postgres.url, BENCH_REDIS=valkey.url, BENCH_PREFIX="bench_live"
        )
        yield Ground(folder, postgres, valkey, programs, statements)


def _postgres(folder: Path) -> tuple[Postgres, bool]:
    """With pg_stat_statements where the server has it: that must be loaded at its start."""
    postgres = start_postgres(folder)
    try:
        postgres.run("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        postgres.stop()
        postgres = start_postgres(folder)
        postgres.run("CREATE EXTENSION pg_stat_statements", database="toolshare")
        return postgres, True
    except StartError:
        postgres.stop()
        (folder / "cluster/postgresql.auto.conf").write_text("")
        return start_postgres(folder), False


async def furnish(url: str) -> None:
    """The tables, and a row for each topic."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(versions.metadata.create_all)
        await connection.run_sync(metadata.create_all)
        rows = [{"key": str(key), "said": 1} for key in range(acts.TOPICS)]
        await connection.execute(thing.insert(), rows)
        await connection.execute(
            sa.text("INSERT INTO live_topic SELECT 't1/x/' || key, 1, now() FROM thing")
        )
    await engine.dispose()
