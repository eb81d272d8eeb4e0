"""A thin subclass of uvicorn's websocket protocol: an owner writes ready frames to the wire.

Give it to uvicorn as `--ws app.realtime.frames:FrameProtocol`. The endpoint accepts, calls
`wire_of(websocket).detach(owner)` and returns; from then on the connection holds no request, no
task and no queue. Parsing, closing and control frames stay the library's; an app that never
detaches behaves as under uvicorn's own class.
"""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any, Protocol

from starlette.requests import HTTPConnection
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import OPEN

from app.realtime.lean import NOTHING, LeanConnection

EXTENSION = "app.realtime.wire"
UNSENT_BYTES = 128 * 1024  # what the kernel takes beyond what is on its way
FRAGMENTS = 64  # of one message
GRACE = 1.0  # seconds that the other side has to answer a close frame
DRAIN_OVER = 3.0  # seconds over which a worker that leaves spreads its closing

# Without context takeover no zlib state stays with a socket, and a frame that was compressed once
# fits every socket whose window is the same.
WINDOW = 12
SETTINGS = {"memLevel": 5}


class Owner(Protocol):
    """Who holds a detached connection. None of these may wait."""

    def hear(self, text: str | None) -> None:
        """A whole message came; None if it was not text."""

    def overflow(self) -> None:
        """The kernel takes no more: what was written last waits, if only in part."""

    def drained(self) -> None:
        """Nothing waits any more."""

    def close(self, code: int) -> None:
        """The worker leaves: time to say goodbye."""

    def lost(self, code: int) -> None:
        """Nothing can be written any more; the code says why (RFC 6455, 7.4)."""


class FrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol; detached it is the wire between a socket's owner and the transport."""

    owner: Owner | None = None
    alive = True  # heard since the last ping

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        extensions = []
        if self.config.ws_per_message_deflate:
            extensions = [
                ServerPerMessageDeflateFactory(
                    server_no_context_takeover=True,
                    client_no_context_takeover=True,
                    server_max_window_bits=WINDOW,
                    client_max_window_bits=WINDOW,
                    compress_settings=SETTINGS,
                )
            ]
        self.conn: LeanConnection = LeanConnection(
            extensions=extensions, max_size=self.config.ws_max_size, logger=self.logger
        )
        LeanConnection.max_message_size = self.config.ws_max_size

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    # --- detaching

    @property
    def window(self) -> int:
        """Bits of the window with which frames may be compressed; 0: not at all."""
        for extension in self.conn.extensions:
            if isinstance(extension, PerMessageDeflate) and extension.local_no_context_takeover:
                return extension.local_max_window_bits
        return 0

    def detach(self, owner: Owner) -> None:
        """Call once, after accepting; messages that come meanwhile are handed over afterwards."""
        self.owner = owner
        self.transport.set_write_buffer_limits(high=0)  # told of whatever the kernel does not take
        plain = self.transport.get_extra_info("socket")
        if plain is not None and hasattr(socket, "TCP_NOTSENT_LOWAT") and _is_tcp(plain):
            # Else the kernel takes in megabytes of what will be old news to a slow reader.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.stop_keepalive()  # the owner pings
        # uvicorn hangs up when the app returns, unless a closing is under way.
        self.close_timer = self.close_timer or NOTHING

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if self.owner is not None:
            self._shed(self.owner)

    def _shed(self, owner: Owner) -> None:
        """Let go of scope, headers, request, queue and timers: now the owner has the socket."""
        early, resume, closing = self.queue, self.read_paused, self.close_sent
        kept = ["transport", "conn", "connections", "owner"]
        if self.frames:
            kept += ["frames", "curr_msg_data_type"]
        self.__dict__ = {name: self.__dict__[name] for name in kept}
        if closing:
            self.close_sent = True
        self.conn.shed()
        while not early.empty():
            message = early.get_nowait()
            if message["type"] == "websocket.receive":
                owner.hear(message.get("text"))
        if resume and not self.transport.is_closing():
            self.transport.resume_reading()

    # What all detached connections have in common (`_shed` drops each one's own).
    queue = writable = NOTHING
    frames: Any = ()
    curr_msg_data_type = "bytes"
    handshake_initiated = handshake_complete = True
    close_sent = disconnected = read_paused = False
    close_timer = ping_timer = pong_timer = None
    pending_ping_payload = initial_response = None

    # --- in

    def handle_text(self, event: Frame) -> None:
        if self.owner is None or not event.fin:
            super().handle_text(event)
        elif not self.close_sent:
            self._hand_over(self.owner, bytes(event.data), "text")

    def handle_cont(self, event: Frame) -> None:
        if self.owner is not None and len(self.frames) >= FRAGMENTS:
            self._fail(CloseCode.POLICY_VIOLATION)  # empty ones count for no bytes
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        # Whoever does not read the answers gets none: they would pile up.
        if self.owner is not None and self.transport.get_write_buffer_size():
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def send_receive_event_to_app(self) -> None:
        if self.owner is None:
            super().send_receive_event_to_app()
            return
        message = b"".join(self.frames)
        del self.frames
        if not self.close_sent:
            self._hand_over(self.owner, message, self.curr_msg_data_type)

    def _hand_over(self, owner: Owner, message: bytes, sort: str) -> None:
        self.alive = True
        try:
            owner.hear(message.decode() if sort == "text" else None)
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA)

    def handle_pong(self, event: Frame) -> None:
        self.alive = True
        super().handle_pong(event)

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self._hang_up()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._hang_up()

    def _hang_up(self) -> None:
        """Closing waits for what is still to be written: for who does not read, for ever."""
        if self.owner is not None and self.transport.get_write_buffer_size():
            self.abort()
        self._lose()

    # --- out, for the owner

    def ping(self) -> None:
        """To be called regularly: who has not answered until the next one is gone."""
        if self.close_sent or self.transport.is_closing():
            return
        if not self.alive:
            self._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
            return
        self.alive = False
        self.conn.send_ping(b"live")
        self._write_out()

    def close(self, code: int) -> None:
        """Says why, and gives the other side a moment to answer."""
        if self.close_sent or self.transport.is_closing():
            return
        self.close_sent = True
        if self.conn.state is OPEN:  # else theirs came in the same packet, and is answered
            self.conn.send_close(code)
        self._write_out()
        self.close_timer = asyncio.get_running_loop().call_later(GRACE, self.abort)

    def abort(self) -> None:
        """Without waiting for what is still to be written: a full buffer would wait for ever."""
        self.transport.abort()

    def _fail(self, code: int, reason: str = "") -> None:
        self.conn.fail(code, reason)
        self.close_sent = True
        self._write_out()
        if self.transport.get_write_buffer_size():
            self.abort()
        else:
            self.transport.close()
        self._lose()

    def _write_out(self) -> None:
        self.transport.write(b"".join(self.conn.data_to_send()))

    # --- the transport's calls

    def pause_writing(self) -> None:
        if self.owner is None:
            super().pause_writing()
        else:
            self.owner.overflow()

    def resume_writing(self) -> None:
        if self.owner is None:
            super().resume_writing()
        else:
            self.owner.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        if "queue" in self.__dict__:
            super().connection_lost(exc)
        else:
            self.connections.discard(self)
            self.disconnected = True
            if self.close_timer is not None:
                self.close_timer.cancel()
        self._lose()

    def _lose(self) -> None:
        if self.owner is not None:
            owner, self.owner = self.owner, None
            sent, rcvd = self.conn.close_sent, self.conn.close_rcvd
            first = rcvd if self.conn.close_rcvd_then_sent else sent or rcvd
            owner.lost(first.code if first else CloseCode.ABNORMAL_CLOSURE)

    def shutdown(self) -> None:
        """The worker leaves: browsers go elsewhere, not all in the same instant."""
        if "queue" in self.__dict__:
            super().shutdown()
        else:
            later = random.uniform(0, DRAIN_OVER)
            asyncio.get_running_loop().call_later(later, self._leave)

    def _leave(self) -> None:
        if self.owner is not None:
            self.owner.close(CloseCode.SERVICE_RESTART)


def _is_tcp(plain: Any) -> bool:
    return plain.family in (socket.AF_INET, socket.AF_INET6)


def wire_of(connection: HTTPConnection) -> FrameProtocol | None:
    """The wire under a websocket; None if uvicorn was started without this protocol."""
    wire = connection.scope.get("extensions", {}).get(EXTENSION)
    return wire if isinstance(wire, FrameProtocol) else None
