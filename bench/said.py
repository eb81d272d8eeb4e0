"""From saying something at one worker to the screen of the other one, beside bare pub/sub."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect

from app import clock, db, topic
from app.chat import commands as chat
from app.people.doors import cookie_name
from bench import neighbours
from bench.browser import Browser
from bench.card import FLOOR, WITHIN, published
from bench.figures import Section, latency
from bench.ground import Ground, Worker
from bench.neighbours import Neighbour
from bench.size import CLIENTS, Size

ANSWER, SENT = "on the other's screen since the answer", "on the other's screen since sending"


@dataclass
class Talk:
    """A room of two: one writes at one worker, the other one's page is open at the other."""

    writer: Browser
    path: str  # of the room
    topic: str
    screen: ClientConnection | None = None

    async def say(self, words: str) -> float:
        """Answers when it was taken."""
        await self.writer.post(f"{self.path}/messages", body=words, client_id=uuid.uuid4())
        return time.perf_counter()

    async def arrival(self, words: str) -> float:
        """When it was on the screen."""
        assert self.screen is not None, "somebody looks"
        async with asyncio.timeout(WITHIN):
            while True:
                said = await self.screen.recv()
                at = time.perf_counter()
                frame = json.loads(said)
                if frame.get("topic") == self.topic and words in frame.get("html", ""):
                    return at


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    section = Section(
        f"A message → the other's screen at the other worker ({size.said} a round)", tails=True
    )
    async with AsyncExitStack() as stack:
        talks = await rooms(stack, ground, slug="saying", look=True)

        async def round_once() -> None:
            section.add(FLOOR, latency(await published(size.acts)))
            found: dict[str, list[float]] = {ANSWER: [], SENT: []}
            for number in range(size.said):
                talk, words = talks[number % len(talks)], uuid.uuid4().hex
                sent = time.perf_counter()
                answered, arrived = await asyncio.gather(talk.say(words), talk.arrival(words))
                found[ANSWER].append(max(0.0, arrived - answered))
                found[SENT].append(arrived - sent)
            for name, seconds in found.items():
                section.add(name, latency(seconds))

        yield section, round_once


async def rooms(stack: AsyncExitStack, ground: Ground, *, slug: str, look: bool) -> list[Talk]:
    """As many as there are clients, their writers at both workers in turn."""
    talks = []
    for number, (ada, ben) in enumerate(await neighbours.street_of(CLIENTS, slug=slug)):
        tool = await neighbours.lists(ada, f"Drill {number}")
        here, two = ada.viewer.here, (ada.viewer.person_id, ben.viewer.person_id)
        async with db.begin() as tx:
            room = await chat.open_for(
                tx, here.id, two, clock.now(), tool_id=tool, asker_id=two[1], question=True
            )
        writes, looks = ground.workers[number % 2], ground.workers[1 - number % 2]
        writer = Browser(writes, ben.cookie)
        stack.callback(writer.close)
        talk = Talk(writer, f"{here.path}/rooms/{room}", topic.room(here.id, room))
        if look:
            talk.screen = await stack.enter_async_context(_open_page(looks, ada, talk.topic))
        talks.append(talk)
    return talks


@asynccontextmanager
async def _open_page(worker: Worker, by: Neighbour, name: str) -> AsyncIterator[ClientConnection]:
    headers = {"Cookie": f"{cookie_name()}={by.cookie}", "Origin": f"http://{worker.host}"}
    async with connect(f"ws://{worker.host}/live", additional_headers=headers) as socket:
        await socket.send(json.dumps({"watch": {name: 0}, "n": 1}))
        async with asyncio.timeout(WITHIN):
            while "live" not in json.loads(await socket.recv()):
                pass
        yield socket
