"""A kept-alive HTTP/1.1 connection that costs little: the client shares the cores it measures."""

from __future__ import annotations

import asyncio
import re
import time
from typing import NamedTuple
from urllib.parse import urlencode

from app.people.doors import cookie_name
from bench.ground import Worker

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
IDLE = 3.0  # seconds: the server hangs up on a silent connection after five


class Answer(NamedTuple):
    status: int
    body: bytes


class Browser:
    """One person at one worker; one request at a time."""

    def __init__(self, worker: Worker, cookie: str) -> None:
        self._port = worker.port
        self._head = (
            f"Host: {worker.host}\r\nCookie: {cookie_name()}={cookie}\r\nAccept: text/html\r\n"
            "Sec-Fetch-Site: same-origin\r\n"
        )
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used_at = 0.0

    def close(self) -> None:
        if self._line:
            self._line[1].close()
            self._line = None

    async def get(self, path: str) -> bytes:
        """The page; anything but a page ends the run."""
        answer = await self._ask("GET", path)
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answered {answer.status}")
        return answer.body

    async def post(self, path: str, **form: object) -> None:
        """A form that must be taken."""
        answer = await self._ask("POST", path, urlencode(form).encode())
        if answer.status != 303:
            raise RuntimeError(f"POST {path} answered {answer.status}")

    async def _ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        if time.monotonic() - self._used_at > IDLE:
            self.close()
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._line
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if body else ""
        start = f"{method} {path} HTTP/1.1\r\n{self._head}{kind}Content-Length: {len(body)}\r\n\r\n"
        writer.write(start.encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        if length is None:
            raise RuntimeError(f"{method} {path} answered without a length")
        answer = Answer(int(head[9:12]), await reader.readexactly(int(length[1])))
        self._used_at = time.monotonic()
        return answer
