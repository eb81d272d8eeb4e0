"""People who keep a house busy, and count exactly what they asked and what came back."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from app.people.doors import cookie_name
from tests.lines import Answer, Line, Lost, request
from tests.neighbours import Neighbour, Screen

Wish = tuple[str, str, dict[str, str]]  # method, path, form


@dataclass
class Told:
    """What all of them together have seen."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    done: list[Wish] = field(default_factory=list)  # commands that were answered with success
    cuts: list[int] = field(default_factory=list)  # codes with which sockets were closed

    def take(self, wish: Wish, answer: Answer) -> None:
        method, path, _ = wish
        self.counts["answered"] += 1
        self.counts["told to close"] += answer.closes
        if answer.status != (303 if method == "POST" else 200):
            self.wrong.append(f"{method} {path}: {answer.status}")
        elif method == "POST":
            self.done.append(wish)


@dataclass
class Caller:
    """Asks one thing after the other: on one connection, or each on a new one."""

    who: Neighbour
    told: Told
    keeps: bool
    thinks: float  # at most so many seconds between two
    _line: Line | None = None

    async def goes_on_asking(self, wishes: Iterator[Wish], enough: asyncio.Event) -> None:
        while not enough.is_set():
            await self.ask(next(wishes))
            await asyncio.sleep(random.uniform(0, self.thinks))
        if self._line:
            self._line.close()

    async def ask(self, wish: Wish) -> None:
        """Nothing is asked twice: what got no answer is lost."""
        line = await self.line()
        self.told.counts["asked"] += 1
        try:
            answer = await line.asks(self.written(wish))
        except Lost as lost:
            self.told.wrong.append(f"{wish[0]} {wish[1]}: {lost}")
            self.drop()
            return
        self.told.take(wish, answer)
        if answer.closes or not self.keeps:
            self.drop()

    async def line(self) -> Line:
        """One that is open as far as we can see. Who is refused tries again."""
        if self._line and self._line.reader.at_eof():
            self.told.counts["closed between requests"] += 1
            self.drop()
        while self._line is None:
            try:
                self._line = await Line.to(self.who.at.port)
            except ConnectionError:
                self.told.counts["refused"] += 1
        return self._line

    def drop(self) -> None:
        if self._line:
            self._line.close()
        self._line = None

    def written(self, wish: Wish) -> bytes:
        method, path, form = wish
        return request(
            method,
            path,
            urlencode(form).encode(),
            Cookie=f"{cookie_name()}={self.who.cookie}",
            Sec_Fetch_Site="same-origin",
            Accept="text/html",
            Content_Type="application/x-www-form-urlencoded",
            Connection="keep-alive" if self.keeps else "close",
        )


class Attentive(Screen):
    """Wakes whoever waits for what it shows."""

    def __init__(self, onlooker: Onlooker, socket: Any) -> None:
        super().__init__(socket, html=onlooker.html, version=onlooker.version)
        self.onlooker = onlooker

    def _take(self, frame: dict[str, Any]) -> None:
        super()._take(frame)
        self.frames.clear()
        self.onlooker.heard.set()


@dataclass
class Onlooker:
    """An open page. When its socket is cut it comes back as live.js does, with what it shows."""

    who: Neighbour
    told: Told
    topics: list[str]
    html: dict[str, str | None] = field(default_factory=dict)
    version: dict[str, int] = field(default_factory=dict)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def looks(self) -> None:
        tries = 0
        while True:
            with suppress(OSError):
                try:
                    await self.hold()
                except ConnectionClosed as closed:
                    tries = 0
                    self.told.cuts.append(closed.rcvd.code if closed.rcvd else 1006)
                except InvalidHandshake:
                    self.told.counts["sockets refused"] += 1
            await asyncio.sleep((0.5 + random.random()) * min(20, 0.5 * 2**tries))
            tries += 1

    async def hold(self) -> None:
        """Until the socket ends."""
        address = f"ws://127.0.0.1:{self.who.at.port}/live"
        headers = {"Cookie": f"{cookie_name()}={self.who.cookie}", "Origin": self.who.at.url}
        async with connect(address, additional_headers=headers) as socket:
            screen = Attentive(self, socket)
            await screen.watch(*self.topics, versions=self.version)
            self.told.counts["sockets opened"] += 1
            await screen.until(lambda: False, within=3600)

    async def shows(self, topic: str, version: int, within: float = 20) -> None:
        """Waits until it shows this version, or a newer one."""
        async with asyncio.timeout(within):
            while self.version.get(topic, 0) < version:
                self.heard.clear()
                await self.heard.wait()


def reader(*paths: str) -> Iterator[Wish]:
    while True:
        for path in paths:
            yield "GET", path, {}


def owner(home: str, tool: int) -> Iterator[Wish]:
    """Takes the tool off and hangs it up again. One more or less of either would be refused."""
    path = f"{home}/tools/{tool}"
    while True:
        yield "POST", f"{path}/pause", {}
        yield "GET", path, {}
        yield "POST", f"{path}/pause/end", {}
        yield "GET", home, {}


def talker(home: str, loan: int, name: str, most: int) -> Iterator[Wish]:
    """Says so many things, with other looks between them."""
    path = f"{home}/loans/{loan}"
    for number in range(most):
        words = {"body": f"{name} says {number}", "client_id": str(uuid.uuid4())}
        yield "POST", f"{path}/messages", words
        for _ in range(9):
            yield "GET", path, {}
    yield from reader(path)
