"""A whole town opens the wall in the same instant, at one worker."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from app import topic
from app.people.doors import cookie_name
from tests.neighbours import Neighbour, Street, found_street
from tests.workers import Worker, start_worker

CROWD = 2_400
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WITHIN = 60  # seconds: a deadline on waiting


@pytest.fixture
def descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(before[1], 20_000) if before[1] != resource.RLIM_INFINITY else 20_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], wanted), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
async def roomy(descriptors: None) -> AsyncIterator[Street]:
    """A street at one worker that lets very many in."""
    caps = {"LIVE_SOCKETS_A_PERSON": "1000", "LIVE_SOCKETS_AN_ADDRESS": "5000"}
    worker = await start_worker("roomy", port=0, **caps)
    async with found_street((worker, worker)) as street:
        yield street
    await worker.stop()


class Visitor:
    """An open page, at little cost: it remembers the last frame of each topic as it came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def comes(cls, who: Neighbour, worker: Worker) -> Visitor:
        visitor = cls(*await asyncio.open_connection("127.0.0.1", worker.port))
        visitor.writer.write(
            f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{worker.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nOrigin: {worker.url}\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: {cookie_name()}={who.cookie}\r\nSec-WebSocket-Key: {KEY}\r\n\r\n".encode()
        )
        head = await visitor.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return visitor

    def watches(self, *topics: str) -> None:
        data = json.dumps({"watch": dict.fromkeys(topics, 0), "n": 1}).encode()
        assert len(data) < 126
        self.writer.write(bytes([0x81, 0x80 | len(data)]) + bytes(4) + data)

    async def hears(self, words: bytes) -> None:
        """Until a frame has these words in it. A closing, or the end, is an error."""
        while True:
            first, size = await self.reader.readexactly(2)
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            data = await self.reader.readexactly(size)
            assert first & 15 != 8, f"closed: {data!r}"
            if words in data:
                return


async def test_everybody_who_comes_at_once_gets_in_and_is_live(roomy: Street) -> None:
    worker, people = roomy.workers[0], roomy.people
    drill = await roomy.ada.lists("Cordless drill")
    card = topic.tool(roomy.here.id, drill)
    async with AsyncExitStack() as stack, asyncio.timeout(WITHIN):

        async def comes(number: int) -> Visitor:
            visitor = await Visitor.comes(people[number % len(people)], worker)
            stack.callback(visitor.writer.close)
            visitor.watches(card)
            await visitor.hears(b'"live":1')
            return visitor

        visitors = await asyncio.gather(*(comes(number) for number in range(CROWD)))
        await roomy.cora.opens(roomy.cora.home)  # pages are answered beside them
        await roomy.ada.does(f"{roomy.ada.home}/tools/{drill}/pause")
        await asyncio.gather(*(visitor.hears(b"Paused") for visitor in visitors))
