"""However a socket ends: nothing of it stays in the worker."""

import asyncio
import gc
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from app.realtime.frames import FrameProtocol
from app.realtime.lean import LeanConnection
from app.realtime.socket import Socket
from tests.realtime import raw as raws
from tests.realtime.raw import TEXT, Raw, frame, raw
from tests.realtime.world import Worker, World, until

WATCHED = {"t1/x/1": 0, "t1/room/1": 0, "t1/shelf/s": 0, "u1/bell": 0}
End = Callable[[World, Worker, Raw], Awaitable[None]]
ENDS: dict[str, End] = {}


def end(by: End) -> End:
    ENDS[by.__name__.replace("_", " ")] = by
    return by


def stop_reading(client: Raw) -> None:
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]


async def fill(world: World, worker: Worker) -> None:
    """Until the kernel takes no more for the one who does not read."""
    for n in range(200):
        if worker.engine.behind:
            return
        await world.write("1", "x" * 200_000 + f" {n}.")
        await until(lambda: not any(topic.busy for topic in worker.engine.hub.topics.values()))
    raise AssertionError("it was never behind")


@end
async def a_goodbye(world: World, worker: Worker, client: Raw) -> None:
    client.send(raws.close(1000))


@end
async def a_hang_up_without_a_word(world: World, worker: Worker, client: Raw) -> None:
    client.writer.close()


@end
async def only_half_a_hang_up(world: World, worker: Worker, client: Raw) -> None:
    client.writer.write_eof()


@end
async def a_reset(world: World, worker: Worker, client: Raw) -> None:
    line = client.writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


@end
async def a_reset_while_much_waits_for_it(world: World, worker: Worker, client: Raw) -> None:
    stop_reading(client)
    await fill(world, worker)
    await a_reset(world, worker, client)


@end
async def a_message_too_big(world: World, worker: Worker, client: Raw) -> None:
    client.send(frame(TEXT, b"x" * 20_000))
    assert await client.closed_with() == 1009


@end
async def half_a_message_and_then_nothing(world: World, worker: Worker, client: Raw) -> None:
    client.send(frame(TEXT, b'{"watch":', fin=False))
    client.writer.close()


@end
async def nonsense_and_no_answer_to_the_refusal(world: World, worker: Worker, client: Raw) -> None:
    client.send(frame(TEXT, b"nonsense"))
    assert await client.closed_with() == 1008


@end
async def reading_nothing_for_too_long(world: World, worker: Worker, client: Raw) -> None:
    stop_reading(client)
    await fill(world, worker)
    await until(lambda: worker.engine.counters["closed_1013"])


@end
async def no_answer_to_a_ping(world: World, worker: Worker, client: Raw) -> None:
    await until(lambda: worker.engine.counters["closed_1011"])


@end
async def signing_out_elsewhere(world: World, worker: Worker, client: Raw) -> None:
    await world.allow(1)
    assert await client.closed_with() == 4401


@end
async def another_database(world: World, worker: Worker, client: Raw) -> None:
    from app.realtime import versions

    async with world.act() as tx:
        await versions.renew_epoch(tx)
    assert await client.closed_with() == 1012


@end
async def the_worker_leaves(world: World, worker: Worker, client: Raw) -> None:
    world.workers.remove(worker)
    await worker.stop()
    assert await client.closed_with() == 1012


def remains() -> set[int]:
    """The ids of what would be left of sockets. They themselves are not kept here."""
    gc.collect()
    parts = (Socket, FrameProtocol, LeanConnection)
    return {id(one) for one in gc.get_objects() if type(one) in parts}


@pytest.mark.parametrize("ended", ENDS)
async def test_nothing_stays_of_a_socket_after(world: World, ended: str) -> None:
    ping_every = 0.3 if ended == "no answer to a ping" else 20
    worker = await world.worker(
        drain_within=0.3, ping_every=ping_every, beat_every=0.2, compare_every=0.3
    )
    await world.sit("1", 1)
    before = remains()
    async with raw(worker, 1) as client:
        client.send(frame(TEXT, json.dumps({"watch": WATCHED, "n": 1}).encode()))
        while b'"live":1' not in (await client.hear())[1]:
            pass
        client.send(frame(TEXT, b'{"here":"t1/room/1"}'))
        await ENDS[ended](world, worker, client)
        await until(lambda: not worker.engine.sockets)
        async with asyncio.timeout(15):
            while remains() - before:
                await asyncio.sleep(0.05)
    engine = worker.engine
    assert not engine.behind
    assert not engine.hub.topics
    assert not engine.hub._views
    assert not engine.door._per
    await until(lambda: not engine._short)
    closed = {name: n for name, n in engine.counters.items() if name.startswith("closed_")}
    assert sum(closed.values()) == 1, closed


async def test_a_worker_leaves_even_if_one_of_its_tasks_overhears_that(world: World) -> None:
    worker = await world.worker()
    world.workers.clear()

    async def absent_minded() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        await asyncio.get_running_loop().create_future()

    worker.engine.spawn(absent_minded())
    await asyncio.sleep(0)  # it has begun
    async with asyncio.timeout(15):
        await worker.stop()
