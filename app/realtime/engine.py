"""The engine: hub, bus, compare and beat under one roof, with its two doors (socket and GET)."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from app.realtime import plain, versions
from app.realtime.bus import Bus
from app.realtime.hub import Hub
from app.realtime.socket import (
    POLICY,
    RESTART,
    SIGNED_OUT,
    FrameworkTransport,
    Socket,
)
from app.realtime.topics import (
    Drawn,
    Listener,
    Sessions,
    Topics,
    draw,
    face_for,
    frame,
    snapshot,
    stamp,
)

log = logging.getLogger(__name__)

ListenerOf = Callable[[AsyncSession, HTTPConnection], Awaitable[Listener | None]]
Refresh = Callable[[AsyncSession, Listener], Awaitable[Listener | None]]

DRAWERS = 4  # drawings at a time, each on a database connection of its own
READERS = 3  # and so many that read whose a socket is
SOCKETS_A_PERSON = 50
SOCKETS_AN_ADDRESS = 1000  # a whole house sits behind one


class Engine:
    """One per worker. Needs `start` and `stop`; give `router` to the app."""

    def __init__(
        self,
        sessions: Sessions,
        redis_url: str,
        prefix: str,
        topics: Topics,
        listener_of: ListenerOf,
        *,
        refresh: Refresh,
        allowed_origin: Callable[[HTTPConnection], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        compare_every: float = 2.0,
        beat_every: float = 10.0,
    ) -> None:
        self.sessions, self.topics = sessions, topics
        self.listener_of, self.refresh = listener_of, refresh
        self.allowed_origin, self.now = allowed_origin, now
        self.counters: Counter[str] = Counter()
        self.epoch = ""
        self.hints_withheld = False  # tests: as if Redis lost every hint, ours included
        self.bus = Bus(redis_url, prefix, self._hear, self._connected, self.counters)
        self.hub = Hub(sessions, self.counters, self._scope, self._see_epoch)
        self.sockets: set[Socket] = set()
        # When all come back at once, most of the database stays free for commands.
        self.few = asyncio.Semaphore(READERS)
        self._per: Counter[object] = Counter()
        self._compare_every, self._beat_every = compare_every, beat_every
        self._compare_now = asyncio.Event()
        self._compared_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.router = APIRouter()
        self.router.add_api_websocket_route("/live", self._serve)
        self.router.add_api_route("/live", self._answer, include_in_schema=False)

    # --- life

    async def start(self) -> None:
        self._stopping = False
        with suppress(Exception):  # the loop below tries again, and says so
            await self._compare()
        for run in (
            self.bus.listen_forever,
            self.bus.publish_forever,
            self._compare_forever,
            self._beat_forever,
            self.hub.reader.read_forever,
            *[self.hub.draw_forever] * DRAWERS,
            self.hub.draw_wide_forever,
        ):
            self._tasks.append(asyncio.create_task(_supervised(run), name=run.__qualname__))
        versions.announce_by(self.announce)

    async def stop(self) -> None:
        self._stopping = True
        versions.announce_by(None)
        for socket in self.sockets:
            socket.close(RESTART)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

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

    def _scope(self, scope: str, wanted: bool) -> None:
        self.bus.want(scope) if wanted else self.bus.unwant(scope)

    # --- compare

    def _connected(self) -> None:
        """Redis is (back) there; what it said meanwhile is lost, so all counts as stale."""
        self._compare_now.set()

    async def _compare_forever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._compare_every * random.uniform(0.8, 1)):
                    await self._compare_now.wait()
            self._compare_now.clear()
            try:
                await self._compare()
            except Exception:
                self.counters["compares_failed"] += 1
                log.exception("versions could not be compared")

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
            for socket in self.sockets:
                socket.tell(frame(epoch=epoch))
                socket.close(RESTART)

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(self._beat_every)
            text = frame(beat=int(time.monotonic() - self._compared_at))
            for socket in self.sockets:
                socket.beat(text)

    # --- drawing, for pages

    async def draw(self, tx: AsyncSession, listener: Listener, topic: str, since: int = 0) -> Drawn:
        """What a push would bring, inside the page's own snapshot (REPEATABLE READ)."""
        reading = await versions.read(tx, [topic])
        version, kind = reading.version(topic), self.topics.open_to(listener, topic)
        if kind is None:
            return Drawn(version, None)
        face = face_for(await draw(tx, kind, listener, topic, since), listener.person_id)
        if face is None or kind.rows:
            return Drawn(version, face)
        return Drawn(version, stamp(face, topic, version))

    # --- doors

    async def _answer(self, request: Request) -> Response:
        return await plain.answer(self, request)

    async def _serve(self, websocket: WebSocket) -> None:
        if self._stopping or not self.allowed_origin(websocket):
            await websocket.close(POLICY)
            return
        try:
            async with self.few, asyncio.timeout(5), snapshot(self.sessions) as tx:
                listener = await self.listener_of(tx, websocket)
                own = [f"{listener.own_scope}/access"] if listener else []
                reading = await versions.read(tx, own)
        except Exception:
            log.exception("a socket could not be opened")
            await websocket.send_denial_response(Response(status_code=503))
            return
        self._see_epoch(reading.epoch)
        await websocket.accept()
        if listener is None:
            await websocket.close(SIGNED_OUT)
            return
        await self._hold(websocket, listener, reading.version(own[0]))

    async def _hold(self, websocket: WebSocket, listener: Listener, access: int) -> None:
        address = websocket.client.host if websocket.client else None
        socket = Socket(self, FrameworkTransport(websocket), listener)
        counted = (listener.person_id, f"address {address}")
        self._per.update(counted)
        self.sockets.add(socket)
        try:
            if (
                self._per[counted[0]] > SOCKETS_A_PERSON
                or self._per[counted[1]] > SOCKETS_AN_ADDRESS
            ):
                await websocket.close(POLICY)
                return
            socket.tell(frame(epoch=self.epoch))
            await socket.run(websocket, access)
        finally:
            self.sockets.discard(socket)
            for one in counted:
                self._per[one] -= 1
                if not self._per[one]:
                    del self._per[one]

    def heard(self, socket: Socket, what: str, topic: str) -> None:
        """Typing and presence: ephemeral, for those who watch the topic. Nothing keeps them yet."""
        self.counters[what] += topic in socket.shown


async def _supervised(run: Callable[[], Awaitable[None]]) -> None:
    """An engine's loop never just vanishes: it is logged and started again."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("%s failed", getattr(run, "__qualname__", run))
            await asyncio.sleep(random.uniform(0.5, 1))
