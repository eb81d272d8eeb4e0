"""The websocket: watch and unwatch in, newest frames out; cut when the person's rights change."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.realtime import versions
from app.realtime.topics import Listener, frame, snapshot
from app.realtime.watch import ACCESS, Shown

if TYPE_CHECKING:
    from app.realtime.engine import Engine

log = logging.getLogger(__name__)

MESSAGE_BYTES = 16_384
MESSAGES_A_SECOND = 20
TOPICS = 512
SEND_WITHIN = 30.0  # seconds; a reader slower than that is closed
UNSAID = 2 * TOPICS  # small frames that may wait for a slow reader

UNSUPPORTED, POLICY, TOO_BIG, RESTART, TRY_LATER, SIGNED_OUT = 1003, 1008, 1009, 1012, 1013, 4401
LARGEST_VERSION = 2**53


class Transport(Protocol):
    """Where ready texts go. The seam for a protocol class that writes shared bytes."""

    async def send(self, texts: Sequence[str]) -> None: ...
    async def close(self, code: int) -> None: ...


class FrameworkTransport:
    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def send(self, texts: Sequence[str]) -> None:
        for text in texts:
            await self._websocket.send_text(text)

    async def close(self, code: int) -> None:
        await self._websocket.close(code)


class Closed(Exception):  # noqa: N818 - the ordinary end of a socket
    def __init__(self, code: int) -> None:
        self.code = code


class Socket:
    """One page's socket. It is behind or not; it never holds a backlog."""

    def __init__(self, engine: "Engine", transport: Transport, listener: Listener) -> None:
        self._engine, self._hub, self._transport = engine, engine.hub, transport
        self.listener, self.rights_at = listener, time.monotonic()
        self.shown: dict[str, Shown] = {}
        self._access = f"{listener.own_scope}/access"
        self._tells_access = False
        self._stale: dict[str, None] = {}
        self._said: list[str] = []
        self._beat: str | None = None
        self._awaited: dict[int, list[str]] = {}  # watch n → what it asked for
        self._rights_stale = False
        self._closing: int | None = None
        self._wake = asyncio.Event()
        self._heard: deque[float] = deque(maxlen=MESSAGES_A_SECOND)

    # --- called by hub and engine; none of these waits

    def mark(self, topic: str) -> None:
        self._stale[topic] = None  # a dict is an ordered set
        self._wake.set()

    def recheck(self) -> None:
        """Until the rights are read again, nothing more is sent."""
        self._rights_stale = True
        self._wake.set()

    def tell(self, text: str) -> None:
        if len(self._said) >= UNSAID:
            self.close(POLICY)
            return
        self._said.append(text)
        self._wake.set()

    def beat(self, text: str) -> None:
        self._beat = text
        expires_at = self.listener.expires_at
        if expires_at is not None and self._engine.now() >= expires_at:
            self._rights_stale = True
        self._wake.set()

    def close(self, code: int) -> None:
        self._closing = code
        self._wake.set()

    # --- its life

    async def run(self, websocket: WebSocket, access: int) -> None:
        """Until one side ends it. `access` is the version of the rights that opened it."""
        self._hub.enter(self, self._access, ACCESS, access)
        both = {asyncio.create_task(self._read(websocket)), asyncio.create_task(self._write())}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            ends = await asyncio.gather(*both, return_exceptions=True)
            for name in list(self.shown):
                self._hub.leave(self, name)
        for end in ends:
            await self._end(end)

    async def _end(self, end: BaseException | None) -> None:
        match end:
            case Closed(code=code):
                # A full buffer would hold the close frame back: then the connection just goes.
                with suppress(Exception):
                    async with asyncio.timeout(1):
                        await self._transport.close(code)
            case None | WebSocketDisconnect() | asyncio.CancelledError() | OSError():
                pass
            case _:
                log.error("a socket failed", exc_info=end)
                with suppress(Exception):
                    async with asyncio.timeout(1):
                        await self._transport.close(TRY_LATER)

    # --- out

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._rights_stale:
                await self._read_rights()
            if texts := self._take():
                try:
                    async with asyncio.timeout(SEND_WITHIN):
                        await self._transport.send(texts)
                except TimeoutError:
                    raise Closed(TRY_LATER) from None
            if self._closing is not None:
                raise Closed(self._closing)

    def _take(self) -> list[str]:
        """All that is due now, of each topic only the newest."""
        texts, self._said = self._said, []
        if self._closing is not None:
            return texts
        stale, self._stale = self._stale, {}
        for name in stale:
            if text := self._hub.frame_for(self, name):
                texts.append(text)
        for n, names in list(self._awaited.items()):
            if all(self._hub.settled(self, name) for name in names):
                del self._awaited[n]
                texts.append(frame(live=n))
        if self._beat:
            texts.append(self._beat)
            self._beat = None
        return texts

    async def _read_rights(self) -> None:
        """Drop what may no longer be heard, ask the personal topics again, or close."""
        while self._rights_stale:
            self._rights_stale = False
            try:
                async with (
                    self._engine.few,
                    asyncio.timeout(5),
                    snapshot(self._engine.sessions) as tx,
                ):
                    reading = await versions.read(tx, [self._access])
                    listener = await self._engine.refresh(tx, self.listener)
            except Exception:
                log.exception("rights could not be read again")
                self._rights_stale = True
                await asyncio.sleep(0.5)
                continue
            if listener is None:
                self._said.clear()
                raise Closed(SIGNED_OUT)
            self._take_rights(listener, reading)

    def _take_rights(self, listener: Listener, reading: versions.Reading) -> None:
        self.listener, self.rights_at = listener, time.monotonic()
        for name, shown in list(self.shown.items()):
            if name != self._access and not self._engine.topics.open_to(listener, name):
                self._hub.leave(self, name)
                self.tell(frame(topic=name, version=shown.version, html=None))
        self._hub.rechecked(self, self._access, reading)
        self._hub.force(self)
        if self._tells_access:
            self.tell(frame(topic=self._access, version=self.shown[self._access].version))

    # --- in

    async def _read(self, websocket: WebSocket) -> None:
        await self._catch_up([self._access])
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            await self._hear(message.get("text"))

    async def _hear(self, text: str | None) -> None:
        now = time.monotonic()
        if len(self._heard) == MESSAGES_A_SECOND and now - self._heard[0] < 1:
            raise Closed(POLICY)
        self._heard.append(now)
        if text is None:
            raise Closed(UNSUPPORTED)
        if len(text) > MESSAGE_BYTES or len(text.encode()) > MESSAGE_BYTES:
            raise Closed(TOO_BIG)
        try:
            match json.loads(text):
                case {"watch": dict(wanted), "n": int(n)}:
                    await self._watch(wanted, n)
                case {"unwatch": list(names)}:
                    self._unwatch(names)
                case {"typing": str(topic)}:
                    self._engine.heard(self, "typing", topic)
                case {"here": str(topic)}:
                    self._engine.heard(self, "here", topic)
                case _:
                    raise Closed(POLICY)
        except (ValueError, RecursionError):
            raise Closed(POLICY) from None

    async def _watch(self, wanted: dict[str, Any], n: int) -> None:
        names = [name for name, version in wanted.items() if self._enter(name, version)]
        if len(self.shown) > TOPICS + 1 or len(self._awaited) >= MESSAGES_A_SECOND * 3:
            raise Closed(POLICY)
        await self._catch_up(names)
        self._awaited[n] = names
        self._wake.set()

    def _enter(self, name: str, version: object) -> bool:
        if type(version) is not int or not 0 <= version <= LARGEST_VERSION:
            raise Closed(POLICY)
        if name == self._access:
            self._compare_access(version)
            return False
        kind = self._engine.topics.open_to(self.listener, name)
        if kind is None:
            # The same answer as for a topic that never was: gone, as of what they came with.
            self.tell(frame(topic=name, version=version, html=None))
            return False
        self._hub.enter(self, name, kind, version)
        return True

    def _compare_access(self, version: int) -> None:
        """A page drawn under older rights: the personal regions are asked again."""
        self._tells_access = True
        if version < self.shown[self._access].version:
            self.recheck()

    async def _catch_up(self, names: list[str]) -> None:
        await self._engine.bus.confirmed({versions.split(name)[0] for name in names})
        try:
            await self._hub.catch_up(self, names)
        except Exception:
            log.exception("versions could not be read")
            raise Closed(TRY_LATER) from None

    def _unwatch(self, names: list[object]) -> None:
        for name in names:
            if isinstance(name, str) and name != self._access:
                self._hub.leave(self, name)
