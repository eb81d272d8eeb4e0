"""A drawing is under way, and meanwhile somebody leaves, comes, moves or is cut."""

from __future__ import annotations

import asyncio
import logging

import pytest

from .scenes import OTHER, THING, play, screen_of
from .screens import opened
from .town import CARD, HOT, SHELVES, Town
from .virtual import VirtualLoop

OWN = "u1/own"


def test_who_looks_away_and_back_has_it_drawn_once(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        screen = await screen_of(town, 1, OTHER)
        gate = town.held[THING] = asyncio.Event()
        for _ in range(6):
            screen.watch({THING: 0})
            await asyncio.sleep(0.1)
            screen.unwatch([THING])
        screen.watch({THING: 0, OTHER: 0})
        await asyncio.sleep(0.1)
        town.held.clear()
        gate.set()
        await asyncio.sleep(0.1)
        assert screen.watched[THING].words == "first"
        assert len(screen.asked) in screen.lives
        assert town.drawn[THING] <= 2, "the one under way, and one for whom came after it began"

    play(loop, scene)


def test_what_nobody_watches_any_more_is_forgotten_once_it_is_drawn(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        screen = await screen_of(town, 1)
        gate = town.held[THING] = asyncio.Event()
        screen.watch({THING: 0})
        await asyncio.sleep(0.1)
        screen.unwatch([THING])
        gate.set()
        await asyncio.sleep(0.1)
        assert list(town.engines[0].hub.topics) == ["u1/access"]

    play(loop, scene)


def test_nothing_is_kept_that_was_drawn_for_who_has_left(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        room = "t1/room/1"
        stays, leaves = await screen_of(town, 1, room), await screen_of(town, 2, room)
        gate = town.held[room] = asyncio.Event()
        leaves.watch({room: 0})
        await asyncio.sleep(0.1)
        leaves.wire.lose()
        gate.set()
        await asyncio.sleep(0.1)
        assert {person for person, _ in town.engines[0].hub.topics[room].drawings} <= {1}
        assert stays.is_open

    play(loop, scene)


def test_what_is_gone_is_newer_than_what_was_on_its_way_to_a_slow_reader(
    loop: VirtualLoop,
) -> None:
    async def scene(town: Town) -> None:
        engine = town.engines[0]
        screen = await screen_of(town, 1, THING)
        screen.wire.stop_reading()
        engine.announce(await town.write(THING, "second"))
        await asyncio.sleep(0.5)
        screen.watch({THING: 1})
        engine.announce(await town.write(THING, None))
        await asyncio.sleep(0.5)
        screen.wire.read_on()
        await asyncio.sleep(0.5)
        assert screen.watched[THING].words is None

    play(loop, scene, compare_every=600)


def test_who_moves_abroad_during_the_first_drawing_gets_it_in_their_language(
    loop: VirtualLoop,
) -> None:
    async def scene(town: Town) -> None:
        screen = await screen_of(town, 1, OTHER)
        gates = {topic: asyncio.Event() for topic in (THING, OWN)}
        town.held.update(gates)
        screen.watch({THING: 0, OWN: 0})
        await asyncio.sleep(0.1)
        town.engines[0].announce(await town.move_abroad(1))
        await asyncio.sleep(0.1)
        town.held.clear()
        for gate in gates.values():
            gate.set()
        await asyncio.sleep(0.1)
        assert screen.lives == {1, 2}
        assert (screen.watched[THING].words, screen.watched[THING].locale) == ("first", "de")

    play(loop, scene, compare_every=600)


def test_who_moves_abroad_has_the_whole_page_drawn_again(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        await town.write(OWN, "mine")
        moves, stays = await screen_of(town, 1, THING, OWN), await screen_of(town, 2, THING)
        town.engines[0].announce(await town.move_abroad(1))
        await asyncio.sleep(0.1)
        assert [moves.watched[topic].locale for topic in (THING, OWN)] == ["de", "de"]
        assert stays.watched[THING].locale == "en"

    play(loop, scene, compare_every=600)


@pytest.mark.parametrize("topic", [CARD, *SHELVES])
def test_the_other_face_is_not_shown_after_the_cut(loop: VirtualLoop, topic: str) -> None:
    """It was drawn before, but they had not read it yet."""

    async def scene(town: Town) -> None:
        engine = town.engines[0]
        for one in (CARD, "t1/found"):
            await town.write(one, "open")
        screen = await screen_of(town, 1, topic, THING)
        screen.wire.stop_reading()
        engine.announce(await town.write(THING, "so that the line is full"))
        await asyncio.sleep(0.5)
        for one in (CARD, "t1/found"):
            engine.announce(await town.write(one, "for friends"))
        await asyncio.sleep(0.5)  # drawn, and due to them
        gate = town.held[topic] = asyncio.Event()
        engine.announce(await town.veil(1, as_a_cut=True))
        await asyncio.sleep(0.5)  # their rights are read, the new face is still being drawn
        screen.wire.read_on()
        await asyncio.sleep(0.5)
        assert screen.watched[topic].words in ("open", "open+")
        gate.set()
        await asyncio.sleep(0.5)
        assert screen.watched[topic].words == "veiled"

    play(loop, scene, compare_every=600, buffer_bytes=1)


def test_a_new_page_is_not_shown_the_face_from_before_it(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        engine = town.engines[0]
        await town.write(CARD, "open")
        other = await screen_of(town, 2, CARD)
        gate = town.held[CARD] = asyncio.Event()
        engine.announce(await town.write(CARD, "for friends"))
        await asyncio.sleep(0.1)  # being drawn
        await town.veil(1, as_a_cut=True)
        screen = await screen_of(town, 1)
        screen.watch({CARD: 0})
        await asyncio.sleep(0.1)
        newer = town.held[CARD] = asyncio.Event()
        gate.set()
        await asyncio.sleep(0.5)
        assert (screen.watched[CARD].words, other.watched[CARD].words) == (None, "for friends")
        newer.set()
        await asyncio.sleep(0.5)
        assert (screen.watched[CARD].words, other.watched[CARD].words) == ("veiled", "for friends")

    play(loop, scene, compare_every=600)


def test_counters_and_a_list_do_not_wait_for_hundreds_of_odd_searches(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        for _ in range(3):
            await screen_of(town, 2, HOT, SHELVES[0])
        await town.write("t1/found", "1")
        odd = await opened(town.engines[0], 1, lambda frame: None)
        gate = town.held["t1/found/0"] = asyncio.Event()
        odd.say({"watch": {f"t1/found/{n}": 0 for n in range(300)}, "n": 1})
        await asyncio.sleep(0.5)
        town.drawn.clear()
        town.engines[0].announce([*await town.write(HOT, "2"), *await town.write("t1/found", "2")])
        gate.set()
        await asyncio.sleep(60)
        order = list(town.drawn)
        assert {HOT, SHELVES[0]} <= set(order[:4])
        assert order.index("t1/found/1") < 5, "none waits for ever, either"
        assert "t1/found/299" in order

    play(loop, scene, compare_every=600)


def test_a_database_that_is_away_is_told_once_for_all(
    loop: VirtualLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(town: Town) -> None:
        screens = [await screen_of(town, person, THING) for person in (1, 2, 3) * 3]
        town.ground.sessions.away = True
        for person in (1, 2, 3):
            town.engines[0].announce(await town.allow(person, "t1 t2"))
        await asyncio.sleep(60)
        town.ground.sessions.away = False
        await asyncio.sleep(10)
        assert all(one.is_open and not one.wire.owner.silent for one in screens)

    with caplog.at_level(logging.WARNING, logger="app.realtime.reader"):
        play(loop, scene)
    assert len([one for one in caplog.records if one.name == "app.realtime.reader"]) == 1
