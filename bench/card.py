"""From a commit in one worker to the fragment at a socket of the other, beside bare pub/sub."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from sqlalchemy import select
from websockets.asyncio.client import ClientConnection, connect

from app import db, topic
from app.people.doors import cookie_name
from app.realtime.versions import live_topic
from app.settings import settings
from bench import neighbours
from bench.browser import Browser
from bench.figures import Section, latency
from bench.ground import Ground, Worker
from bench.neighbours import Neighbour
from bench.size import Size

FLOOR = "bare Redis publish → receive"
COMMIT, ANSWER, SENT = "since the commit began", "since the answer", "since sending the POST"
NOTE = "the commit begins with the last statement before it; the answer is that of the POST"
REGION = re.compile(r'data-topic="([^"]+)" data-version="(\d+)"')
WITHIN = 10.0  # seconds for one fragment


@dataclass
class Screen:
    """An open page's socket, and the version it has of each topic."""

    socket: ClientConnection
    has: dict[str, int]

    async def arrival(self, name: str, others: set[str]) -> float:
        """The instant at which a newer fragment of `name` came; then waits for the others', so
        that no drawing of this act is left over for the next."""
        at, missing = 0.0, {name, *others}
        async with asyncio.timeout(WITHIN):
            while missing:
                frame = json.loads(await self.socket.recv())
                now, of = time.time(), frame.get("topic")
                if of in missing and frame["version"] > self.has[of]:
                    self.has[of] = frame["version"]
                    missing.discard(of)
                    at = now if of == name else at
        return at


@dataclass
class Act:
    """A tool that is paused and resumed in turn: the least that changes every open board."""

    owner: Browser
    path: str
    card: str
    paused: bool = False

    async def seen_by(self, screen: Screen) -> dict[str, float]:
        """Does it once; seconds from each start to the fragment of the card."""
        community = self.card.partition("/")[0]
        others = {f"{community}/board", f"{community}/recent"} & screen.has.keys()
        sent = time.time()
        answer = asyncio.create_task(self._press())
        try:
            arrived = await screen.arrival(self.card, others)
            answered = await answer
        finally:
            answer.cancel()
        async with db.snapshot() as tx:
            changed = select(live_topic.c.changed_at).where(live_topic.c.name == self.card)
            touched = (await tx.scalars(changed)).one().timestamp()
        starts = {COMMIT: touched, ANSWER: answered, SENT: sent}
        return {name: arrived - start for name, start in starts.items()}

    async def _press(self) -> float:
        await self.owner.post(f"{self.path}/pause/end" if self.paused else f"{self.path}/pause")
        self.paused = not self.paused
        return time.time()


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    first, second = ground.workers
    ada, ben = await neighbours.of_elm("ada"), await neighbours.of_elm("ben")
    tool_id = await neighbours.lists(ada, "Measured drill")
    card = topic.tool(ada.viewer.community_id, tool_id)
    owner = Browser(first, ada.cookie)
    act = Act(owner, f"{ada.home}/tools/{tool_id}", card)
    title = f"Commit in one worker → fragment at a socket of the other ({size.acts} acts a round)"
    section = Section(title, tails=True, notes=[NOTE])

    async def round_once() -> None:
        section.add(FLOOR, latency(await published(size.acts)))
        for watched, only in (("one card", {card}), ("a whole board", None)):
            found: dict[str, list[float]] = {COMMIT: [], ANSWER: [], SENT: []}
            async with _open_page(second, ben, only) as screen:
                for _ in range(size.acts):
                    for start, seconds in (await act.seen_by(screen)).items():
                        found[start].append(seconds)
            for start, samples in found.items():
                section.add(f"{watched} watched: {start}", latency(samples))

    yield section, round_once
    owner.close()


@asynccontextmanager
async def _open_page(worker: Worker, by: Neighbour, only: set[str] | None) -> AsyncIterator[Screen]:
    """A board page as its script opens it: a socket that watches the page's regions, or a few."""
    browser = Browser(worker, by.cookie)
    html = (await browser.get(by.home)).decode()
    browser.close()
    regions = {name: int(version) for name, version in REGION.findall(html)}
    regions = {name: version for name, version in regions.items() if not only or name in only}
    headers = {"Cookie": f"{cookie_name()}={by.cookie}", "Origin": f"http://{worker.host}"}
    async with connect(f"ws://{worker.host}/live", additional_headers=headers) as socket:
        await socket.send(json.dumps({"watch": regions, "n": 1}))
        async with asyncio.timeout(WITHIN):
            while "live" not in json.loads(await socket.recv()):
                pass
        yield Screen(socket, regions)


async def published(count: int) -> list[float]:
    """Seconds from publishing to receiving, with the client library that the workers use."""
    took = []
    channel = f"{settings.redis_prefix}:bench"
    async with Redis.from_url(settings.redis_url) as redis, redis.pubsub() as heard:
        await heard.subscribe(channel)
        await heard.get_message(timeout=WITHIN)
        for number in range(count):
            began = time.perf_counter()
            told = asyncio.ensure_future(redis.publish(channel, f"c1/tool/1@{number}"))
            message = await heard.get_message(timeout=WITHIN)
            took.append(time.perf_counter() - began)
            assert message is not None, "Redis delivers"
            await told
    return took
