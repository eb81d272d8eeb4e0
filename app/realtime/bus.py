"""Hints between workers over Redis pub/sub: topic names and versions, any of which may be lost.

Nothing here is needed for being right (the compare is), only for being quick.
"""

import asyncio
import logging
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from app.realtime.topics import by_scope
from app.realtime.versions import Hint

log = logging.getLogger(__name__)

ANSWERS_WITHIN = 1.0  # seconds for each call
SILENT_FOR = 3.0  # seconds without a pong: not connected any more, whatever TCP says
WHISPER = "~"  # before the name of a topic about which there is something without a version
AT = re.compile(r"\d+\.\d+")  # when what follows was committed
OUTBOX = 10_000  # rows; more than that is left to the compare
FAILURES = (RedisError, OSError, TimeoutError)


class Bus:
    """One connection that listens, one that publishes; both rebuilt from nothing on any error."""

    def __init__(
        self,
        url: str,
        prefix: str,
        on_hint: Callable[[str, int], None],
        on_connect: Callable[[], None],
        counters: Counter[str],
        on_lag: Callable[[float], None] = lambda seconds: None,
        on_whisper: Callable[[str], None] = lambda topic: None,
    ) -> None:
        self._url, self._prefix = url, prefix
        self._on_hint, self._on_connect = on_hint, on_connect
        self._counters, self._on_lag, self._on_whisper = counters, on_lag, on_whisper
        self._announced_at = 0.0  # the oldest commit in the outbox, by the wall clock
        self._scopes: Counter[str] = Counter()
        self._confirmed: set[str] = set()
        self._waited_for: dict[str, asyncio.Event] = {}
        self._awaited: Counter[str] = Counter()  # SUBSCRIBEs whose answers have not come yet
        self._changed: set[str] = set()  # scopes that came or went since Redis was told
        self._scopes_changed = asyncio.Event()
        self._outbox: dict[str, int] = {}
        self._outbox_filled = asyncio.Event()
        self.connected = False

    # --- scopes: listened to while somebody here watches a topic of theirs

    def want(self, scope: str) -> None:
        self._scopes[scope] += 1
        if self._scopes[scope] == 1:
            self._changed.add(scope)
            self._scopes_changed.set()

    def unwant(self, scope: str) -> None:
        self._scopes[scope] -= 1
        if self._scopes[scope] <= 0:
            del self._scopes[scope]
            if waited_for := self._waited_for.pop(scope, None):
                waited_for.set()
            self._changed.add(scope)
            self._scopes_changed.set()

    async def confirmed(self, scopes: Iterable[str], within: float = ANSWERS_WITHIN) -> bool:
        """Wait until Redis has confirmed these channels. False if it did not in time."""
        try:
            async with asyncio.timeout(within):
                for scope in scopes:
                    while scope not in self._confirmed:
                        if not self.connected or scope not in self._scopes:
                            return False
                        await self._waited_for.setdefault(scope, asyncio.Event()).wait()
        except TimeoutError:
            return False
        return self.connected

    # --- out

    def announce(self, hints: Iterable[Hint]) -> None:
        """Never waits. What does not fit is left to the compare."""
        if not self._outbox:
            self._announced_at = time.time()
        for row, version in hints:
            if len(self._outbox) >= OUTBOX and row not in self._outbox:
                self._counters["hints_dropped"] += 1
                continue
            self._outbox[row] = max(version, self._outbox.get(row, 0))
        self._outbox_filled.set()

    async def publish_forever(self) -> None:
        """Empties the outbox. A batch that fails is lost: by then it is old news anyhow."""
        async with client(self._url) as redis:
            while True:
                heed_cancellation()
                await self._outbox_filled.wait()
                self._outbox_filled.clear()
                batch, self._outbox = self._outbox, {}
                try:
                    await self._publish(redis, batch)
                except FAILURES:
                    self._counters["hints_lost"] += len(batch)
                    await asyncio.sleep(random.uniform(0.1, 0.3))

    async def _publish(self, redis: "Redis", batch: dict[str, int]) -> None:
        pipeline = redis.pipeline(transaction=False)
        for scope, hints in by_scope(batch.items()).items():
            lines = (f"{self._announced_at:.4f}", *(f"{row}@{version}" for row, version in hints))
            pipeline.publish(self.channel(scope), "\n".join(lines))
        async with asyncio.timeout(2 * ANSWERS_WITHIN):
            await pipeline.execute()
        self._counters["hints_sent"] += len(batch)

    # --- in

    async def listen_forever(self) -> None:
        """redis-py reconnects silently and loses what came between: here any error starts over."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                await self._listen()
            except* FAILURES as errors:
                failures = failures + 1 if time.monotonic() - started < 5 else 1
                if failures == 1:
                    log.warning("Redis is away, hints too: %r", errors.exceptions[0])
            finally:
                self._disconnected()
            await asyncio.sleep(random.uniform(0.5, 1) * min(0.1 * 2**failures, 2))

    async def _listen(self) -> None:
        async with client(self._url) as redis, redis.pubsub() as pubsub:
            subscribed = set(self._scopes)
            self._changed.clear()
            self._awaited.update(subscribed)
            # "all" comes last, so that its answer means: everything wanted is being heard.
            await pubsub.subscribe(*map(self.channel, [*subscribed, "all"]))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_scopes(pubsub, subscribed))
                tasks.create_task(self._read(pubsub))

    async def _follow_scopes(self, pubsub: PubSub, subscribed: set[str]) -> None:
        while True:
            self._scopes_changed.clear()
            changed, self._changed = self._changed, set()
            new = {one for one in changed if one in self._scopes} - subscribed
            old = {one for one in changed if one not in self._scopes} & subscribed
            subscribed |= new
            subscribed -= old
            self._confirmed -= old
            _insist_on_connection(pubsub)
            if new:
                self._awaited.update(new)
                await pubsub.subscribe(*map(self.channel, new))
            if old:
                await pubsub.unsubscribe(*map(self.channel, old))
            heed_cancellation()
            await self._scopes_changed.wait()

    async def _read(self, pubsub: PubSub) -> None:
        heard = time.monotonic()
        while True:
            _insist_on_connection(pubsub)
            message = await pubsub.get_message(timeout=ANSWERS_WITHIN)
            if message is not None:
                heard = time.monotonic()
                self._hear(message["type"], message["channel"], message["data"])
            elif time.monotonic() - heard > SILENT_FOR:
                raise RedisConnectionError("no answer to a ping")
            else:
                await pubsub.ping()

    def _hear(self, sort: str, channel: str | None, text: object) -> None:
        if sort == "message":
            for hint in str(text).split("\n"):
                row, _, version = hint.rpartition("@")
                if version.isdecimal():
                    self._on_hint(row, int(version))
                elif version.startswith(WHISPER):
                    self._on_whisper(version.removeprefix(WHISPER))
                elif not row and AT.fullmatch(version):
                    self._on_lag(max(0.0, time.time() - float(version)))
        elif sort == "subscribe" and channel is not None:
            self._confirm(channel.rpartition(":")[2])

    def _confirm(self, scope: str) -> None:
        if scope == "all":
            self.connected = True
            self._counters["redis_connects"] += 1
            self._on_connect()
            return
        self._awaited[scope] -= 1
        if self._awaited[scope] <= 0:
            del self._awaited[scope]
            self._confirmed.add(scope)
            if waited_for := self._waited_for.pop(scope, None):
                waited_for.set()

    def _disconnected(self) -> None:
        self.connected = False
        self._awaited.clear()
        self._confirmed.clear()

    def channel(self, scope: str) -> str:
        # Pub/sub knows no database numbers: without the prefix a test run reaches the live app.
        return f"{self._prefix}:live:{scope}"


def client(url: str) -> "Redis":
    """Every call has an end, and no error is mended silently."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=ANSWERS_WITHIN,
        socket_connect_timeout=ANSWERS_WITHIN,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 0),
    )


def heed_cancellation() -> None:
    """redis-py waits with wait_for, which on Python 3.11 may swallow a cancellation."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _insist_on_connection(pubsub: PubSub) -> None:
    heed_cancellation()
    if pubsub.connection is None or not pubsub.connection.is_connected:
        raise RedisConnectionError("lost, and not to be mended silently")
