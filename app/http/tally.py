"""Counting for the throttle: in Redis, so that all workers count together; in memory without it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from limits.aio.storage import MemoryStorage, RedisStorage
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.http import log
from app.settings import settings

ANSWERS_WITHIN = 1.0  # seconds, for a whole question
SPARED_FOR = 5.0  # seconds without asking a Redis that did not answer
Storage = RedisStorage | MemoryStorage
Answer = TypeVar("Answer")


class Tally:
    """Asks Redis; where it does not answer in time, counts on by itself: it never opens."""

    def __init__(self, url: str, prefix: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=ANSWERS_WITHIN,
            socket_connect_timeout=ANSWERS_WITHIN,
            retry=Retry(NoBackoff(), 0),
        )
        self._shared = RedisStorage(
            "redis://",
            implementation="redispy",
            key_prefix=f"{prefix}:throttle",
            connection_pool=self._redis.connection_pool,  # type: ignore[arg-type]
        )
        self._alone = MemoryStorage()
        self._asked_again_at = 0.0

    async def ask(self, question: Callable[[Storage], Awaitable[Answer]]) -> Answer:
        """The question's answer, from the shared count if there is one."""
        if time.monotonic() >= self._asked_again_at:
            try:
                async with asyncio.timeout(ANSWERS_WITHIN):
                    return await question(self._shared)
            except (RedisError, OSError, TimeoutError):
                self._asked_again_at = time.monotonic() + SPARED_FOR
                log.security("throttle_alone")
        return await question(self._alone)

    async def close(self) -> None:
        await self._redis.aclose()


_tally: Tally | None = None


def tally() -> Tally:
    """This process' one, made when it is first needed."""
    global _tally
    if _tally is None:
        _tally = Tally(settings.redis_url, settings.redis_prefix)
    return _tally


async def close() -> None:
    """For the end of the app's lifespan; the next use begins anew."""
    global _tally
    if _tally is not None:
        await _tally.close()
        _tally = None
