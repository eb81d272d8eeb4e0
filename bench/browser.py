"""A kept-alive HTTP/1.1 connection that costs little: the client shares the cores it measures."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import urlencode

from app.people.doors import cookie_name
from bench.ground import Worker

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Answer(NamedTuple):
    status: int
    body: bytes


@dataclass
class Browser:
    """One person at one worker; one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    @classmethod
    async def open(cls, worker: Worker, cookie: str) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
        head = (
            f"Host: {worker.host}\r\nCookie: {cookie_name()}={cookie}\r\nAccept: text/html\r\n"
            "Sec-Fetch-Site: same-origin\r\n"
        )
        return cls(reader, writer, head)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()

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
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if body else ""
        start = f"{method} {path} HTTP/1.1\r\n{self.head}{kind}Content-Length: {len(body)}\r\n\r\n"
        self.writer.write(start.encode() + body)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        if length is None:
            raise RuntimeError(f"{method} {path} answered without a length")
        return Answer(int(head[9:12]), await self.reader.readexactly(int(length[1])))
