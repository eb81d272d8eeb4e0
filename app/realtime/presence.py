"""Who is here and who types: in Redis for a few seconds, shown to those who watch the same topic.

Nothing of this has a version, is drawn into a page or outlives its expiry; without Redis there is
none. Redis' own clock ends it, so that no worker's can be wrong.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from app.realtime import versions
from app.realtime.bus import ANSWERS_WITHIN, FAILURES, WHISPER, client
from app.realtime.topics import frame

if TYPE_CHECKING:
    from app.realtime.socket import Socket
    from app.realtime.watch import Topic

log = logging.getLogger(__name__)

HERE_FOR = 8.0  # seconds after which somebody who says nothing more is not here
TYPING_FOR = 4.0
EVERY = 1.0  # a person's hints about one topic
OUTBOX = 10_000  # notes; more than that are not taken
AT_ONCE = 500  # notes in one round trip
READ_AT_ONCE = 16  # topics

Who = tuple[str, int]  # topic, person


class Present(NamedTuple):
    person_id: int
    name: str
    typing: bool


class Presence:
    """Notes who is here, and draws it for the others."""

    def __init__(
        self,
        url: str,
        channel: Callable[[str], str],
        topics: dict[str, Topic],
        counters: Counter[str],
    ) -> None:
        self._redis, self._channel, self._topics = client(url), channel, topics
        self._prefix = channel("")
        self._counters = counters
        self._outbox: dict[Who, tuple[str, bool, bool]] = {}  # name, here, typing
        self._written: dict[Who, float] = {}  # when last, in that order
        self._gone: set[Who] = set()
        self._filled = asyncio.Event()
        self._whispered: dict[str, None] = {}
        self._heard = asyncio.Event()

    # --- in: what a socket says

    def note(self, socket: Socket, what: str, name: str) -> None:
        """Never waits. Of somebody who does not allow it, or to whom it is not open: nothing."""
        topic, listener = socket.shown.get(name), socket.listener
        allowed = listener.shows_typing if what == "typing" else listener.shows_here
        if not allowed or topic is None or topic.kind.company is None:
            return
        if not _may_hear(socket, name):
            return
        who = (topic.name, listener.person_id)
        if who not in self._outbox and len(self._outbox) >= OUTBOX:
            return
        _, here, typing = self._outbox.get(who, ("", False, False))
        typing = typing or what == "typing"
        self._outbox[who] = (listener.name, here or listener.shows_here, typing)
        self._gone.discard(who)
        if socket.noted is None:
            socket.noted = set()
        socket.noted.add(topic.name)
        self._filled.set()

    def leave(self, socket: Socket, names: Iterable[str]) -> None:
        """It ended, or turned away: at once, without waiting for the expiry."""
        for name in set(names) & (socket.noted or set()):
            if socket.noted is not None:
                socket.noted.discard(name)
            who = (name, socket.listener.person_id)
            self._outbox.pop(who, None)
            if len(self._gone) < OUTBOX:
                self._gone.add(who)
                self._filled.set()

    async def write_forever(self) -> None:
        """At most one hint a second for a person and topic; what comes sooner waits."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            now = time.monotonic()
            for who, at in list(self._written.items()):
                if now - at < EVERY:
                    break
                del self._written[who]
            due = [who for who in self._outbox if who not in self._written][:AT_ONCE]
            gone = [who for who in self._gone if who not in self._written][:AT_ONCE]
            self._gone.difference_update(gone)
            try:
                await self._write({who: self._outbox.pop(who) for who in due}, gone)
                self._written.update(dict.fromkeys([*due, *gone], now))
            except FAILURES:
                self._counters["presence_lost"] += len(due) + len(gone)
                await asyncio.sleep(EVERY)
            if self._outbox or self._gone:
                soon = min(self._written.values(), default=now) + EVERY - time.monotonic()
                asyncio.get_running_loop().call_later(max(0.05, soon), self._filled.set)

    async def _write(self, notes: dict[Who, tuple[str, bool, bool]], gone: list[Who]) -> None:
        if not notes and not gone:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for (topic, person), (name, here, typing) in notes.items():
            room = f"{self._prefix}here:{topic}"
            pipeline.sadd(room, person)
            pipeline.pexpire(room, int(HERE_FOR * 2000))
            if here:
                pipeline.set(f"{room}:{person}", name, px=int(HERE_FOR * 1000))
            if typing:
                pipeline.set(f"{room}:{person}:typing", name, px=int(TYPING_FOR * 1000))
        for topic, person in gone:
            room = f"{self._prefix}here:{topic}"
            pipeline.srem(room, person)
            pipeline.delete(f"{room}:{person}", f"{room}:{person}:typing")
        for topic in {topic for topic, _ in (*notes, *gone)}:
            pipeline.publish(self._channel(versions.split(topic)[0]), WHISPER + topic)
        async with asyncio.timeout(2 * ANSWERS_WITHIN):
            await pipeline.execute()
        self._counters["presence_noted"] += len(notes)

    # --- out: to who watches the same

    def hear(self, name: str) -> None:
        """Some worker has noted something about a topic."""
        topic = self._topics.get(name)
        if topic is not None and topic.kind.company is not None:
            self._whispered[name] = None
            self._heard.set()

    async def tell_forever(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            names, self._whispered = list(self._whispered), {}
            for start in range(0, len(names), READ_AT_ONCE):
                await asyncio.gather(*map(self._tell, names[start : start + READ_AT_ONCE]))

    async def _tell(self, name: str) -> None:
        try:
            present = await self._present(name)
        except FAILURES:
            return
        topic = self._topics.get(name)
        if topic is None or topic.kind.company is None:
            return
        for socket in topic.watchers:
            if not _may_hear(socket, name):
                continue
            listener = socket.listener
            apart = {listener.person_id, *listener.apart}
            others = {one: left for one, left in present.items() if one.person_id not in apart}
            lasts = min(others.values(), default=int(HERE_FOR * 1000))
            html = topic.kind.company(list(others), listener.locale)
            socket.accompany(name, frame(topic=name, ttl=lasts, html=html))

    async def _present(self, topic: str) -> dict[Present, int]:
        """Who is here, and for how many milliseconds that is true if nobody says more."""
        room = f"{self._prefix}here:{topic}"
        async with asyncio.timeout(ANSWERS_WITHIN):
            people = sorted(int(person) for person in await self._redis.smembers(room))
            pipeline = self._redis.pipeline(transaction=False)
            for person in people:
                for key in (f"{room}:{person}", f"{room}:{person}:typing"):
                    pipeline.get(key)
                    pipeline.pttl(key)
            found = await pipeline.execute() if people else []
        present: dict[Present, int] = {}
        for n, person in enumerate(people):
            here, here_for, typing, typing_for = found[4 * n : 4 * n + 4]
            if here or typing:
                left = typing_for if typing else here_for
                present[Present(person, here or typing, bool(typing))] = max(1, left)
        return present

    async def close(self) -> None:
        await self._redis.aclose()


def _may_hear(socket: Socket, name: str) -> bool:
    """The topic has proved to be theirs."""
    hidden = (socket.unproven and name in socket.unproven) or (socket.gone and name in socket.gone)
    return not hidden and not socket.unsure
