"""Presence goes: at once in order, by itself for a closed laptop, and with Redis."""

import asyncio
import os
import signal
import time
from pathlib import Path

from app import embedded
from tests.realtime import world as worlds
from tests.realtime.looking import ROOM, a_second_passes, looking, nothing_is_kept, sees
from tests.realtime.world import Worker, World, until


async def test_who_closes_the_page_or_leaves_the_region_is_gone(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada:
        async with looking(other, 2) as ben:
            await ben.send({"here": ROOM})
            await sees(ada, "p2 is here")
        await sees(ada, "")
        async with looking(other, 2) as ben:
            await ben.send({"here": ROOM})
            await sees(ada, "p2 is here")
            await ben.send({"unwatch": [ROOM]})
            await sees(ada, "")
            await nothing_is_kept(room)


async def test_a_page_that_is_only_loaded_anew_does_not_flicker(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada:
        for at in (other, other, worker):
            async with looking(at, 2) as ben:
                await ben.send({"here": ROOM})
                await sees(ada, "p2 is here")
                await a_second_passes(room)
        assert "" not in [frame["html"] for frame in ada.frames if "ttl" in frame]
        await sees(ada, "")


async def test_of_two_pages_one_may_be_closed(room: World, patient: tuple[Worker, Worker]) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada, looking(other, 2) as first:
        await first.send({"here": ROOM})
        for at in (other, worker):
            async with looking(at, 2) as second:
                await second.send({"typing": ROOM})
                await sees(ada, "p2 types")
                await first.send({"here": ROOM})
            await sees(ada, "p2 is here")
        assert "" not in [frame["html"] for frame in ada.frames if "ttl" in frame]


async def test_who_loses_the_scope_or_signs_out_vanishes(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada, looking(other, 2) as ben:
        await ben.send({"here": ROOM})
        await sees(ada, "p2 is here")
        await room.allow(2, "t2")
        await sees(ada, "")
        await room.allow(2, "t1", "t2")
        async with looking(other, 2) as again:
            await again.send({"here": ROOM})
            await sees(ada, "p2 is here")
            await room.allow(2)
            await sees(ada, "")
            await again.until(lambda: again.closed)
            await nothing_is_kept(room)


async def test_a_closed_laptop_is_gone_within_ten_seconds(
    room: World, worker: Worker, other: Worker
) -> None:
    """Its socket stays open, as TCP has not noticed yet; only its words do not come any more."""
    async with looking(worker, 1) as ada, looking(other, 2) as laptop:
        await laptop.send({"here": ROOM})
        await laptop.send({"typing": ROOM})
        await laptop.send({"here": ROOM})
        last = time.monotonic()
        await sees(ada, "p2 is here")
        async with asyncio.timeout_at(
            asyncio.get_running_loop().time() + last - time.monotonic() + 10
        ):
            await sees(ada, "")
            await nothing_is_kept(room)


async def test_no_word_of_another_makes_it_last(room: World) -> None:
    worker = await room.worker(here_for=1.5)
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")
        async with asyncio.timeout(worlds.DEADLINE):
            while ben.company[ROOM]:
                await ben.send({"here": ROOM})
                await asyncio.sleep(0.2)
        spans = [frame["ttl"] for frame in ben.frames if frame.get("html") == "p1 is here"]
        assert spans == sorted(spans, reverse=True)
        assert spans[0] <= 2500


async def test_whose_connection_breaks_is_gone_when_the_word_runs_out(room: World) -> None:
    worker = await room.worker(here_for=1.0)
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ben.send({"here": ROOM})
        await sees(ada, "p2 is here")
        ben.abort()
        await sees(ada, "")
        await nothing_is_kept(room)


async def test_typing_ends_by_itself(world: World) -> None:
    await world.sit("1", 1, 2)
    worker = await world.worker(typing_for=0.3)
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ben.send({"typing": ROOM})
        await sees(ada, "p2 types")
        await sees(ada, "")


async def test_a_restarted_worker_lets_nobody_vanish(room: World, worker: Worker) -> None:
    leaving = await room.worker()
    async with looking(worker, 1) as ada, looking(leaving, 2) as ben:
        await ben.send({"here": ROOM})
        await sees(ada, "p2 is here")
        for socket in list(leaving.engine.sockets):
            socket.close(1012)
        await ben.until(lambda: ben.closed)
        async with looking(worker, 2) as again:
            await again.send({"here": ROOM})
            await until(lambda: worker.engine.counters["company_written"])
            await ada.send({"here": ROOM})
            await sees(again, "p1 is here")
        assert "" not in [frame["html"] for frame in ada.frames if "ttl" in frame]


# --- Redis


async def test_with_redis_away_nobody_is_shown_and_nothing_waits(
    database: str, tmp_path: Path
) -> None:
    valkey = embedded.start_valkey(tmp_path)
    try:
        async with worlds.made(database, valkey.url, "company_away") as world:
            await world.sit("1", 1, 2)
            here, there = await world.worker(), await world.worker()
            async with looking(here, 1) as ada, looking(there, 2) as ben:
                await ben.send({"here": ROOM})
                await sees(ada, "p2 is here")
                valkey.stop()
                await until(lambda: not here.engine.bus.connected)
                lost = there.engine.counters["company_lost"]
                await ben.send({"typing": ROOM})
                await until(lambda: there.engine.counters["company_lost"] > lost)
                await world.say("1", "without Redis")
                await ben.until(lambda: "without Redis" in ben.rows[ROOM].values())

                valkey = embedded.start_valkey(tmp_path)
                await until(lambda: here.engine.bus.connected and there.engine.bus.connected)
                ada.company.clear()
                async with asyncio.timeout(worlds.DEADLINE):
                    while ada.company.get(ROOM) != "p2 is here":
                        await ben.send({"here": ROOM})  # as a page does, every few seconds
                        await asyncio.sleep(0.3)
    finally:
        valkey.stop()


async def test_with_redis_silent_nothing_waits(database: str, tmp_path: Path) -> None:
    valkey = embedded.start_valkey(tmp_path)
    pid = valkey.process.pid
    try:
        async with worlds.made(database, valkey.url, "company_silent") as world:
            await world.sit("1", 1, 2)
            worker = await world.worker()
            async with looking(worker, 1) as ada, looking(worker, 2) as ben:
                os.kill(pid, signal.SIGSTOP)
                await ben.send({"typing": ROOM})
                await until(lambda: worker.engine.counters["company_lost"])
                await world.say("1", "meanwhile")
                await ada.until(lambda: "meanwhile" in ada.rows[ROOM].values())
                os.kill(pid, signal.SIGCONT)
                async with asyncio.timeout(worlds.DEADLINE):
                    while ada.company.get(ROOM) != "p2 is here":
                        await ben.send({"here": ROOM})
                        await asyncio.sleep(0.3)
    finally:
        os.kill(pid, signal.SIGCONT)
        valkey.stop()
