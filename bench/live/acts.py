"""Acts that cost the client little: one statement each, and a hint as a worker sends it."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import suppress
from typing import Self

import asyncpg

from app.realtime.bus import Bus

TOPICS = 64
CLIENTS = 16
ACT = """
    WITH act AS (UPDATE thing SET said = said + 1 WHERE key = $1)
    INSERT INTO live_topic (name, version, changed_at) VALUES ($2, 1, statement_timestamp())
    ON CONFLICT (name) DO UPDATE
    SET version = live_topic.version + 1, changed_at = excluded.changed_at RETURNING version
"""


class Acts:
    """As another worker does them, without its Python between."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+asyncpg", "")
        redis, prefix = os.environ["BENCH_REDIS"], os.environ["BENCH_PREFIX"]
        self._bus = Bus(redis, prefix, lambda row, version: None, lambda: None, Counter())

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(self._url, min_size=CLIENTS, max_size=CLIENTS)
        self._publishing = asyncio.create_task(self._bus.publish_forever())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._publishing.cancel()
        with suppress(asyncio.CancelledError):
            await self._publishing
        await self._pool.close()

    async def change(self, kind: str, key: int) -> int:
        """Commits and hints; the version it made."""
        topic = f"t1/{kind}/{key}"
        async with self._pool.acquire() as connection:
            version = int(await connection.fetchval(ACT, str(key), topic))
        self._bus.announce([(topic, version)])
        return version

    async def versions(self) -> dict[int, int]:
        """Of each topic, as they stand."""
        found = await self._pool.fetch("SELECT name, version FROM live_topic")
        return {
            int(row["name"].rpartition("/")[2]): row["version"]
            for row in found
            if row["name"].startswith("t1/x/")
        }
