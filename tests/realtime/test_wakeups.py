"""What is due is never forgotten: single scenes, each to the millisecond, in virtual time."""

from __future__ import annotations

import asyncio

from .onlooker import Onlooker
from .scenes import OTHER, THING, play, screen_of
from .screens import hold
from .town import Town
from .virtual import VirtualLoop


def test_a_watch_is_live_though_what_it_waited_for_was_let_go(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        screen = await screen_of(town, 1, OTHER)
        town.held[THING] = asyncio.Event()
        screen.watch({THING: 0})
        await asyncio.sleep(0.1)
        assert screen.lives == {1}
        screen.unwatch([THING])
        await asyncio.sleep(0.1)
        assert screen.lives == {1, 2}

    play(loop, scene)


def test_a_thing_that_is_gone_is_told_again_to_who_asks_again(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        screen = await screen_of(town, 1, THING)
        town.engines[0].announce(await town.write(THING, None))
        await asyncio.sleep(0.1)
        assert screen.watched[THING].words is None
        screen.watch({THING: 1})  # an answer that was on its way has put it back on the page
        screen.watched[THING].words = "first"
        await asyncio.sleep(0.1)
        assert screen.watched[THING].words is None

    play(loop, scene)


def test_a_fault_of_many_hours_ends_with_the_fault(loop: VirtualLoop) -> None:
    async def scene(town: Town) -> None:
        screen = await screen_of(town, 1, THING)
        town.broken.add(THING)
        await town.write(THING, "second")
        await asyncio.sleep(3 * 3600)
        town.broken.clear()
        await asyncio.sleep(10)
        assert screen.watched[THING].words == "second"

    play(loop, scene)


def test_nobody_is_called_live_before_the_drawing_it_waits_for(loop: VirtualLoop) -> None:
    """The others have the drawing's turn first, and something else is due to it meanwhile."""

    async def scene(town: Town) -> None:
        others = [await screen_of(town, 2, THING) for _ in range(40)]
        screen = await screen_of(town, 1, OTHER)
        town.held[THING] = asyncio.Event()
        town.engines[0].announce(await town.write(THING, "second"))
        await asyncio.sleep(0.1)
        screen.watch({THING: 1})
        await asyncio.sleep(0.1)
        town.held.pop(THING).set()
        for n in range(30):
            await asyncio.sleep(0)
            town.engines[0].announce(await town.write(OTHER, f"{n}"))
        await asyncio.sleep(1)
        assert screen.lives == {1, 2}
        assert all(one.watched[THING].words == "second" for one in others)

    play(loop, scene)


def test_a_new_tab_does_not_serve_rights_that_the_old_one_knows_are_gone(
    loop: VirtualLoop,
) -> None:
    async def scene(town: Town) -> None:
        engine = town.engines[0]
        old = await screen_of(town, 1, THING)
        found = await engine.entrance.find(1)  # the new tab's door has read the rights
        assert found
        engine.announce(await town.allow(1, "t2"))
        await asyncio.sleep(0.1)
        assert old.watched[THING].words is None
        new = Onlooker(town, 0, 1)
        hold(engine, new.wire, found)
        new.watch({THING: 0})
        engine.announce(await town.write(THING, "not for everybody"))
        await asyncio.sleep(0.1)
        assert new.watched[THING].words is None

    play(loop, scene, compare_every=600)
