"""Everything that can happen to hub and versions, in any order: a machine for Hypothesis.

What is lost, doubled, late or slow on the way may look wrong for a while. Once the storm is over
and two compares have passed, every screen shows the newest that it may see, and nothing is left
of those who went.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.realtime import versions
from app.realtime.versions import Hint

from .ground import AwayError, State
from .onlooker import Onlooker
from .town import CARD, HOT, PEOPLE, ROOM, SHELF, TOPICS, Town

SCOPES = ("t1", "t1 t2", "t2", "t1~ t2", "t1 t2~", "")
CLAIMS = ("nothing", "a page", "a page", "an old page", "an invention", "a near invention")
WRITTEN = ("t1/thing/1", "t1/thing/2", "t2/thing/1", CARD, HOT, SHELF, "u1/own")

some_engine, some_number = st.integers(0, 1), st.integers(0, 10_000)
some_topics = st.lists(st.sampled_from(TOPICS), min_size=1, max_size=5, unique=True)


class Complaints(logging.Handler):
    """What the engine logs with a trace, unless the test itself broke something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, AwayError | TimeoutError):
            self.found.append(f"{record.getMessage()}: {error!r}")


class Storm(RuleBasedStateMachine):
    """`set_up` and `turn` say on which ground and in which time."""

    town: Town

    def __init__(self) -> None:
        super().__init__()
        self.chance = random.Random(0)
        self.screens: list[Onlooker] = []
        self.hints: list[tuple[int, Hint]] = []  # on their way, and to which engine
        self.open_tx: list[Any] = []
        self.bumped: set[str] = set()
        self.backups: list[State] = []
        self.written = 0
        self.complaints = Complaints()
        logging.getLogger("app.realtime").addHandler(self.complaints)

    # --- for the grounds

    def do(self, work: Awaitable[Any]) -> Any:
        raise NotImplementedError

    async def turn(self, seconds: float) -> None:
        raise NotImplementedError

    async def settle(self, calm: Callable[[], bool]) -> None:
        raise NotImplementedError

    async def _open_the_first_pages(self) -> None:
        """Two tabs of one person at one engine, and one of each at the other."""
        for number, person in ((0, 1), (0, 1), (1, 1), (0, 2), (1, 3)):
            screen = Onlooker(self.town, number, person)
            self.screens.append(screen)
            await screen.open()
            screen.watch({topic: self.town.now.version(topic) for topic in TOPICS})
        await self.turn(0.5)

    def act(self, work: Awaitable[Any]) -> None:
        async def and_a_turn() -> None:
            await work
            await self.turn(0)

        self.do(and_a_turn())
        assert not self.town.faults, self.town.faults
        assert not self.complaints.found, self.complaints.found

    # --- at the desks: acts, and what is said of them

    @initialize(seed=some_number)
    def begin(self, seed: int) -> None:
        self.chance = random.Random(seed)

        async def move_in() -> None:
            await self.town.start()
            for person, scopes in zip(PEOPLE, ("t1", "t1 t2", "t2"), strict=True):
                await self.town.allow(person, scopes)
            for topic in WRITTEN[:-1]:
                await self.town.write(topic, self._words())
            await self._sit(1, True)
            await self._open_the_first_pages()

        self.act(move_in())

    def _words(self) -> str:
        self.written += 1
        return f"w{self.written}"

    def _say(self, hints: list[Hint]) -> None:
        """One engine hears its own at once; to the other they are on their way."""
        own = self.chance.choice((0, 1, None))
        for number, engine in enumerate(self.town.engines):
            if number == own:
                engine.announce(hints)
            else:
                self.hints += [(number, hint) for hint in hints]

    @rule(topic=st.sampled_from(WRITTEN), gone=st.integers(0, 4))
    def write(self, topic: str, gone: int) -> None:
        async def write() -> None:
            words = None if gone == 0 else self._words()
            self._say(await self.town.write(topic, words))

        self.act(write())

    @rule(person=st.sampled_from(PEOPLE), as_a_cut=st.booleans())
    def veil(self, person: int, as_a_cut: bool) -> None:
        async def veil() -> None:
            self._say(await self.town.veil(person, as_a_cut=as_a_cut))

        self.act(veil())

    @rule(person=st.sampled_from(PEOPLE))
    def move_abroad(self, person: int) -> None:
        async def move() -> None:
            self._say(await self.town.move_abroad(person))

        self.act(move())

    @precondition(lambda self: ROOM not in self.bumped)
    @rule(count=st.sampled_from((1, 1, 2, 7)))
    def say(self, count: int) -> None:
        async def say() -> None:
            async with self.town.ground.sessions() as tx:
                for _ in range(count):
                    n = await versions.bump(tx, ROOM)
                    await self.town.ground.put(tx, f"line/{n}", f"{n}~{self._words()}")
                self._say(await self.town.commit(tx))

        self.act(say())

    @precondition(lambda self: ROOM not in self.bumped)
    @rule(which=some_number)
    def edit(self, which: int) -> None:
        lines = sorted(one for one in self.town.now.things if one.startswith("line/"))

        async def edit() -> None:
            async with self.town.ground.sessions() as tx:
                n = await versions.bump(tx, ROOM)
                key = lines[which % len(lines)]
                await self.town.ground.put(tx, key, f"{n}~{self._words()}")
                self._say(await self.town.commit(tx))

        if lines:
            self.act(edit())

    @precondition(lambda self: ROOM not in self.bumped)
    @rule(person=st.sampled_from(PEOPLE), seated=st.booleans())
    def sit(self, person: int, seated: bool) -> None:
        self.act(self._sit(person, seated))

    async def _sit(self, person: int, seated: bool) -> None:
        async with self.town.ground.sessions() as tx:
            await self.town.ground.put(tx, f"seat/{person}", "yes" if seated else None)
            await versions.bump(tx, ROOM)
            self._say(await self.town.commit(tx))

    @rule(topics=st.lists(st.sampled_from(WRITTEN), min_size=1, unique=True), bumps=st.booleans())
    def begin_something_long(self, topics: list[str], bumps: bool) -> None:
        async def begin() -> None:
            tx = await self.town.ground.sessions().__aenter__()
            self.open_tx.append(tx)
            versions.touch(tx, *topics)
            for topic in topics:
                await self.town.ground.put(tx, topic, self._words())
            if bumps and ROOM not in self.bumped:
                n = await versions.bump(tx, ROOM)
                tx.info["room"] = True
                self.bumped.add(ROOM)
                await self.town.ground.put(tx, f"line/{n}", f"{n}~{self._words()}")

        if not self.open_tx:
            self.act(begin())

    @precondition(lambda self: self.open_tx)
    @rule(kept=st.booleans())
    def end_something_long(self, kept: bool) -> None:
        self.act(self._end(kept))

    async def _end(self, kept: bool) -> None:
        tx = self.open_tx.pop()
        self.bumped.discard(ROOM)
        if kept:
            self._say(await self.town.commit(tx))
        await tx.__aexit__(None, None, None)

    @rule(person=st.sampled_from(PEOPLE), scopes=st.sampled_from((*SCOPES, None)))
    def change_rights(self, person: int, scopes: str | None) -> None:
        async def change() -> None:
            self._say(await self.town.allow(person, scopes))

        self.act(change())

    # --- on the way

    @precondition(lambda self: self.hints)
    @rule(which=some_number, times=st.sampled_from((0, 1, 1, 2)))
    def carry_one_hint(self, which: int, times: int) -> None:
        """In any order; perhaps never, perhaps twice."""
        number, hint = self.hints.pop(which % len(self.hints))

        async def carry() -> None:
            for _ in range(times):
                self.town.engines[number]._hear(*hint)

        self.act(carry())

    @rule(number=some_engine)
    def carry_all_hints(self, number: int) -> None:
        async def carry() -> None:
            for to, hint in self.hints:
                if to == number:
                    self.town.engines[to]._hear(*hint)
            self.hints = [one for one in self.hints if one[0] != number]

        self.act(carry())

    @rule(number=some_engine, topic=st.sampled_from((*TOPICS, "u1/access", "u2/access")))
    def hint_at_nothing(self, number: int, topic: str) -> None:
        async def hint() -> None:
            row = versions.rows_of(topic)[-1]
            self.town.engines[number]._hear(row, self.town.now.version(topic) + 1000)

        self.act(hint())
