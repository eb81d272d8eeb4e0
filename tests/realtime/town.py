"""A town of two engines on one ground: what happens there, and what its screens ought to show.

Things are words under a key; the key of a topic's words is its name. `right/1` says which scopes
person 1 may hear ("t1 t2~": of t2 only what is personal) and which version of their rights that
is; `locale/…` is theirs, too. `seat/…`, `veil/…` and `line/…` belong to a room, to what has faces,
and to a room's rows.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from app.realtime import Engine, Faces, Items, Limits, Listener, Reset, Topics, TwoFaces, versions
from app.realtime.versions import Hint

from .ground import AwayError, Ground, State
from .screens import Bus, without_redis

PAGE = 5  # rows that a room shows at first
ROOM, CARD, HOT, SHELF = "t1/room/1", "t1/card/1", "t1/many", "t1/found"
SHELVES = (f"{SHELF}/all", f"{SHELF}/few")  # one follows the counters, one does not
FACED = (CARD, *SHELVES)
NEVER = "t1/thing/9"
SHARED = ("t1/thing/1", "t1/thing/2", "t2/thing/1", NEVER, CARD, HOT, *SHELVES)
PERSONAL = (ROOM, "u1/own", "u2/own", "u3/own")
TOPICS = (*SHARED, *PERSONAL)
PEOPLE = (1, 2, 3)


@dataclass(frozen=True)
class Look:
    """What a topic shows at a version: to most, and to a few else."""

    words: str | None
    veiled_for: frozenset[int] = frozenset()
    lines: tuple[tuple[int, int, str], ...] = ()  # birth, revision, words

    def to(self, person: int) -> str | None:
        return "veiled" if self.words and person in self.veiled_for else self.words


class Town:
    def __init__(self, ground: Ground, *, engines: int = 2, **limits: Any) -> None:
        self.ground, self.topics = ground, Topics()
        self.history: dict[tuple[str, str, int], Look] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.broken: set[str] = set()
        self.drawing: Counter[tuple[int, str]] = Counter()
        self.drawn: Counter[str] = Counter()
        self.faults: list[str] = []
        self._draw_kinds()
        self.engines = [self._engine(Limits(**limits)) for _ in range(engines)]
        self.known_rights: dict[tuple[int, str], int] = {}
        # Person, version of their rights → what has faces is shown to them from no older version.
        self.cuts: dict[tuple[int, int], dict[str, int]] = {}
        for number, engine in enumerate(self.engines):
            self._overhear(number, engine)

    def _engine(self, limits: Limits) -> Engine:
        engine = Engine(
            self.ground.sessions,
            "redis://nowhere",
            "storm",
            self.topics,
            session_key=lambda connection: None,
            listeners=self.listeners,
            allowed_origin=lambda connection: True,
            limits=limits,
        )
        return without_redis(engine)

    def _overhear(self, number: int, engine: Engine) -> None:
        """Note which rights this engine has been told of: from then on it must not serve older."""
        told = engine.hub._newer_rights

        def newer_rights(topic: Any, version: int) -> bool:
            true = min(version, self.rights_of.get(topic.name, 0))
            key = number, topic.name
            self.known_rights[key] = max(true, self.known_rights.get(key, 0))
            return told(topic, version)

        engine.hub._newer_rights = newer_rights  # type: ignore[method-assign]

    async def start(self) -> None:
        self.now = await self.ground.state()
        self._record()
        for engine in self.engines:
            await engine.start()

    async def stop(self) -> None:
        for engine in self.engines:
            await engine.stop()

    def bus(self, number: int) -> Bus:
        bus: Any = self.engines[number].bus
        return bus  # type: ignore[no-any-return]

    # --- acts

    async def commit(self, tx: Any) -> list[Hint]:
        hints = await versions.flush(tx)
        await tx.commit()
        self.now = await self.ground.state()
        self._record()
        return hints

    async def write(self, topic: str, words: str | None) -> list[Hint]:
        async with self.ground.sessions() as tx:
            await self.ground.put(tx, topic, words)
            versions.touch(tx, topic)
            return await self.commit(tx)

    async def allow(self, person: int, scopes: str | None) -> list[Hint]:
        """The rights and their version change in one act. None: signed out everywhere."""
        async with self.ground.sessions() as tx:
            await self._renew_rights(tx, person, scopes)
            return await self.commit(tx)

    async def _renew_rights(self, tx: Any, person: int, scopes: str | None) -> None:
        access = f"u{person}/access"
        words = None if scopes is None else f"{scopes};{self.now.version(access) + 1}"
        await self.ground.put(tx, f"right/{person}", words)
        versions.touch(tx, access)

    def _scopes_of(self, person: int) -> str | None:
        right = self.now.things.get(f"right/{person}")
        return None if right is None else right.partition(";")[0]

    async def veil(self, person: int, *, as_a_cut: bool) -> list[Hint]:
        """They see the other face of things from now on, or no more. A cut touches their rights."""
        async with self.ground.sessions() as tx:
            key = f"veil/{person}"
            await self.ground.put(tx, key, None if key in self.now.things else "yes")
            versions.touch(tx, CARD, SHELF)
            if as_a_cut:
                await self._renew_rights(tx, person, self._scopes_of(person))
            hints = await self.commit(tx)
        if as_a_cut:
            least = {topic: self.now.version(topic) for topic in FACED}
            self.cuts[person, self.now.version(f"u{person}/access")] = least
        return hints

    async def move_abroad(self, person: int) -> list[Hint]:
        """Another locale. It is part of what a listener holds, so it moves with the rights."""
        async with self.ground.sessions() as tx:
            abroad = locale_of(self.now, person) == "en"
            await self.ground.put(tx, f"locale/{person}", "de" if abroad else None)
            await self._renew_rights(tx, person, self._scopes_of(person))
            return await self.commit(tx)

    async def restore(self, state: State, epoch: str) -> None:
        await self.ground.restore(State(epoch, state.rows, state.things))
        self.now = await self.ground.state()
        self.known_rights.clear()
        self.cuts.clear()
        self._record()

    def _record(self) -> None:
        state = self.now
        for topic in TOPICS:
            self.history.setdefault((state.epoch, topic, state.version(topic)), look(state, topic))
        self.rights_of = {f"u{one}/access": state.version(f"u{one}/access") for one in PEOPLE}

    def seen_versions(self, topic: str) -> list[int]:
        return [v for epoch, of, v in self.history if (epoch, of) == (self.now.epoch, topic)]

    # --- who may hear what

    async def listeners(self, tx: Any, people: Collection[Any]) -> dict[Any, Listener]:
        state = await self.ground.look(tx)
        found = {one: listener(state, one) for one in people}
        return {one: whom for one, whom in found.items() if whom is not None}

    # --- drawings

    def _draw_kinds(self) -> None:
        topics = self.topics
        for kind, stripes in (("thing", 1), ("card", 1), ("many", 3)):
            topics.shared(kind, stripes=stripes)(self._shared(kind))
        topics.listing("found", follows=lambda key: ("many",) if key == "all" else ())(self._found)
        topics.personal("own")(self._own)
        topics.personal("room", rows=True)(self._room)

    def _shared(self, kind: str) -> Any:
        async def draw(tx: Any, place: Any, key: str, locale: str) -> Any:
            topic = f"{place.scope}/{kind}" + (f"/{key}" if key else "")
            seen = look(await self._look(tx, place, topic), topic)
            if seen.words and seen.veiled_for:
                veiled = html("veiled", 0, locale)
                return TwoFaces(html(seen.words, 0, locale), veiled, seen.veiled_for)
            return html(seen.words, 0, locale)

        return draw

    async def _found(self, tx: Any, place: Any, key: str, locale: str) -> Faces:
        topic = f"{place.scope}/found/{key}"
        seen = look(await self._look(tx, place, topic), topic)
        others = {person: Items(["veiled", locale]) for person in seen.veiled_for}
        return Faces(Items([seen.words or "", locale]), others)

    async def _own(self, tx: Any, viewer: Any, key: str, since: int) -> str | None:
        topic = f"{viewer.scope}/own"
        words = look(await self._look(tx, viewer, topic), topic).words
        return html(words, viewer.rights, viewer.locale)

    async def _room(self, tx: Any, viewer: Any, key: str, since: int) -> str | None:
        state = await self._look(tx, viewer, ROOM)
        if f"seat/{viewer.person}" not in state.things:
            return None
        lines = look(state, ROOM).lines
        since_then = [one for one in lines if one[1] > since]
        if since and len(since_then) <= PAGE:
            return rows(since_then, viewer.rights, viewer.locale)
        return Reset(rows(list(lines[-PAGE:]), viewer.rights, viewer.locale))

    async def _look(self, tx: Any, viewer: Any, topic: str) -> State:
        """What the drawing sees; slow or failing where the test says so."""
        self.drawn[topic] += 1
        tag = self._begin(topic)
        try:
            if topic in self.broken:
                raise AwayError("a drawing with a fault, on purpose")
            if gate := self.held.get(topic):
                await gate.wait()
            return await self.ground.look(tx)
        finally:
            self.drawing[tag] -= 1

    def _begin(self, topic: str) -> tuple[int, str]:
        task = asyncio.current_task()
        engine = next(i for i, one in enumerate(self.engines) if task in one._tasks)
        tag = engine, topic
        self.drawing[tag] += 1
        if self.drawing[tag] > 1:
            self.faults.append(f"two drawings of {topic} at a time")
        return tag


def look(state: State, topic: str) -> Look:
    things = state.things
    if topic == ROOM:
        found = [key.split("/") for key in things if key.startswith("line/")]
        lines = sorted(
            (int(birth), int(things[f"line/{birth}"].split("~")[0])) for _, birth in found
        )
        told = ((b, r, things[f"line/{b}"].split("~")[1]) for b, r in lines)
        return Look("room", lines=tuple(told))
    words = things.get(topic)
    if topic in SHELVES:
        words = f"{things.get(SHELF, '')}+{things.get(HOT, '') if topic == SHELVES[0] else ''}"
    veiled = frozenset(one for one in PEOPLE if f"veil/{one}" in things)
    return Look(words, veiled if topic in FACED else frozenset())


def locale_of(state: State, person: int) -> str:
    return state.things.get(f"locale/{person}", "en")


def listener(state: State, person: int) -> Listener | None:
    right = state.things.get(f"right/{person}")
    if right is None:
        return None
    said, _, number = right.partition(";")
    heard = {scope.rstrip("~"): scope.endswith("~") for scope in [*said.split(), f"u{person}"]}
    locale = locale_of(state, person)

    def place(scope: str) -> SimpleNamespace:
        return SimpleNamespace(scope=scope, person=person, rights=int(number), locale=locale)

    return Listener(
        person,
        frozenset(heard),
        locale,
        viewer=lambda scope: place(scope) if scope in heard else None,
        community=lambda scope: place(scope) if heard.get(scope) is False else None,
        session_key=person,
    )


def may_see(state: State, person: int, topic: str) -> bool:
    whose = listener(state, person)
    scope, kind, _ = versions.split(topic)
    if whose is None or scope not in whose.scopes:
        return False
    if kind == "room":
        return f"seat/{person}" in state.things
    return kind == "own" or whose.community(scope) is not None


def html(words: str | None, rights: int, locale: str) -> str | None:
    return None if words is None else f'<p id="p">{words}~{rights}~{locale}</p>'


def rows(lines: list[tuple[int, int, str]], rights: int, locale: str) -> str:
    told = "".join(f'<li data-born="{b}" data-revision="{r}">{w}</li>' for b, r, w in lines)
    return f"<!--{rights}~{locale}-->{told}"


def read_html(text: str) -> tuple[str, int, str]:
    """Words, rights and locale of what `html` made."""
    found = re.search(r">([^<>]*)~(\d+)~(\w+)<", text)
    assert found, text
    return found[1], int(found[2]), found[3]


def read_rows(text: str) -> tuple[list[tuple[int, int, str]], int, str]:
    head = re.match(r"<!--(\d+)~(\w+)-->", text)
    assert head, text
    found = re.findall(r'data-born="(\d+)" data-revision="(\d+)">([^<]*)<', text)
    return [(int(b), int(r), w) for b, r, w in found], int(head[1]), head[2]
