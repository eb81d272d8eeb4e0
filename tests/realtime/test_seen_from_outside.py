"""What a worker tells of itself: counters, gauges, one life a socket, and how it leaves."""

import asyncio
import re
from contextlib import AsyncExitStack

import httpx

from app.realtime import Life
from tests.realtime.world import Worker, World, until
from tests.workers import Worker as Process


async def test_what_is_held_now_goes_up_and_down(world: World, worker: Worker) -> None:
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        assert worker.engine.gauges() == {"sockets": 1, "topics": 2, "behind": 0}
    await until(lambda: worker.engine.gauges() == {"sockets": 0, "topics": 0, "behind": 0})


async def test_a_burst_counts_what_was_conflated_and_written(world: World, worker: Worker) -> None:
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        with world.held("t1/x/1") as gate:
            await world.write("1", "first")
            await gate.reached.wait()
            for n in range(5):
                await world.write("1", f"round {n}")
        await screen.sees("t1/x/1", "round 4")
        counted = worker.engine.counters
        assert counted["conflated"] >= 5
        assert counted["drawings"] <= 3
        assert 0 < counted["writes"] <= counted["frames"] + 3
        assert counted["bytes"] > 0


async def test_the_way_of_a_hint_through_redis_is_timed(world: World, worker: Worker) -> None:
    lags: list[float] = []
    there = await world.worker(on_lag=lags.append)
    async with there.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        await world.write("1", "now")
        await screen.sees("t1/x/1", "now")
        await until(lambda: lags)
        assert all(0 <= lag < 60 for lag in lags)


async def test_one_life_is_told_when_it_is_over(world: World) -> None:
    lives: list[Life] = []
    worker = await world.worker(on_end=lives.append)
    async with worker.screen(2) as screen:
        await screen.watch({"t1/x/1": 0})
        assert not lives
    await until(lambda: lives)
    (life,) = lives
    assert (life.person_id, life.code, life.behind) == (2, 1000, 0)
    assert life.writes > 0
    assert life.bytes > life.writes
    assert worker.engine.counters["closed_1000"] == 1


async def test_a_worker_that_leaves_spreads_its_goodbyes_and_is_true_until_then(
    world: World,
) -> None:
    worker = await world.worker()
    async with AsyncExitStack() as stack:
        screens = [await stack.enter_async_context(worker.screen(1)) for _ in range(30)]
        for screen in screens:
            await screen.watch({"t1/x/1": 0})
        worker._server.should_exit = True
        await until(lambda: any(screen.closed for screen in screens))
        left = [screen for screen in screens if screen.closed is None]
        assert left, "not all in the same instant"
        await world.write("1", "still true")
        await asyncio.gather(
            *(s.until(lambda s=s: s.closed or s.html.get("t1/x/1")) for s in left)  # type: ignore[misc]
        )
        for screen in screens:
            await screen.until(lambda s=screen: s.closed)  # type: ignore[misc]
            assert screen.closed == 1012
        assert any("still true" in (screen.html.get("t1/x/1") or "") for screen in left)
        await worker._serving
        assert worker.engine.counters["closed_1012"] == 30


async def test_the_metrics_page_tells_of_the_live_engine(workers: tuple[Process, Process]) -> None:
    names = {
        'toolshare_live{what="sockets"}',
        'toolshare_live{what="topics"}',
        'toolshare_live{what="behind"}',
        "toolshare_live_announce_lag_seconds_count",
        'toolshare_live_events_total{event="compares"}',
    }
    async with httpx.AsyncClient(base_url=workers[0].url) as client, asyncio.timeout(15):
        while names:
            token = {"Authorization": "Bearer only-for-tests"}
            text = (await client.get("/metrics", headers=token)).text
            names -= {name for name in names if re.search(re.escape(name) + r" [0-9.e+]+", text)}
