"""What comes over a detached connection in pieces, or all at once."""

import asyncio

import pytest

from . import raw as raws
from .raw import CONT, TEXT, frame, raw
from .world import Worker, World, until

WATCH = b'{"watch":{"t1/x/1":0},"n":1}'


async def test_a_message_that_begins_before_the_door_is_open_ends_after_it(
    world: World, worker: Worker
) -> None:
    await world.write("1", "hello")
    async with raw(worker, 1, early=frame(TEXT, WATCH[:9], fin=False)) as client:
        assert (await client.hear())[0] == TEXT  # the epoch: the engine has the socket
        client.send(frame(CONT, WATCH[9:]))
        while b'"live":1' not in (await client.hear())[1]:
            pass


async def test_nonsense_and_goodbye_in_one_packet(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    troubles: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: troubles.append(context))
    try:
        async with raw(worker, 1) as client:
            await client.hear()
            client.send(frame(TEXT, b"nonsense") + raws.close(1000))
            assert await client.closed_with() == 1000
            await until(lambda: not worker.engine.sockets)
    finally:
        loop.set_exception_handler(None)
    assert troubles == []
    assert "Traceback" not in caplog.text


async def test_who_says_goodbye_and_does_not_read_is_not_kept(world: World, worker: Worker) -> None:
    async with raw(worker, 1) as client, worker.screen(2) as other:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.send(frame(TEXT, WATCH))
        await other.watch({"t1/x/1": 0})
        for n in range(120):
            await world.write("1", "x" * 100_000 + f" {n}.")
            await other.sees("t1/x/1", f" {n}.")
            if worker.engine.behind:
                break
        (slow,) = worker.engine.behind
        transport = slow.transport
        client.send(raws.close(1000))
        await until(lambda: slow not in worker.engine.sockets)
        await until(lambda: transport.get_write_buffer_size() == 0)
