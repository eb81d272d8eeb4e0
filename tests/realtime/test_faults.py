"""Faults of the ground that the engine stands on, and what a person sees of them."""

import asyncio
import json
import struct
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect

from app import embedded
from tests import servers
from tests.realtime import world as worlds
from tests.realtime.world import Worker, World, until


async def test_postgres_restarted_under_open_screens(tmp_path: Path, valkey: servers.Redis) -> None:
    """Screens keep what they show, say nothing false, and are right soon after it is back."""
    postgres = embedded.start_postgres(tmp_path / "postgres")
    try:
        async with worlds.made(postgres.url, valkey.url, "engine_fault") as world:
            worker = await world.worker()
            await world.write("1", "before")
            async with worker.screen(1) as screen:
                await screen.watch({"t1/x/1": 0})
                assert "before" in str(screen.html["t1/x/1"])
                failed = worker.engine.counters["compares_failed"]
                postgres.stop()
                await until(lambda: worker.engine.counters["compares_failed"] > failed)
                assert screen.closed is None
                postgres = embedded.start_postgres(tmp_path / "postgres")
                await _once_it_answers(world)
                await world.write("1", "after", announce=False)
                await screen.sees("t1/x/1", "after")
                assert screen.closed is None
    finally:
        postgres.stop()


async def _once_it_answers(world: World) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                await world.version("t1/x/1")
                return
            except Exception:
                await asyncio.sleep(0.05)


async def test_a_half_open_connection_is_dead_by_its_missing_answer(world: World) -> None:
    """A laptop whose lid was shut sends no end: whoever does not answer a ping is gone."""
    worker = await world.worker(ping_every=0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
    writer.write(
        b"GET /live HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
        b"Origin: http://ours\r\nCookie: person=1\r\n\r\n"
    )
    async with asyncio.timeout(15):
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: worker.engine.sockets)
        async with worker.screen(2) as lively:  # answers, as every browser does by itself
            await lively.watch({"t1/x/1": 0})
            heard = await reader.read()
            assert lively.closed is None
    assert struct.pack("!H", 1011) in heard
    await until(lambda: worker.engine.counters["closed_1011"] == 1)
    writer.close()


async def test_many_who_come_at_once_cost_few_queries(world: World) -> None:
    """A worker was restarted: all open pages are back in the same instant, each behind."""
    for key in range(10):
        await world.write(str(key), f"thing {key}")
    world.drawn.clear()
    worker, count = await world.worker(sockets_a_person=1000), 300
    async with AsyncExitStack() as stack:

        async def comes_back(n: int) -> None:
            connection = await stack.enter_async_context(
                connect(
                    f"ws://127.0.0.1:{worker.port}/live",
                    origin="http://ours",  # type: ignore[arg-type]
                    additional_headers={"Cookie": f"person={1 + n % 2}"},
                )
            )
            await connection.send(json.dumps({"watch": {f"t1/x/{n % 10}": 0}, "n": 1}))
            async with asyncio.timeout(60):
                while '"live"' not in await connection.recv():
                    pass

        await asyncio.gather(*(comes_back(n) for n in range(count)))
        assert worker.engine.entrance.queries < count / 2
        assert worker.engine.hub.reader.queries < count / 2
        assert len(world.drawn) <= 20, "each thing is drawn once or twice for all who lack it"


async def test_a_drawing_that_the_database_cuts_off_is_drawn_again(
    world: World, worker: Worker
) -> None:
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        with world.held("t1/x/1") as gate:
            await world.write("1", "after all")
            await asyncio.wait_for(gate.reached.wait(), worlds.DEADLINE)
            async with world.sessions() as tx:
                await tx.execute(
                    sa.text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                        "AND backend_type = 'client backend'"
                    )
                )
        await screen.sees("t1/x/1", "after all")
        assert worker.engine.counters["drawings_failed"] >= 1
        assert screen.closed is None
        await world.write("1", "and on")
        await screen.sees("t1/x/1", "and on")


async def test_a_drawing_that_its_worker_leaves_half_way_is_drawn_by_the_next(
    world: World,
) -> None:
    worker = await world.worker()
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        with world.held("t1/x/1") as gate:
            await world.write("1", "after all")
            await asyncio.wait_for(gate.reached.wait(), worlds.DEADLINE)
            await worker.stop()
            await screen.until(lambda: screen.closed)
        assert screen.closed == 1012
    await worker.start()
    async with worker.screen(1) as again:
        await again.watch({"t1/x/1": screen.version["t1/x/1"]})
        await again.sees("t1/x/1", "after all")


async def test_a_wall_clock_that_jumps_ends_no_waiting_and_prolongs_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beats, compares, pings and the patience with a slow reader go by a clock that never jumps."""
    jumped, real = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: real() + jumped[0])
    worker = await world.worker(
        now=lambda: datetime.now(UTC) + timedelta(seconds=jumped[0]),
        beat_every=0.1,
        ping_every=0.2,
        compare_every=0.2,
    )
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        for number, seconds in enumerate((3600, -3600, 0)):
            jumped[0] = seconds
            screen.frames.clear()
            await world.write("1", f"by hint {number}")
            await screen.sees("t1/x/1", f"by hint {number}")
            await world.write("1", f"by compare {number}", announce=False)
            await screen.sees("t1/x/1", f"by compare {number}")
            await screen.until(lambda: len(beats(screen)) >= 3)
            assert all(0 <= beat < worlds.DEADLINE for beat in beats(screen))
        assert screen.closed is None
        jumped[0] = 3600
        await worker.stop()
        await screen.until(lambda: screen.closed)
        assert screen.closed == 1012
    world.workers.clear()


def beats(screen: worlds.Screen) -> list[int]:
    return [frame["beat"] for frame in screen.frames if "beat" in frame]
