"""The server's HTTP protocol with what it lacks: bounds on a head, and an end that loses nothing.

Given to uvicorn as `http="app.http.wire:BoundedHttp"`. Its parser keeps an unfinished header in
memory for as long as more of it comes; its shutdown closes kept-alive connections at once, also
those on which a request is under way to us.
"""

from __future__ import annotations

import asyncio
import select
from typing import Any

from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES = 64 * 1024
HEAD_WITHIN = 30.0  # seconds
IDLE_GRACE = 2  # seconds that a kept-alive connection has for one more request when we end
SENT_AHEAD = 16  # requests that we then take from a connection while others wait for an answer
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class HeadTooLarge(Exception):  # noqa: N818
    """Raised inside the parser, which then counts the request as invalid."""


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection whose request line and headers are too many or come too slowly.

    Once the worker is to end, each connection gets the answers it waits for, the last with
    `connection: close`; an idle one is kept for a grace, and a websocket is refused with 503.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head = 0  # bytes of request line, headers and trailers
        self._unparsed = 0  # bytes since the parser last made something of them
        self._in_head = False
        self._patience: asyncio.TimerHandle | None = None
        self._ending = False
        self._last: RequestResponseCycle | None = None  # whose answer we made say "close"
        # Already now, a turn of the loop before connection_made: shutdown() must not miss us.
        self.connections.add(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()
        if self._ending:
            self._keep_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self.parser is None or self.transport.is_closing():
            return
        if self._unparsed > HEAD_BYTES:
            self.transport.write(TOO_LARGE)
            self.transport.close()
        elif self._is_idle():  # stray line ends, or what is left of a body
            self._keep_idle()

    # --- heads

    def on_message_begin(self) -> None:
        self._head = 0
        self._in_head = True
        self._wait_for_head()
        self._keep_for_one_more()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_head = False
        if self._ending and self._get_upgrade() == b"websocket":
            self.app = service_unavailable  # nothing can follow it here
        super().on_headers_complete()
        if self._ending:
            self._close_after_this()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def _count(self, size: int) -> None:
        self._unparsed = 0
        self._head += size
        if self._head > HEAD_BYTES:
            raise HeadTooLarge

    def _wait_for_head(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    # --- the end of the worker, and idle connections

    def shutdown(self) -> None:
        """The worker is to end. A head that is half there may still be completed."""
        self._ending = True
        self.timeout_keep_alive = min(self.timeout_keep_alive, IDLE_GRACE)
        if self.transport is None:
            return
        if self._is_idle():
            self._unset_keepalive_if_required()
            self._keep_idle()
        elif not self._in_head:
            self._close_after_this()

    def _is_idle(self) -> bool:
        return not self._in_head and (self.cycle is None or self.cycle.response_complete)

    def _keep_idle(self) -> None:
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def timeout_keep_alive_handler(self) -> None:
        """A busy loop may be late to read what has come in time: that is not idle."""
        if self.transport.is_closing() or not self._is_idle():
            return
        if self._has_unread():
            self.loop.call_soon(self.timeout_keep_alive_handler)
        else:
            self.transport.close()

    def _has_unread(self) -> bool:
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def _close_after_this(self) -> None:
        """The newest request's answer says "close", unless it has begun: then we are idle next."""
        if self.cycle.keep_alive and not self.cycle.response_started:
            self.cycle.keep_alive = False
            self._last = self.cycle
        # Requests sent ahead wait unread behind it, and closing would throw its answer away, too.
        if len(self.pipeline) < SENT_AHEAD:
            self.flow.resume_reading()

    def _keep_for_one_more(self) -> None:
        """Whoever sends requests ahead gets them all answered."""
        if self._last is not None and not self._last.response_started:
            self._last.keep_alive = True
        self._last = None

    # --- websockets

    def _should_upgrade(self) -> bool:
        return not self._ending and super()._should_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        if not self._ending:
            super()._unsupported_upgrade_warning()

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        # The two hold each other: all this would stay for as long as the socket.
        self.parser = None  # type: ignore[assignment]
