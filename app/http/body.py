"""How much a request may carry, counted while it is read, whatever its Content-Length says."""

import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIB = 1024 * 1024
USUAL = MIB


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
            if too_large:
                raise TooLarge(limit)
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise TooLarge(limit)
            return message

        return await self.app(scope, receive_counted, send)

    def _limit(self, path: str) -> int:
        return next((limit for shape, limit in self.roomy if shape.fullmatch(path)), self.usual)
