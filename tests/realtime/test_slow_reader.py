"""A reader that stops: it is behind, not a backlog, and the others notice nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.realtime.world import Worker, World, until

LONG = "x" * 100_000
ROUNDS = 120


@asynccontextmanager
async def stalled(worker: Worker, person: int) -> AsyncIterator[ClientConnection]:
    """A client that watches and then does not read: its own queue and the kernel's fill up."""
    url = f"ws://127.0.0.1:{worker.port}/live"
    headers = {"Cookie": f"person={person}"}
    async with connect(
        url,
        origin="http://ours",  # type: ignore[arg-type]
        additional_headers=headers,
        max_queue=1,
        ping_interval=None,
        compression=None,
        close_timeout=0.1,
    ) as connection:
        await connection.send(json.dumps({"watch": {"t1/x/1": 0}, "n": 1}))
        while json.loads(await connection.recv()).get("live") != 1:
            pass
        yield connection


async def frames_of(connection: ClientConnection, last: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(15):
        while not frames or last not in str(frames[-1].get("html")):
            frames.append(json.loads(await connection.recv()))
    return frames


async def test_a_slow_reader_gets_newest_states_and_no_backlog(
    world: World, worker: Worker
) -> None:
    async with stalled(worker, 1) as slow, worker.screen(2) as quick:
        await quick.watch({"t1/x/1": 0})
        for n in range(ROUNDS):
            await world.write("1", f"{LONG} round {n}.")
            await quick.sees("t1/x/1", f"round {n}.")
        (behind,) = (s for s in worker.engine.sockets if s.listener.person_id == 1)
        assert behind.full
        assert len(behind.due or ()) <= 1
        assert not behind.said
        assert behind.transport.get_write_buffer_size() <= 256 * 1024 + len(LONG) + 1000
        frames = await frames_of(slow, f"round {ROUNDS - 1}.")
        told = [frame["version"] for frame in frames if "version" in frame]
        assert told == sorted(told)
        assert told[-1] == ROUNDS
        assert len(told) < ROUNDS


async def test_who_does_not_drain_in_time_is_closed(
    world: World,
) -> None:
    worker = await world.worker(drain_within=0.3)
    async with stalled(worker, 1) as slow, worker.screen(2) as quick:
        await quick.watch({"t1/x/1": 0})
        for n in range(ROUNDS):
            await world.write("1", f"{LONG} round {n}.")
            await quick.sees("t1/x/1", f"round {n}.")
        await until(lambda: all(s.listener.person_id != 1 for s in worker.engine.sockets))
        with pytest.raises(ConnectionClosed):
            await frames_of(slow, "nothing that was ever written")
        assert quick.closed is None
