"""One drawing of a topic at a time, one for all who look, and never a backlog."""

import asyncio
from contextlib import AsyncExitStack

from app.realtime import touch
from tests.realtime.world import Screen, Worker, World


async def test_hints_during_a_drawing_cost_one_more_not_many(world: World) -> None:
    worker = await world.worker(compare_every=600)
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0})
        with world.held("t1/x/1") as gate:
            await world.write("1", "0")
            await gate.reached.wait()
            world.drawn.clear()
            for n in range(1, 21):
                await world.write("1", f"number {n}")
        await screen.sees("t1/x/1", "number 20")
        assert world.drawn == ["t1/x/1"]
        assert world.doubled == []


async def test_a_shared_topic_is_drawn_once_for_many_screens(world: World, worker: Worker) -> None:
    async with AsyncExitStack() as stack:
        screens: list[Screen] = [
            await stack.enter_async_context(worker.screen(1 + n % 2)) for n in range(20)
        ]
        await asyncio.gather(*(screen.watch({"t1/x/1": 0}) for screen in screens))
        world.drawn.clear()
        await world.write("1", "for all")
        for screen in screens:
            await screen.sees("t1/x/1", "for all")
        assert world.drawn == ["t1/x/1"]
        texts = {str(screen.frames[-1]) for screen in screens}
        assert len(texts) == 1


async def test_who_comes_later_gets_what_was_drawn_already(world: World, worker: Worker) -> None:
    async with worker.screen() as first:
        await first.watch({"t1/x/1": 0})
        await world.write("1", "hello")
        await first.sees("t1/x/1", "hello")
        world.drawn.clear()
        async with worker.screen(2) as second:
            await second.watch({"t1/x/1": 0})
            assert "hello" in (second.html["t1/x/1"] or "")
        assert world.drawn == []


async def test_many_who_come_at_once_are_compared_together(world: World, worker: Worker) -> None:
    await world.write("1", "for all")
    async with AsyncExitStack() as stack:
        screens = [await stack.enter_async_context(worker.screen(1)) for _ in range(40)]
        before = worker.engine.hub.reader.queries
        await asyncio.gather(*(screen.watch({"t1/x/1": 0}) for screen in screens))
        assert all("for all" in (screen.html["t1/x/1"] or "") for screen in screens)
        assert worker.engine.hub.reader.queries - before < 40
    assert world.drawn.count("t1/x/1") <= 2


async def test_a_striped_topic_is_right_after_many_writers(
    world: World, worker: Worker, other: Worker
) -> None:
    async def write(one: int) -> None:
        for n in range(10):
            async with world.act() as tx:
                from tests.realtime.world import put

                await put(tx, f"{one}-{n}", "x")
                touch(tx, "t1/hot")

    async with worker.screen() as near, other.screen(2) as far:
        await near.watch({"t1/hot": 0})
        await far.watch({"t1/hot": 0})
        await asyncio.gather(*(write(one) for one in range(8)))
        for screen in (near, far):
            await screen.sees("t1/hot", ">80<")
            await screen.until(lambda s=screen: s.version["t1/hot"] == 80)  # type: ignore[misc]


async def test_an_unwatched_topic_is_silent_and_forgotten(world: World, worker: Worker) -> None:
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0, "t1/x/2": 0})
        await screen.send({"unwatch": ["t1/x/1"]})
        await screen.watch({"t1/x/2": 0})
        assert "t1/x/1" not in worker.engine.hub.topics
        await world.write("1", "unheard")
        await world.write("2", "heard")
        await screen.sees("t1/x/2", "heard")
        assert "unheard" not in str(screen.frames)


async def test_nothing_is_kept_of_a_socket_that_left(world: World, worker: Worker) -> None:
    from tests.realtime.world import until

    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0, "u1/bell": 0})
    await until(lambda: not worker.engine.sockets)
    assert worker.engine.hub.topics == {}
    assert not worker.engine.door._per


async def test_a_gone_thing_stays_gone_until_it_is_there_again(
    world: World, worker: Worker
) -> None:
    await world.write("1", "here")
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0})
        await world.write("1", None)
        await screen.until(lambda: screen.html["t1/x/1"] is None)
        assert screen.frames[-1] == {"topic": "t1/x/1", "version": 2, "html": None}
        await world.write("1", "back")
        await screen.sees("t1/x/1", "back")


async def test_what_one_looks_at_is_drawn_before_what_everybody_changes(world: World) -> None:
    worker = await world.worker(compare_every=600)
    async with worker.screen() as screen:
        await screen.watch({"t1/hot": 0, "t1/x/1": 0})
        world.drawn.clear()
        async with world.act() as tx:
            touch(tx, "t1/hot", "t1/x/1")
        await screen.until(lambda: {"t1/hot", "t1/x/1"} <= set(world.drawn))
        assert world.drawn[0] == "t1/x/1"


async def test_a_slow_card_does_not_keep_the_counters_for_ever(world: World) -> None:
    worker = await world.worker(compare_every=600)
    async with worker.screen() as screen:
        await screen.watch({"t1/hot": 0, "t1/x/1": 0})
        with world.held("t1/x/1") as gate:
            async with world.act() as tx:
                touch(tx, "t1/hot", "t1/x/1")
            await gate.reached.wait()
            await screen.until(lambda: screen.version.get("t1/hot") == 1)
            assert screen.version.get("t1/x/1", 0) == 0
