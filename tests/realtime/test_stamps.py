"""A drawing never carries a newer version than its content, whatever commits meanwhile."""

import asyncio
import re

import sqlalchemy as sa

from app.realtime import touch
from tests.realtime.world import Screen, Worker, World, put

COUNT_UP = sa.text("UPDATE thing SET words = words::int + 1 WHERE key = '1'")


async def count_up(world: World) -> None:
    async with world.act() as tx:
        await tx.execute(COUNT_UP)
        touch(tx, "t1/x/1")


def count(html: str) -> int:
    found = re.search(r">(\d+)<", html)
    assert found
    return int(found[1])


def assert_honest(screen: Screen) -> None:
    """In this world the number on the thing is its version: one act raises both by one."""
    drawn = [frame for frame in screen.frames if frame.get("html")]
    assert drawn
    for frame in drawn:
        assert count(frame["html"]) == frame["version"]


async def test_a_commit_while_a_drawing_is_open_is_drawn_again_never_stamped_on_it(
    world: World,
) -> None:
    worker = await world.worker(compare_every=600)  # nothing else may come to its help
    async with world.act() as tx:
        await put(tx, "1", "0")
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0})
        for round_ in range(1, 41):
            with world.held("t1/x/1") as gate:
                await count_up(world)
                await gate.reached.wait()  # its snapshot has begun
                await count_up(world)
            await screen.sees("t1/x/1", f">{2 * round_}<")
        assert_honest(screen)


async def test_first_drawings_race_with_commits_too(world: World, worker: Worker) -> None:
    async with world.act() as tx:
        await put(tx, "1", "0")
    await count_up(world)
    for round_ in range(1, 21):
        async with worker.screen() as screen:
            with world.held("t1/x/1") as gate:
                await screen.ask({"t1/x/1": 0})
                await gate.reached.wait()
                await count_up(world)
            await screen.sees("t1/x/1", f">{round_ + 1}<")
            assert_honest(screen)


async def test_under_a_storm_of_writers_every_frame_is_honest_and_the_last_is_right(
    world: World, worker: Worker, other: Worker
) -> None:
    async with world.act() as tx:
        await put(tx, "1", "0")

    async def write() -> None:
        for _ in range(25):
            await count_up(world)

    async with worker.screen() as near, other.screen(2) as far:
        await near.watch({"t1/x/1": 0})
        await far.watch({"t1/x/1": 0})
        await asyncio.gather(*(write() for _ in range(8)))
        for screen in (near, far):
            await screen.sees("t1/x/1", ">200<")
            assert_honest(screen)
            told = [frame["version"] for frame in screen.frames if "topic" in frame]
            assert told == sorted(told)


async def test_a_page_and_a_push_are_the_same_drawing(world: World, worker: Worker) -> None:
    from app.realtime.topics import snapshot

    await world.write("1", "hello")
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0})
        async with snapshot(world.sessions) as tx:
            listener = await world._listener(tx, 1)
            assert listener
            drawn = await worker.engine.draw(tx, listener, "t1/x/1")
        assert drawn == (screen.version["t1/x/1"], screen.html["t1/x/1"])
