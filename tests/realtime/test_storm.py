"""Hub and versions in any weather, in memory and in virtual time.

By the thousand, each seed another weather: STORM=3000x50 pytest --hypothesis-seed=7 <this file>
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from .ground import InMemory
from .onlooker import Onlooker
from .storm import CLAIMS, Storm, some_engine, some_number, some_topics
from .town import PEOPLE, TOPICS, Town
from .virtual import virtual_time

SLOW = (0.0, 0.0, 0.0, 0.001, 0.02, 0.3)  # seconds that a statement takes


class Weather(Storm):
    """What screens, readers, drawings and the database do meanwhile."""

    # --- at the screens

    def _some(self, which: int) -> Onlooker | None:
        there = [one for one in self.screens if one.is_open]
        return there[which % len(there)] if there else None

    @rule(number=some_engine, person=st.sampled_from(PEOPLE))
    def open_a_page(self, number: int, person: int) -> None:
        async def open_it() -> None:
            screen = Onlooker(self.town, number, person)
            self.screens.append(screen)
            screen.opening = asyncio.create_task(screen.open())

        if len(self.screens) < 9:
            self.act(open_it())

    @rule(which=some_number, topics=some_topics, sort=st.sampled_from(CLAIMS), access=st.booleans())
    def watch(self, which: int, topics: list[str], sort: str, access: bool) -> None:
        screen = self._some(which)

        async def watch() -> None:
            assert screen is not None
            claims = {topic: self._claim(topic, sort) for topic in topics}
            shown = self.town.now.version(f"u{screen.person}/access") if access else None
            screen.watch(claims, shown and self.chance.randint(0, shown))

        if screen is not None:
            self.act(watch())

    def _claim(self, topic: str, sort: str) -> int:
        now = self.town.now.version(topic)
        if sort == "an old page":
            # One that there was: between two bumps of one act nobody sees anything.
            return self.chance.choice(self.town.seen_versions(topic))
        inventions = {"an invention": 2**40, "a near invention": now + 1, "nothing": 0}
        return inventions.get(sort, now)

    @rule(which=some_number, topics=some_topics)
    def unwatch(self, which: int, topics: list[str]) -> None:
        screen = self._some(which)

        async def unwatch() -> None:
            assert screen is not None
            screen.unwatch(topics)

        if screen is not None:
            self.act(unwatch())

    @rule(which=some_number, topics=some_topics, sort=st.sampled_from(CLAIMS))
    def scroll_away_and_back(self, which: int, topics: list[str], sort: str) -> None:
        screen = self._some(which)

        async def scroll() -> None:
            assert screen is not None
            screen.unwatch(topics)
            screen.watch({topic: self._claim(topic, sort) for topic in topics})

        if screen is not None:
            self.act(scroll())

    @rule(which=some_number)
    def lose_the_network(self, which: int) -> None:
        screen = self._some(which)

        async def lose() -> None:
            assert screen is not None
            screen.wire.lose()
            self.screens.remove(screen)

        if screen is not None:
            self.act(lose())

    @rule(which=some_number)
    def stop_or_go_on_reading(self, which: int) -> None:
        screen = self._some(which)

        async def turn_round() -> None:
            assert screen is not None
            wire = screen.wire
            wire.stop_reading() if wire.reading else wire.read_on()

        if screen is not None:
            self.act(turn_round())

    # --- behind the scenes

    @rule(topic=st.sampled_from(TOPICS))
    def hold_or_let_go_a_drawing(self, topic: str) -> None:
        async def hold() -> None:
            if gate := self.town.held.pop(topic, None):
                gate.set()
            else:
                self.town.held[topic] = asyncio.Event()

        self.act(hold())

    @rule(topic=st.sampled_from(TOPICS))
    def break_or_mend_a_drawing(self, topic: str) -> None:
        self.town.broken ^= {topic}

    @rule(seconds=st.sampled_from((0.0, 0.005, 0.05, 0.5, 3.0, 20.0)))
    def time_passes(self, seconds: float) -> None:
        self.act(self.turn(seconds))

    @rule()
    def back_up(self) -> None:
        self.backups.append(self.town.now)

    @precondition(lambda self: self.backups and not self.open_tx)
    @rule(which=some_number)
    def play_back(self, which: int) -> None:
        state = self.backups.pop(which % len(self.backups))
        self.act(self.town.restore(state, f"epoch {self.written} {len(self.backups)}"))
        self.backups.clear()

    # --- the calm after

    def teardown(self) -> None:
        try:
            if not self.town.faults and not self.complaints.found:
                self.do(self._calm_down())
                assert not self.town.faults, self.town.faults
                assert not self.complaints.found, self.complaints.found
        finally:
            self.clean_up()

    async def _calm_down(self) -> None:
        town = self.town
        while self.open_tx:
            await self._end(kept=False)
        town.broken.clear()
        for gate in town.held.values():
            gate.set()
        town.held.clear()
        self.make_fine()
        for screen in self.screens:
            if not screen.wire.reading:
                screen.wire.read_on()
        await self.settle(lambda: not self._wrong())
        assert not self._wrong(), self._wrong()
        for screen in self.screens:
            screen.wire.lose()
        await self.settle(lambda: not self._left())
        assert not self._left(), self._left()

    def _wrong(self) -> list[str]:
        found = []
        for screen in self.screens:
            if screen.is_open:
                found += screen.wrong()
                if screen.epoch != self.town.now.epoch:
                    found.append("a page of another epoch is still open")
        return found + [one for engine in self.town.engines for one in busy(engine)]

    def _left(self) -> list[str]:
        return [one for engine in self.town.engines for one in left(engine)]

    def make_fine(self) -> None: ...

    def clean_up(self) -> None: ...


def busy(engine: Any) -> list[str]:
    """What is still due although all has been told."""
    found = [
        f"{topic.name} is not at rest" for topic in engine.hub.topics.values() if unrest(topic)
    ]
    for socket in engine.sockets:
        if socket.due or socket.said or socket.awaited or socket.silent or socket.queued:
            found.append(f"socket {socket.number}: {socket.due} {socket.said} {socket.awaited}")
    return found


def unrest(topic: Any) -> bool:
    drawn = topic.kind.name != "access"
    return drawn and bool(topic.busy or topic.hinted or topic.wanted or topic.taken)


def left(engine: Any) -> list[str]:
    """What is still held although everybody has gone."""
    held = {
        "sockets": engine.sockets,
        "behind": engine.behind,
        "topics": engine.hub.topics,
        "views": engine.hub._views,
        "tasks": engine._short,
        "persons and addresses": engine.door._per,
        "unwritten": engine.delivery._dirty,
        "undrawn": engine.hub.drawers._due,
    }
    return [f"{name}: {what}" for name, what in held.items() if what]


class InMemoryStorm(Weather):
    def __init__(self) -> None:
        super().__init__()
        self.around = ExitStack()
        self.loop = self.around.enter_context(virtual_time(every_turn=True))
        self.ground = InMemory(self._on_the_way)

        async def found() -> Town:
            return Town(self.ground, buffer_bytes=1500, messages_a_second=10_000)

        self.town = self.do(found())

    async def _on_the_way(self) -> None:
        await asyncio.sleep(self.chance.choice(SLOW))

    def do(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return self.loop.do(wait())

    async def turn(self, seconds: float) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        if seconds:
            await asyncio.sleep(seconds)

    async def settle(self, calm: Callable[[], bool]) -> None:
        for _ in range(40):
            await asyncio.sleep(3)
            if calm():
                break

    @rule()
    def the_database_goes_or_comes_back(self) -> None:
        self.ground.sessions.away = not self.ground.sessions.away
        self.act(self.turn(0.01))

    def make_fine(self) -> None:
        self.ground.sessions.away = False

    def clean_up(self) -> None:
        self.do(self.town.stop())
        self.around.close()


def weather(asked: str | None) -> settings:
    """Examples and steps: "3000x50", else those of the usual run, always the same."""
    examples, _, steps = (asked or "350x40").partition("x")
    return settings(
        max_examples=int(examples),
        stateful_step_count=int(steps),
        deadline=None,
        derandomize=asked is None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def test_whatever_happens_every_screen_ends_with_the_newest_it_may_see() -> None:
    run_state_machine_as_test(InMemoryStorm, settings=weather(os.environ.get("STORM")))
