"""A websocket's client byte by byte, for what no decent client sends."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .world import DEADLINE, Worker

TEXT, CONT, CLOSE, PING = 1, 0, 8, 9
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, squeezed: bool = False) -> bytes:
    """Masked with zeros, which changes nothing and is allowed."""
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    bits = (0x80 if fin else 0) | (0x40 if squeezed else 0)
    return bytes([bits | opcode]) + size + bytes(4) + data


def close(code: int) -> bytes:
    return frame(CLOSE, struct.pack("!H", code))


class Raw:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self) -> tuple[int, bytes]:
        """The next frame: what sort, and what it holds."""
        async with asyncio.timeout(DEADLINE):
            first, size = await self.reader.readexactly(2)
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            return first & 15, await self.reader.readexactly(size)

    async def closed_with(self) -> int:
        while True:
            sort, data = await self.hear()
            if sort == CLOSE:
                return int.from_bytes(data[:2], "big")


@asynccontextmanager
async def raw(
    worker: Worker, person: int, *, early: bytes = b"", squeezes: bool = False
) -> AsyncIterator[Raw]:
    """A socket of the engine; `early` comes while the door still looks who it is.

    One that `squeezes` may send compressed messages.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
    request = (
        "GET /live HTTP/1.1\r\nHost: ours\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Origin: http://ours\r\nCookie: person={person}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\n"
        f"{'Sec-WebSocket-Extensions: permessage-deflate' if squeezes else 'DNT: 1'}\r\n\r\n"
    )
    at_the_door, let_in = asyncio.Event(), asyncio.Event()
    entrance = worker.engine.entrance
    asked = entrance._listeners

    async def hesitant(tx: Any, keys: Any) -> Any:
        at_the_door.set()
        await let_in.wait()
        return await asked(tx, keys)

    entrance._listeners = hesitant
    writer.write(request.encode())
    async with asyncio.timeout(DEADLINE):
        await at_the_door.wait()
        writer.write(early)
        await writer.drain()
        for _ in range(10):  # the server reads it on this same loop
            await asyncio.sleep(0.001)
        entrance._listeners = asked
        let_in.set()
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()
