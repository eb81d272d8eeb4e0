"""Who is here and who types: for a few seconds, and only for those who watch the same."""

import asyncio
import itertools
from pathlib import Path

from app import embedded
from tests.realtime import world as worlds
from tests.realtime.world import Screen, Worker, World, until

ROOM = "t1/room/1"


async def sits(world: World, *people: int) -> None:
    await world.sit("1", *people)
    await world.say("1", "hello")


async def says(screen: Screen, what: str, times: int = 1) -> None:
    for _ in range(times):
        await screen.send({what: ROOM})


async def beats(screen: Screen) -> None:
    """As a browser does, only more often."""
    for _ in itertools.count():
        await says(screen, "here")
        await asyncio.sleep(0.5)


async def test_ben_sees_ada_come_type_and_go_on_another_worker(
    world: World, worker: Worker, other: Worker
) -> None:
    await sits(world, 1, 2)
    async with other.screen(2) as ben:
        await ben.watch({ROOM: 0})
        async with worker.screen(1) as ada:
            await ada.watch({ROOM: 0})
            await says(ada, "here")
            await ben.until(lambda: ben.company.get(ROOM) == "p1")
            await says(ada, "typing")
            await ben.until(lambda: ben.company.get(ROOM) == "p1 types")
            assert ada.company.get(ROOM) == "", "nobody is told about oneself"
        await ben.until(lambda: ben.company.get(ROOM) == "")


async def test_a_closed_laptop_is_gone_within_ten_seconds(world: World, worker: Worker) -> None:
    await sits(world, 1, 2)
    async with worker.screen(1) as ada, worker.screen(2) as ben:
        for screen in (ada, ben):
            await screen.watch({ROOM: 0})
        await says(ada, "typing")
        await ben.until(lambda: ben.company.get(ROOM) == "p1 types")
        # She says no more, as if asleep. Whoever asks again sees her typing end, and her go.
        asking = asyncio.create_task(beats(ben))
        await ben.until(lambda: ben.company[ROOM] == "p1", seconds=10)
        await ben.until(lambda: ben.company[ROOM] == "", seconds=10)
        asking.cancel()
        spans = [frame["ttl"] for frame in ben.frames if "ttl" in frame]
        assert max(spans) <= 8000, "and a browser that hears nothing more clears it by itself"


async def test_what_is_told_is_true_for_as_long_as_it_says(world: World, worker: Worker) -> None:
    """Somebody else's beat shortly before the expiry does not renew it."""
    await sits(world, 1, 2)
    async with worker.screen(1) as ada, worker.screen(2) as ben:
        for screen in (ada, ben):
            await screen.watch({ROOM: 0})
        await says(ada, "here")
        await ben.until(lambda: ben.company.get(ROOM) == "p1")
        asking = asyncio.create_task(beats(ben))
        await ben.until(lambda: ben.company[ROOM] == "")
        asking.cancel()
        spans = [frame["ttl"] for frame in ben.frames if "ttl" in frame and frame["html"]]
        assert spans == sorted(spans, reverse=True)
        assert spans[-1] < spans[0] <= 8000


async def test_coming_and_going_is_told_once_a_second_too(world: World, worker: Worker) -> None:
    await sits(world, 1, 2)
    async with worker.screen(1) as ada, worker.screen(2) as ben:
        for screen in (ada, ben):
            await screen.watch({ROOM: 0})
        await says(ada, "here")
        await ben.until(lambda: ben.company.get(ROOM) == "p1")
        for _ in range(8):
            await ada.send({"unwatch": [ROOM]})
        await ben.until(lambda: ben.company[ROOM] == "")
        assert sum("ttl" in frame for frame in ben.frames) <= 3


async def test_at_most_one_hint_a_second_for_each_person(world: World, worker: Worker) -> None:
    await sits(world, 1, 2)
    async with worker.screen(1) as ada, worker.screen(2) as ben:
        for screen in (ada, ben):
            await screen.watch({ROOM: 0})
        await says(ada, "here", 8)
        await says(ada, "typing", 8)
        await ben.until(lambda: ben.company.get(ROOM) == "p1 types")
        assert worker.engine.counters["presence_noted"] <= 2
        assert sum("ttl" in frame for frame in ben.frames) <= 2


async def test_who_does_not_allow_it_is_never_noted(world: World, worker: Worker) -> None:
    world.shy = {1}
    await sits(world, 1, 2)
    async with worker.screen(1) as ada, worker.screen(2) as ben:
        for screen in (ada, ben):
            await screen.watch({ROOM: 0})
        await says(ada, "here")
        await says(ada, "typing")
        await says(ben, "here")
        await ada.until(lambda: ada.company.get(ROOM) == "p2")
        assert ben.company.get(ROOM, "") == ""


async def test_a_stranger_neither_hears_nor_is_noted(world: World, worker: Worker) -> None:
    await sits(world, 1)
    async with worker.screen(1) as ada, worker.screen(2) as stranger:
        await ada.watch({ROOM: 0})
        await stranger.watch({ROOM: 0})
        await says(stranger, "typing")
        await says(ada, "here")
        await ada.until(lambda: ROOM in ada.company)
        assert ada.company[ROOM] == ""
        await stranger.watch({"t1/x/1": 0})  # whatever was said before has been told by now
        assert ROOM not in stranger.company


async def test_who_is_cut_vanishes_and_hears_nothing_more(world: World, worker: Worker) -> None:
    await sits(world, 1, 2)
    async with worker.screen(1) as ada, worker.screen(2) as ben:
        for screen in (ada, ben):
            await screen.watch({ROOM: 0})
            await says(screen, "here")
        await ada.until(lambda: ada.company.get(ROOM) == "p2")
        await world.allow(2, "t2")
        await ben.until(lambda: ben.html.get(ROOM, "") is None)
        await ada.until(lambda: ada.company[ROOM] == "")
        before = len(ben.frames)
        await says(ada, "typing")
        await ben.watch({"t2/x/1": 0})
        assert not any("ttl" in frame for frame in ben.frames[before:])


async def test_without_redis_there_is_none_and_it_comes_back(database: str, tmp_path: Path) -> None:
    redis = embedded.start_valkey(tmp_path)
    try:
        async with worlds.made(database, redis.url, "presence") as world:
            worker = await world.worker()
            await sits(world, 1, 2)
            async with worker.screen(1) as ada, worker.screen(2) as ben:
                for screen in (ada, ben):
                    await screen.watch({ROOM: 0})
                redis.stop()
                await until(lambda: not worker.engine.bus.connected)
                await says(ada, "typing")
                await world.say("1", "still true")
                await ben.until(lambda: "still true" in str(ben.rows.get(ROOM)))
                redis = embedded.start_valkey(tmp_path)
                await until(lambda: worker.engine.bus.connected)
                asking = asyncio.create_task(beats(ada))
                await ben.until(lambda: "p1" in ben.company.get(ROOM, ""))
                asking.cancel()
    finally:
        redis.stop()


async def test_a_slow_reader_keeps_only_the_newest(world: World, worker: Worker) -> None:
    await sits(world, 1, 2)
    async with worker.screen(2) as ben:
        await ben.watch({ROOM: 0})
        (bens,) = worker.engine.sockets
        bens.overflow()
        for n in range(50):
            bens.accompany(ROOM, f'{{"topic": "{ROOM}", "ttl": 1, "html": "{n}"}}')
        assert len(bens.company or ()) == 1
        bens.drained()
        await ben.until(lambda: ben.company.get(ROOM) == "49")
