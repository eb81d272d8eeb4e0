"""What a screen hears over the websocket, and what it does not."""

from tests.realtime.world import Worker, World


async def test_a_screen_that_is_behind_is_drawn_and_told_that_it_is_live(
    world: World, worker: Worker
) -> None:
    await world.write("1", "first")
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0})
        assert screen.frames[0].keys() == {"epoch"}
        assert screen.html["t1/x/1"] == '<p data-topic="t1/x/1" data-version="1" id="x-1">first</p>'
        assert screen.frames[-1] == {"live": 1}


async def test_a_screen_that_is_not_behind_gets_nothing_drawn(world: World, worker: Worker) -> None:
    await world.write("1", "first", announce=False)  # a hint that is late would have it drawn
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 1})
        assert "t1/x/1" not in world.drawn


async def test_a_change_reaches_a_screen_of_each_worker(
    world: World, worker: Worker, other: Worker
) -> None:
    async with worker.screen() as near, other.screen(2) as far:
        await near.watch({"t1/x/1": 0})
        await far.watch({"t1/x/1": 0})
        await world.write("1", "hello")
        await near.sees("t1/x/1", "hello")
        await far.sees("t1/x/1", "hello")
