"""A bare HTTP/1.1 connection: the test knows what it wrote, and each byte that came back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

WITHIN = 20.0  # seconds: a deadline on waiting


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether it says that its connection takes no other request."""
        return self.headers.get("connection", "").lower() == "close"


class Lost(Exception):  # noqa: N818
    """The connection ended before the whole answer; `heard` is what had come of it."""

    def __init__(self, heard: bytes) -> None:
        super().__init__(f"{len(heard)} bytes of an answer came")
        self.heard = heard


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> Line:
        async with asyncio.timeout(WITHIN):
            return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**20))

    def says(self, *requests: bytes) -> None:
        self.writer.write(b"".join(requests))

    async def asks(self, request: bytes) -> Answer:
        self.says(request)
        return await self.hears()

    async def hears(self) -> Answer:
        """The next answer. Raises Lost if there is none, or only a part."""
        head = b""
        try:
            async with asyncio.timeout(WITHIN):
                head = await self.reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").rstrip().split("\r\n")
                pairs = (line.partition(":") for line in lines)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await self._body(headers)
        except (asyncio.IncompleteReadError, ConnectionError) as cut:
            part = cut.partial if isinstance(cut, asyncio.IncompleteReadError) else b""
            raise Lost(head + part) from cut
        return Answer(int(first.split()[1]), headers, body)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(headers.get("content-length", "0")))
        body = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)
        return body

    async def ends(self) -> bytes:
        """Waits until the server closes; answers what it had still said."""
        async with asyncio.timeout(WITHIN):
            return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of one request; `Sec_Fetch_Site="…"` becomes a header."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
