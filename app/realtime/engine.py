"""The engine: hub, bus, compare and beat under one roof, with its two doors (socket and GET)."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from app.realtime import plain, versions
from app.realtime.bus import Bus
from app.realtime.company import Company
from app.realtime.door import Door, Life
from app.realtime.drawing import AT_ONCE
from app.realtime.hub import Hub
from app.realtime.limits import RESTART, Limits
from app.realtime.presence import Presence
from app.realtime.reader import Entrance, Listeners
from app.realtime.ready import Ready
from app.realtime.socket import Socket
from app.realtime.topics import Drawn, Listener, Sessions, Topics, draw, face_for, frame, stamp

log = logging.getLogger(__name__)

TURNS = 20  # pings and beats are spread over so many turns, a share of the sockets each


class Engine:
    """One per worker. Needs `start` and `stop`; give `router` to the app."""

    def __init__(
        self,
        sessions: Sessions,
        redis_url: str,
        prefix: str,
        topics: Topics,
        *,
        session_key: Callable[[HTTPConnection], Hashable | None],
        listeners: Listeners,
        allowed_origin: Callable[[HTTPConnection], bool],
        address: Callable[[HTTPConnection], str] = lambda one: (
            one.client.host if one.client else ""
        ),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: Limits = Limits(),
        on_end: Callable[[Life], None] = lambda life: None,
        on_lag: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.sessions, self.topics = sessions, topics
        self.session_key, self._listeners, self.address = session_key, listeners, address
        self.allowed_origin, self.now, self.limits = allowed_origin, now, limits
        self.counters: Counter[str] = Counter()
        self.epoch = ""
        self.hints_withheld = False  # tests: as if Redis lost every hint, ours included
        self.bus = Bus(
            redis_url, prefix, self._hear, self._connected, self.counters, on_lag, self._whisper
        )
        self.hub = Hub(sessions, self.counters, self._scope, self._see_epoch)
        lasting = (limits.here_for, limits.typing_for)
        self.presence = Presence(redis_url, self.bus.channel, lasting, self.counters)
        self.company = Company(self.hub, self.presence, *lasting)
        self.delivery = self.hub.drawers.delivery
        self.entrance = Entrance(sessions, listeners, self._see_epoch)
        self.door = Door(self, on_end)
        self.sockets: set[Socket] = set()
        self.behind: set[Socket] = set()
        self._compare_now = asyncio.Event()
        self._compared_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._short: set[asyncio.Task[None]] = set()
        self.stopping = False
        self.router = APIRouter()
        self.router.add_api_websocket_route("/live", self.door.serve)
        self.router.add_api_route("/live", self._answer, include_in_schema=False)

    # --- life

    async def start(self) -> None:
        self.stopping = False
        with suppress(Exception):  # the loop below tries again, and says so
            await self._compare()
        for run in (
            self.bus.listen_forever,
            self.bus.publish_forever,
            self._compare_forever,
            self._beat_forever,
            self._ping_forever,
            self._sweep_forever,
            self.presence.say_forever,
            self.presence.answer_forever,
            self.entrance.answer_forever,
            self.hub.reader.answer_forever,
            self.delivery.run_forever,
            *[self.hub.drawers.draw_forever] * AT_ONCE,
            self.hub.drawers.draw_wide_forever,
        ):
            self._tasks.append(asyncio.create_task(_supervised(run), name=run.__qualname__))
        versions.announce_by(self.announce)

    async def stop(self) -> None:
        self.stopping = True
        versions.announce_by(None)
        for socket in list(self.sockets):
            socket.close(RESTART)
        await _ended([*self._tasks, *self._short])
        self._tasks.clear()
        await self.company.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Something short; kept until it is done, or it might vanish half way."""
        task = asyncio.create_task(work)
        self._short.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._short.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a socket's work failed", exc_info=error)

    def gauges(self) -> dict[str, int]:
        """What it holds now, beside what `counters` has counted."""
        return {
            "sockets": len(self.sockets),
            "topics": len(self.hub.topics),
            "behind": len(self.behind),
        }

    # --- hints

    def announce(self, hints: Iterable[versions.Hint]) -> None:
        """After a commit: this worker's screens at once, the others' by Redis. Never waits."""
        hints = list(hints)
        if self.hints_withheld:
            self.counters["hints_withheld"] += len(hints)
            return
        for row, version in hints:
            self.hub.hint(row, version)
        self.bus.announce(hints)

    def _hear(self, row: str, version: int) -> None:
        if self.hints_withheld:
            self.counters["hints_withheld"] += 1
        elif self.hub.hint(row, version):
            self.counters["hints_heard"] += 1

    def _whisper(self, topic: str) -> None:
        if not self.hints_withheld:
            self.company.hear(topic)

    def _scope(self, scope: str, wanted: bool) -> None:
        self.bus.want(scope) if wanted else self.bus.unwant(scope)

    # --- compare

    def _connected(self) -> None:
        """Redis is (back) there; what it said meanwhile is lost, so all counts as stale."""
        self._compare_now.set()

    async def _compare_forever(self) -> None:
        failing = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.limits.compare_every * random.uniform(0.8, 1)):
                    await self._compare_now.wait()
            self._compare_now.clear()
            try:
                await self._compare()
                failing = False
            except Exception as error:
                self.counters["compares_failed"] += 1
                if not failing:  # the same trace every two seconds would fill the log
                    log.warning("versions cannot be compared: %r", error, exc_info=True)
                failing = True

    async def _compare(self) -> None:
        async with asyncio.timeout(5), self.sessions() as tx:
            reading = await versions.read(tx, list(self.hub.topics))
            if not reading.epoch:
                await versions.ensure_epoch(tx)
                await tx.commit()
        self._see_epoch(reading.epoch)
        self.counters["healed"] += self.hub.compare(reading)
        self.counters["compares"] += 1
        self._compared_at = time.monotonic()

    def _see_epoch(self, epoch: str) -> None:
        """Another one: the database was restored or reset. Pages reload, nothing is kept."""
        if not epoch or epoch == self.epoch:
            return
        known, self.epoch = self.epoch, epoch
        if known:
            self.counters["epochs"] += 1
            for socket in list(self.sockets):
                socket.tell(frame(epoch=epoch))
                socket.close(RESTART)

    # Sockets are gone through in functions that return: a loop that sleeps would keep its last one.

    async def _beat_forever(self) -> None:
        await self._in_turns(self.limits.beat_every, self._beat)

    def _beat(self, share: list[Socket]) -> None:
        text = frame(beat=int(time.monotonic() - self._compared_at))
        data = Ready(text).bytes_for(0)
        for socket in share:
            socket.beat(data)

    async def _ping_forever(self) -> None:
        await self._in_turns(self.limits.ping_every, self._ping)

    def _ping(self, share: list[Socket]) -> None:
        for socket in share:
            socket.wire.ping()

    async def _in_turns(self, seconds: float, act: Callable[[list[Socket]], None]) -> None:
        """Each socket once in so many seconds, a share of them at a time."""
        turn = 0
        while True:
            await asyncio.sleep(seconds / TURNS)
            turn = (turn + 1) % TURNS
            act([socket for socket in self.sockets if socket.number % TURNS == turn])

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(self.limits.drain_within / 10)
            self._sweep()

    def _sweep(self) -> None:
        for socket in list(self.behind):
            socket.check_progress(time.monotonic())

    # --- drawing, for pages

    async def draw(self, tx: AsyncSession, listener: Listener, topic: str, since: int = 0) -> Drawn:
        """What a push would bring, inside the page's own snapshot (REPEATABLE READ)."""
        reading = await versions.read(tx, [topic])
        version, kind = reading.version(topic), self.topics.open_to(listener, topic)
        if kind is None:
            return Drawn(version, None)
        face = face_for(await draw(tx, kind, listener, topic, since), listener.person_id)
        if not isinstance(face, str) or kind.rows:
            return Drawn(version, face if isinstance(face, str) else None)
        return Drawn(version, stamp(face, topic, version))

    # --- doors

    async def listener_of(self, tx: AsyncSession, connection: HTTPConnection) -> Listener | None:
        key = self.session_key(connection)
        return None if key is None else (await self._listeners(tx, [key])).get(key)

    async def _answer(self, request: Request) -> Response:
        return await plain.answer(self, request)


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Insists: redis-py waits with wait_for, which on Python 3.11 may swallow a cancellation."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.5)


async def _supervised(run: Callable[[], Awaitable[None]]) -> None:
    """An engine's loop never just vanishes: it is logged and started again."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("%s failed", getattr(run, "__qualname__", run))
            await asyncio.sleep(random.uniform(0.5, 1))
