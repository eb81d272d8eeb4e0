"""Engines without Redis and sockets without a network: the real hub, socket and door between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from app.realtime import Engine
from app.realtime.reader import Found
from app.realtime.versions import Hint


class Bus:
    """Hears nothing by itself: a test carries the hints, as it pleases."""

    connected = False

    def __init__(self) -> None:
        self.sent: list[Hint] = []

    def want(self, scope: str) -> None: ...

    def unwant(self, scope: str) -> None: ...

    async def confirmed(self, scopes: Iterable[str]) -> bool:
        return False

    def announce(self, hints: Iterable[Hint]) -> None:
        self.sent += hints

    async def listen_forever(self) -> None:
        await asyncio.Event().wait()

    publish_forever = listen_forever


def without_redis(engine: Engine) -> Engine:
    engine.bus = cast(Any, Bus())
    return engine


class Wire:
    """The connection of one screen, with what waits for its reader while that one does not read."""

    window = 0

    def __init__(self, hear: Callable[[dict[str, Any]], None]) -> None:
        self.transport, self.owner, self._hear = self, cast(Any, None), hear
        self.reading, self.alive = True, True
        self.waiting = b""
        self.full = False
        self.most_waiting = 0
        self.code: int | None = None
        self.on_write: Callable[[dict[str, Any]], None] = lambda frame: None

    # --- what a transport has

    def get_extra_info(self, name: str) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def write(self, data: bytes) -> None:
        for text in frames_in(data):
            self.on_write(json.loads(text))
        self.waiting += data
        if self.reading:
            self._pass_on()
            return
        self.most_waiting = max(self.most_waiting, len(self.waiting))
        if not self.full:
            self.full = True
            self.owner.overflow()

    # --- what FrameProtocol has

    def detach(self, owner: Any) -> None:
        self.owner = owner

    def close(self, code: int) -> None:
        if self.code is None and self.owner is not None:
            self.code = code
            asyncio.get_running_loop().call_later(1.0, self.lose)

    def ping(self) -> None:
        pass

    # --- what a test does

    def stop_reading(self) -> None:
        self.reading = False

    def read_on(self) -> None:
        self.reading = True
        self._pass_on()
        if self.full:
            self.full = False
            if self.owner is not None:
                self.owner.drained()

    def say(self, message: object) -> None:
        if self.owner is not None and self.code is None:
            self.owner.hear(json.dumps(message))

    def lose(self) -> None:
        """The network is gone, and the kernel has noticed."""
        if self.owner is not None:
            owner, self.owner = self.owner, None
            if self.code is None:
                self.code = 1006
            owner.lost(self.code)

    def _pass_on(self) -> None:
        data, self.waiting = self.waiting, b""
        for text in frames_in(data):
            self._hear(json.loads(text))


def frames_in(data: bytes) -> Iterator[str]:
    """The texts of whole frames, uncompressed, as a server writes them."""
    while data:
        assert data[0] == 0x81, "only whole texts"
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        yield data[start : start + size].decode()
        data = data[start + size :]


async def opened(engine: Engine, person: int, hear: Callable[[dict[str, Any]], None]) -> Wire:
    """What the door does once the handshake is through."""
    wire = Wire(hear)
    found = await engine.entrance.find(person)
    assert found is not None
    hold(engine, wire, found)
    return wire


def hold(engine: Engine, wire: Wire, found: Found) -> None:
    engine.door._hold(cast(Any, wire), found, "here")
