"""How much a request may carry, counted while it is read, whatever its Content-Length says."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIB = 1024 * 1024
USUAL = MIB
HEARD_OUT = 4  # times the limit: what is sent beyond is cut off
HEARD_OUT_WITHIN = 5.0  # seconds


class TooLarge(HTTPException):
    """An HTTPException, since FastAPI turns any other error while parsing into a 400."""

    def __init__(self, limit: int) -> None:
        amount = f"{limit // MIB} MiB" if limit >= MIB else f"{limit // 1024} KiB"
        # What is left of the body is not read, so the connection cannot be used again.
        super().__init__(
            413, f"That is too large: {amount} is the most.", headers={"Connection": "close"}
        )


class BodyLimit:
    """ASGI: 413 beyond `usual` bytes; `roomy` gives path patterns a limit of their own.

    Stands inside everything that writes answers, since what it raises becomes a page there.
    """

    def __init__(
        self, app: ASGIApp, usual: int = USUAL, roomy: Mapping[str, int] | None = None
    ) -> None:
        self.app = app
        self.usual = usual
        self.roomy = [(re.compile(path), limit) for path, limit in (roomy or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit = self._limit(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        too_large = not declared.isdigit() or int(declared) > limit
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if too_large or read > limit:
                await _hear_out(receive, message, HEARD_OUT * limit - read)
                raise TooLarge(limit)
            return message

        return await self.app(scope, receive_counted, send)

    def _limit(self, path: str) -> int:
        return next((limit for shape, limit in self.roomy if shape.fullmatch(path)), self.usual)


async def _hear_out(receive: Receive, message: Message, rest: int) -> None:
    """Throw away what is still coming, within reason: who is cut off while sending never reads
    the answer, since the connection's end overtakes it.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARD_OUT_WITHIN):
            while message.get("more_body") and rest > 0:
                message = await receive()
                rest -= len(message.get("body", b""))
