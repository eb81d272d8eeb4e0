"""The servers the tests run against: embedded ones of their own, or those compose names.

Imported before anything of the app, since its settings are read once, at import.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app import embedded, instance

GIVEN = os.environ.get("TESTS_USE_DATABASE_URL") == "1"


@dataclass
class GivenPostgres:
    """The server that DATABASE_URL names; databases are made beside the named one."""

    url: str

    def url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def run(self, sql: str, *, database: str = "") -> str:
        """One statement; the first value of its first row as text, '' if there is none."""
        plain = (self.url_of(database) if database else self.url).replace("+asyncpg", "")

        async def execute() -> object:
            connection = await asyncpg.connect(plain)
            try:
                return await connection.fetchval(sql)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as elsewhere:
            value = elsewhere.submit(asyncio.run, execute()).result()
        return "" if value is None else str(value)


@dataclass
class GivenRedis:
    url: str


Postgres = embedded.Postgres | GivenPostgres
Redis = embedded.Server | GivenRedis


def seconds_to_noon() -> float:
    """From now to this day's noon: no test meets a midnight that it did not ask for."""
    now = datetime.now(UTC)
    return (now.replace(hour=12, minute=0, second=0, microsecond=0) - now).total_seconds()


def start() -> tuple[Postgres, Redis, Path, float]:
    """The servers, a folder for this run's files, and the clock's shift in seconds.

    Sets the environment the app will read.
    """
    folder = Path(tempfile.mkdtemp(prefix="toolshare-test-"))
    postgres: Postgres
    redis: Redis
    if GIVEN:
        url = os.environ["DATABASE_URL"]
        if not urlsplit(url).path.endswith("_test"):
            sys.exit("The tests only run on a database whose name ends in _test; nothing was done.")
        postgres, redis = GivenPostgres(url), GivenRedis(os.environ["REDIS_URL"])
    else:
        postgres = embedded.start_postgres(folder / "postgres", durable=False)
        redis = embedded.start_valkey(folder / "valkey")
        atexit.register(redis.stop)
        atexit.register(postgres.stop)
    os.environ.update(
        REDIS_URL=redis.url,
        REDIS_PREFIX=os.environ.get("REDIS_PREFIX", "toolshare_test"),
        SECRET_KEY="only-for-tests-and-worth-nothing-elsewhere",
        DATA_DIR=str(folder / "files"),
        CLOCK_FILE=str(folder / "clock"),
        ARGON2_FAST="1",
        PUBLIC_URL="",
        LOG_FILE="",
        METRICS_TOKEN="only-for-tests",
        TRUSTED_PROXIES="",
        DEMO="0",
        SMTP_URL="",
        MAIL_FROM="",
        PUSH_PRIVATE_KEY="",
        PUSH_SERVICES="127.0.0.1",
        **dict.fromkeys(instance.BUCKET, ""),
    )
    noon = seconds_to_noon()
    (folder / "clock").write_text(str(noon))
    return postgres, redis, folder, noon
