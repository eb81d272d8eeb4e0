"""A storm of messages in many rooms, Redis restarted in its middle: each is on both screens, once.

STORM_ROOMS=100 is the full size: 50 people, 20 messages a second for a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import time
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from app import clock, db, embedded, topic
from app.chat import commands as chat
from app.people import sessions
from app.people.doors import cookie_name
from app.people.models import Membership, Person, PersonId, Role, Status
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.neighbours import Street, browser, found_street
from tests.workers import Worker, start_worker

FULL = "STORM_ROOMS" in os.environ
ROOMS = int(os.environ.get("STORM_ROOMS", "20"))
PEOPLE = max(12, ROOMS // 2)
PACE = 20  # messages a second
MESSAGES = PACE * (60 if FULL else 8)
SENT_AGAIN = 0.1  # so many lose their answer, and are sent a second time
WITHIN = 60  # seconds: a deadline on waiting
ROW = re.compile(
    r'id="message-(\d+)" data-born="(\d+)".*?<p class="body" dir="auto">(.*?)</p>', re.S
)


@dataclass
class Shown:
    """A room on one screen, kept as live.js keeps it: a row it has stays where it is."""

    rows: dict[int, str] = field(default_factory=dict)  # id → words, in the screen's order
    version: int = 0

    def take(self, frame: dict[str, Any]) -> list[str]:
        """The words that have come."""
        came = []
        assert frame["version"] >= self.version, "it went back"
        assert frame.get("since", 0) <= self.version, "there is a gap"
        if frame.get("reset"):
            self.rows.clear()
        for id, born, words in ROW.findall(frame["html"]):
            if int(id) not in self.rows and (frame.get("reset") or int(born) > self.version):
                self.rows[int(id)] = words
                came.append(words)
        self.version = frame["version"]
        return came


@dataclass
class Storm:
    """What was said and when, and when it was on which screen; seconds."""

    said: dict[str, float] = field(default_factory=dict)
    seen: dict[tuple[int, str], float] = field(default_factory=dict)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, screens: int) -> None:
        """Waits until all that was said is on so many screens of its own."""
        async with asyncio.timeout(WITHIN):
            while len(self.seen) < screens:
                self.heard.clear()
                await self.heard.wait()


@dataclass
class Talker:
    """Somebody with all of their rooms open on one screen."""

    id: PersonId
    cookie: str
    at: Worker
    storm: Storm
    rooms: dict[str, Shown] = field(default_factory=dict)  # topic → what is shown of it
    live: int = 0
    _socket: ClientConnection = field(init=False)
    _client: httpx.AsyncClient = field(init=False)

    async def opens(self, stack: AsyncExitStack) -> None:
        headers = {"Cookie": f"{cookie_name()}={self.cookie}", "Origin": self.at.url}
        address = f"ws://127.0.0.1:{self.at.port}/live"
        self._socket = await stack.enter_async_context(connect(address, additional_headers=headers))
        self._client = await stack.enter_async_context(browser(self.at, self.cookie))

    async def watches(self, number: int) -> None:
        """Waits until nothing is behind what it shows."""
        wanted = {name: shown.version for name, shown in self.rooms.items()}
        await self._socket.send(json.dumps({"watch": wanted, "n": number}))
        async with asyncio.timeout(WITHIN):
            while self.live < number:
                self.storm.heard.clear()
                await self.storm.heard.wait()

    async def hears(self) -> None:
        async for words in self._socket:
            frame = json.loads(words)
            self.live = frame.get("live", self.live)
            if "html" in frame and frame.get("topic") in self.rooms:
                now = time.monotonic()
                for one in self.rooms[frame["topic"]].take(frame):
                    self.storm.seen[self.id, one] = now
            self.storm.heard.set()

    async def says(self, slug: str, room: str, words: str, *, again: bool) -> None:
        path = f"/c/{slug}/rooms/{room.rsplit('/', 1)[1]}/messages"
        self.storm.said[words] = time.monotonic()
        form = {"body": words, "client_id": str(uuid.uuid4())}
        answers = [await self._post(path, form)]
        while answers[-1] == 503 or (again and len(answers) == 1):  # as outbox.js does
            answers.append(await self._post(path, form))
        assert answers[-1] == 303, f"{answers}: {self.at.last_error()}"

    async def _post(self, path: str, form: dict[str, str]) -> int:
        return (await self._client.post(path, data=form)).status_code


async def moved_in(street: Street, storm: Storm) -> list[Talker]:
    """So many people, and rooms of two of them, each about a tool of one."""
    here, now = street.here, clock.now()
    async with db.begin() as tx:
        persons = [
            Person(
                email=f"{n}.{here.slug}@example.org",
                name=f"Neighbour {n}",
                password_hash="none",
                created_at=now,
            )
            for n in range(PEOPLE)
        ]
        tx.add_all(persons)
        await tx.flush()
        tx.add_all(
            Membership(
                community_id=here.id,
                person_id=one.id,
                role=Role.MEMBER,
                status=Status.ACTIVE,
                asked_at=now,
                joined_at=now,
            )
            for one in persons
        )
        await tx.flush()
        talkers = [
            Talker(
                PersonId(one.id),
                await sessions.open_session(tx, PersonId(one.id), "a test", now),
                street.workers[n % 2],
                storm,
            )
            for n, one in enumerate(persons)
        ]
        for n in range(ROOMS):
            two = (talkers[n % PEOPLE], talkers[(n + 1 + n // PEOPLE) % PEOPLE])
            text = ToolText(name=f"Drill {n}", category="drills")
            tool = await tools.list_tool(tx, text, street.ada.viewer, now)
            asker, ids = two[0].id, [one.id for one in two]
            room = await chat.open_for(
                tx, here.id, ids, now, tool_id=tool.id, asker_id=asker, question=True
            )
            for one in two:
                one.rooms[topic.room(here.id, room)] = Shown()
    return talkers


async def blows(slug: str, talkers: list[Talker], redis: list[embedded.Server], at: Path) -> None:
    """Everything is said at its time; Redis goes in the middle and is back a little later."""
    chance, begin = random.Random(0), time.monotonic()
    order = [n % PEOPLE for n in range(MESSAGES)]
    chance.shuffle(order)
    back = MESSAGES // 2 + MESSAGES // 10
    async with asyncio.TaskGroup() as tasks:
        for n, who in enumerate(order):
            await asyncio.sleep(begin + n / PACE - time.monotonic())  # a storm has its pace
            talker = talkers[who]
            room, again = chance.choice([*talker.rooms]), chance.random() < SENT_AGAIN
            tasks.create_task(talker.says(slug, room, f"Word {n}", again=again))
            if n == MESSAGES // 2:
                await asyncio.to_thread(redis[0].stop)
            elif n == back:
                redis.append(embedded.start_valkey(at))


def told(storm: Storm) -> str:
    """How old words were when a screen had them, their writer's own included."""
    took = sorted(at - storm.said[words] for (_, words), at in storm.seen.items())
    ages = (took[len(took) // 2], took[-(-99 * len(took) // 100) - 1], took[-1])
    p50, p99, last = (f"{1000 * age:.0f} ms" for age in ages)
    storm_was = f"{MESSAGES} messages of {PEOPLE} people in {ROOMS} rooms"
    return f"{storm_was}: on a screen after {p50} (p50), {p99} (p99), {last} (the last)"


async def test_each_word_of_a_storm_is_on_both_screens_once_and_in_one_order(
    tmp_path: Path,
) -> None:
    storm, redis = Storm(), [embedded.start_valkey(tmp_path)]
    async with AsyncExitStack() as stack:
        stack.callback(lambda: redis[-1].stop())
        url = redis[0].url
        pair = await asyncio.gather(
            start_worker("left", REDIS_URL=url), start_worker("right", REDIS_URL=url)
        )
        for worker in pair:
            stack.push_async_callback(worker.stop)
        street = await stack.enter_async_context(found_street(pair))
        talkers = await moved_in(street, storm)
        for one in talkers:
            await one.opens(stack)
        async with asyncio.TaskGroup() as tasks:
            hearing = [tasks.create_task(one.hears()) for one in talkers]
            for one in talkers:
                await one.watches(1)
            await blows(street.here.slug, talkers, redis, tmp_path)
            await storm.until(2 * MESSAGES)
            for one in talkers:
                await one.watches(2)  # and nothing more comes
            for each in hearing:
                each.cancel()
        of_room: dict[str, list[list[str]]] = {}
        for one in talkers:
            for room, shown in one.rooms.items():
                of_room.setdefault(room, []).append([*shown.rows.values()])
        for left, right in of_room.values():
            assert left == right, "both have it in one order"
        words = [word for left, _ in of_room.values() for word in left]
        assert sorted(words) == sorted(storm.said), "each once, and nothing else"
        assert len(words) == MESSAGES
        print(told(storm))
