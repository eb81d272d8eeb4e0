"""Where a websocket comes in and goes out: who may, how many, and what is told of its life."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response
from starlette.websockets import WebSocket

from app.realtime.frames import FrameProtocol, wire_of
from app.realtime.limits import POLICY, SIGNED_OUT
from app.realtime.reader import Found, UnansweredError
from app.realtime.socket import Socket
from app.realtime.topics import frame

if TYPE_CHECKING:
    from app.realtime.engine import Engine

log = logging.getLogger(__name__)


class Life(NamedTuple):
    """One socket's, when it is over."""

    person_id: int
    code: int
    seconds: float
    writes: int
    bytes: int
    behind: int  # how often it was


class Door:
    def __init__(self, engine: Engine, on_end: Callable[[Life], None]) -> None:
        self._engine, self._on_end = engine, on_end
        self._numbered = 0
        self._per: Counter[object] = Counter()  # person or address → sockets

    async def serve(self, websocket: WebSocket) -> None:
        engine, wire = self._engine, wire_of(websocket)
        if engine.stopping or wire is None:
            if wire is None:
                log.error("start uvicorn with --ws app.realtime.frames:FrameProtocol")
            await websocket.send_denial_response(Response(status_code=503))
        elif not engine.allowed_origin(websocket):
            await websocket.close(POLICY)
        else:
            await self._open(websocket, wire)

    async def _open(self, websocket: WebSocket, wire: FrameProtocol) -> None:
        engine = self._engine
        key = engine.session_key(websocket)
        try:
            found = None if key is None else await engine.entrance.find(key)
        except UnansweredError:
            await websocket.send_denial_response(Response(status_code=503))
            return
        await websocket.accept()
        if found is None:
            await websocket.close(SIGNED_OUT)
        elif not self._has_room(found.listener.person_id, address := engine.address(websocket)):
            await websocket.close(POLICY)
        else:
            self._hold(wire, found, sys.intern(address))

    def _has_room(self, person_id: int, address: str) -> bool:
        limits = self._engine.limits
        return (
            self._per[person_id] < limits.sockets_a_person
            and self._per[address] < limits.sockets_an_address
        )

    def _hold(self, wire: FrameProtocol, found: Found, address: str) -> None:
        engine = self._engine
        self._numbered += 1
        socket = Socket(engine, wire, found.listener, address, self._numbered)
        wire.detach(socket)
        self._per.update((found.listener.person_id, address))
        engine.sockets.add(socket)
        engine.counters["sockets_opened"] += 1
        socket.tell(frame(epoch=engine.epoch))
        socket.begin(found.access)

    def forget(self, socket: Socket) -> None:
        """It is over."""
        engine = self._engine
        engine.sockets.discard(socket)
        engine.behind.discard(socket)
        for one in (socket.listener.person_id, socket.address):
            self._per[one] -= 1
            if self._per[one] <= 0:
                del self._per[one]
        code = socket.closed or 0
        engine.counters[f"closed_{code}"] += 1
        seconds = time.monotonic() - socket.opened_at
        self._on_end(
            Life(
                socket.listener.person_id,
                code,
                seconds,
                socket.writes,
                socket.written,
                socket.behind,
            )
        )
