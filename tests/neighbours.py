"""The story people: ada lends, ben borrows, cy waits, cora coordinates; and how they act.

They act as people do: through the pages' own forms, over real HTTP, each at one of two workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from app import clock, db
from app.people import commands as people
from app.people import queries as people_queries
from app.people import sessions
from app.people.doors import cookie_name
from app.people.models import Membership, Person, PersonId, Role, Status
from app.people.viewer import Here, Viewer
from app.tools import commands as tools
from tests.workers import Worker

WITHIN = 10.0  # seconds: a deadline on waiting, not a claim about speed
_numbers = itertools.count(1)


@dataclass
class Screen:
    """An open page's socket: what it shows of each topic it watches, as live.js would keep it."""

    socket: ClientConnection
    html: dict[str, str | None] = field(default_factory=dict)
    version: dict[str, int] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    live: int = -1
    _watches: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    async def watch(self, *topics: str, versions: dict[str, int] | None = None) -> None:
        """Waits until each topic has been drawn, or found up to date."""
        number = next(iter(self._watches))
        wanted = {topic: (versions or {}).get(topic, 0) for topic in topics}
        await self.socket.send(json.dumps({"watch": wanted, "n": number}))
        await self.until(lambda: self.live >= number)

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    async def until(self, seen: Any, within: float = WITHIN) -> None:
        """Reads frames until `seen()` holds."""
        async with asyncio.timeout(within):
            while not seen():
                self._take(json.loads(await self.socket.recv()))

    async def shows(self, topic: str, text: str, within: float = WITHIN) -> str:
        """Waits until the topic's region holds the text; answers its HTML."""
        try:
            await self.until(lambda: text in (self.html.get(topic) or ""), within)
        except TimeoutError:
            raise AssertionError(f"{topic} never showed {text!r}: {self.html.get(topic)}") from None
        return self.html[topic] or ""

    async def rises_above(self, topic: str, version: int) -> None:
        await self.until(lambda: self.version.get(topic, 0) > version)

    def _take(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        if "live" in frame:
            self.live = frame["live"]
        if "topic" not in frame or "version" not in frame:
            return
        topic, version = frame["topic"], frame["version"]
        assert version >= self.version.get(topic, 0), f"{topic} went back to {version}"
        self.version[topic] = version
        if "html" in frame:
            more = "since" in frame and not frame.get("reset")
            before = (self.html.get(topic) or "") if more else ""
            self.html[topic] = None if frame["html"] is None else before + frame["html"]


@dataclass
class Neighbour:
    """A person with a browser; `at` is the worker that answers them."""

    viewer: Viewer
    email: str
    cookie: str
    at: Worker
    client: httpx.AsyncClient

    @property
    def id(self) -> PersonId:
        return self.viewer.person_id

    @property
    def name(self) -> str:
        return self.viewer.name

    @property
    def home(self) -> str:
        return self.viewer.here.path

    async def opens(self, path: str) -> str:
        """The page's HTML; it must be there."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, self._why(path, answer)
        return answer.text

    def _why(self, path: str, answer: httpx.Response) -> str:
        told = f"{path}: {answer.status_code} {said(answer.text)}"
        return told if answer.status_code < 500 else f"{told}\n{self.at.last_error()}"

    async def posts(self, path: str, **form: object) -> httpx.Response:
        answer = await self.client.post(path, data={k: str(v) for k, v in form.items()})
        assert answer.status_code != 500, self._why(path, answer)
        return answer

    async def does(self, path: str, **form: object) -> str:
        """A form that must be taken; answers the address it leads to."""
        answer = await self.posts(path, **form)
        assert answer.status_code == 303, self._why(path, answer)
        return answer.headers["location"]

    async def lists(self, name: str, category: str = "drills", **more: object) -> int:
        """Hangs a tool on the wall; answers its id."""
        there = await self.does(f"{self.home}/tools", name=name, category=category, **more)
        return int(there.rsplit("/", 1)[1])

    async def asks_for(
        self, tool_id: int, start: date, end: date | None = None, **more: object
    ) -> int:
        """Requests a tool for whole days; answers the loan's id."""
        there = await self.does(
            f"{self.home}/tools/{tool_id}/loans", start=start, end=end or start, **more
        )
        return int(there.rsplit("/", 1)[1])

    async def acts(self, loan_id: int, noun: str, **more: object) -> None:
        """Presses a button of the loan's room: approval, handover, return, …"""
        await self.does(f"{self.home}/loans/{loan_id}/{noun}", **more)

    async def says(self, loan_id: int, body: str, client_id: uuid.UUID | None = None) -> None:
        path = f"{self.home}/loans/{loan_id}/messages"
        await self.does(path, body=body, client_id=client_id or uuid.uuid4())

    @asynccontextmanager
    async def watches(self, *topics: str, at: Worker | None = None) -> AsyncIterator[Screen]:
        """A socket of this person, at their own worker or another, that shows these topics."""
        worker = at or self.at
        headers = {"Cookie": f"{cookie_name()}={self.cookie}", "Origin": worker.url}
        address = worker.url.replace("http", "ws") + "/live"
        async with connect(address, additional_headers=headers) as socket:
            screen = Screen(socket)
            await screen.watch(*topics)
            yield screen


@dataclass
class Street:
    """One community with its people, spread over two workers."""

    here: Here
    workers: tuple[Worker, Worker]
    ada: Neighbour
    ben: Neighbour
    cy: Neighbour
    cora: Neighbour

    @property
    def people(self) -> Sequence[Neighbour]:
        return (self.ada, self.ben, self.cy, self.cora)

    @property
    def today(self) -> date:
        return clock.local_day(clock.now(), self.here.zone)

    def day(self, n: int) -> date:
        """n days from today, in the street's zone."""
        return self.today + timedelta(days=n)


def said(html: str) -> str:
    """What a page tells of a problem, for a test's own message."""
    found = re.search(r'problem-sentence">(.*?)</p>', html, re.S)
    errors = re.findall(r'class="error"[^>]*>(.*?)<', html, re.S)
    return " ".join([found[1] if found else "", *errors]).strip()


@asynccontextmanager
async def found_street(
    workers: tuple[Worker, Worker], zone: str = "Europe/London"
) -> AsyncIterator[Street]:
    """A community of its own; ada and cora are at the first worker, ben and cy at the second."""
    number = next(_numbers)
    slug = f"street-{number}"
    async with contextlib.AsyncExitStack() as stack:
        here, found = await _move_in(slug, f"Street {number}", zone)
        at = {"ada": workers[0], "cora": workers[0], "ben": workers[1], "cy": workers[1]}
        living = {}
        for name, (person, viewer, cookie) in found.items():
            client = await stack.enter_async_context(browser(at[name], cookie))
            living[name] = Neighbour(viewer, person.email, cookie, at[name], client)
        yield Street(here, workers, **living)


def browser(worker: Worker, cookie: str = "") -> httpx.AsyncClient:
    """A client that sends what a browser sends with a form of our own pages."""
    return httpx.AsyncClient(
        base_url=worker.url,
        cookies={cookie_name(): cookie} if cookie else None,
        headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"},
        timeout=30,
    )


async def _move_in(
    slug: str, name: str, zone: str
) -> tuple[Here, dict[str, tuple[Person, Viewer, str]]]:
    now = clock.now()
    async with db.begin() as tx:
        persons = {
            first: await _person(tx, f"{first}.{slug}@example.org", full)
            for first, full in (
                ("cora", "Cora Lindqvist"),
                ("ada", "Ada Moreno"),
                ("ben", "Ben Okafor"),
                ("cy", "Cy Tanaka"),
            )
        }
        community = await people.found_community(tx, slug, name, zone, persons["cora"], now)
        tools.furnish(tx, community.id)
        for first in ("ada", "ben", "cy"):
            tx.add(
                Membership(
                    community_id=community.id,
                    person_id=persons[first].id,
                    role=Role.MEMBER,
                    status=Status.ACTIVE,
                    asked_at=now,
                    joined_at=now,
                )
            )
        await tx.flush()
        made = {}
        for first, person in persons.items():
            standing = await people_queries.standing(tx, community.id, person.id)
            assert standing is not None
            viewer = people_queries.viewer_of(person, (community, standing))
            secret = await sessions.open_session(tx, viewer.person_id, "a test", now)
            made[first] = (person, viewer, secret)
        return Here.of(community), made


async def _person(tx: db.Tx, email: str, name: str) -> Person:
    """Without a password: hashing is for the tests that sign in."""
    person = Person(email=email, name=name, password_hash="none", created_at=clock.now())
    tx.add(person)
    await tx.flush()
    return person
