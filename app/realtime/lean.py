"""What an open connection keeps: only what differs from one to the next."""

from __future__ import annotations

import logging
from typing import Any

from websockets.protocol import OPEN, SERVER
from websockets.protocol import Protocol as Sansio
from websockets.server import ServerProtocol


class Nothing:
    """Stands for queue, timer and event that a detached connection does not have."""

    def put_nowait(self, message: object) -> None:
        pass

    def cancel(self) -> None:
        pass

    def clear(self) -> None:
        pass

    set = clear


NOTHING: Any = Nothing()


class LeanConnection(ServerProtocol):
    """The library's connection; once open it keeps what differs from one to the next."""

    def shed(self) -> None:
        if not self.reader.buffer:
            # The generator that parsed the request still holds it.
            self.parser = Sansio.parse(self)
            next(self.parser)
        kept = ["reader", "parser", "events", "writes", "extensions"]
        if self.current_size is not None:  # in the middle of a message
            kept.append("current_size")
        self.__dict__ = {name: self.__dict__[name] for name in kept}

    # What all open connections have in common (`shed` drops each one's own).
    side = SERVER
    logger = logging.getLogger("uvicorn.error")
    debug = False
    _state = OPEN
    current_size = None
    expect_continuation_frame = False
    max_message_size: int | None = None  # uvicorn's --ws-max-size, once one has been made
    max_fragment_size = None
    close_rcvd = close_sent = close_rcvd_then_sent = None
    handshake_exc = parser_exc = None
    eof_sent = False
    origin = subprotocol = None
    id: Any = None
