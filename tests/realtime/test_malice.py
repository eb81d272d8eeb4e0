"""What somebody with a socket and bad intentions sends: it costs themselves, and nobody else."""

import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from tests.realtime.raw import CONT, PING, TEXT, frame, raw
from tests.realtime.world import Worker, World, until

NO_NAMES = [
    "\ud800",  # half of a character: valid JSON, but no text
    "t1/x/\udfff",
    "x" * 15_000,  # an answer to each would wait for a slow reader
    "t1/x/" + "9" * 10_000,
]
WATCH = b'{"watch":{"t1/x/1":0},"n":1}'
INFLATED = 12_000_000  # bytes that fit, squeezed, into one message of 16 KiB


@pytest.fixture
def peak() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def bomb() -> bytes:
    squeeze = zlib.compressobj(9, wbits=-12)
    data = squeeze.compress(b" " * INFLATED) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    assert 8_000 < len(data) <= 16_384
    return data.removesuffix(b"\x00\x00\xff\xff")


def in_pieces(data: bytes, size: int) -> bytes:
    first, rest = data[:size], data[size:]
    more = [frame(CONT, rest[at : at + size], fin=False) for at in range(0, len(rest), size)]
    return frame(TEXT, first, fin=False, squeezed=True) + b"".join(more)


async def test_a_name_that_is_none_closes_its_own_socket_and_holds_up_nobody(
    world: World, worker: Worker
) -> None:
    async with worker.screen(2) as other:
        await other.watch({"t1/x/1": 0})
        for number, name in enumerate(NO_NAMES):
            async with worker.screen(1) as bad:
                await bad.ask({"t1/x/2": 0, name: 0})
                await bad.until(lambda s=bad: s.closed)  # type: ignore[misc]
                assert bad.closed == 1008
            await world.write("1", f"after {number}")
            await other.sees("t1/x/1", f"after {number}")


@pytest.mark.parametrize("size", [20_000, 1_000, 15])
async def test_a_bomb_that_would_inflate_is_refused_before_it_does(
    world: World, worker: Worker, peak: None, size: int
) -> None:
    """16 KiB count after inflating, whether they come in one frame or in pieces."""
    data = bomb()
    sent = frame(TEXT, data, squeezed=True) if size > len(data) else in_pieces(data, size)
    async with worker.screen(2) as other, raw(worker, 1, squeezes=True) as client:
        await other.watch({"t1/x/1": 0})
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        client.send(sent)
        assert await client.closed_with() == 1009
        assert tracemalloc.get_traced_memory()[1] - before < INFLATED / 10
        await world.write("1", "unharmed")
        await other.sees("t1/x/1", "unharmed")


async def test_who_floods_with_pings_and_reads_no_answer_piles_up_nothing(
    world: World, worker: Worker
) -> None:
    async with raw(worker, 1) as client:
        await client.hear()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        (server,) = worker.engine.sockets
        for _ in range(40):
            client.send(frame(PING, b"p" * 125) * 1000)
            await client.writer.drain()
        client.send(frame(TEXT, WATCH))
        await until(lambda: "t1/x/1" in server.shown)
        waiting = server.transport.get_write_buffer_size()
        assert 0 < waiting < 300_000, "the kernel is full, and little waits behind it"
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while b'"live":1' not in (await client.hear())[1]:
            pass


async def test_a_message_that_never_ends_is_ended(world: World, worker: Worker) -> None:
    """Empty pieces count for no bytes, so they are counted themselves."""
    async with raw(worker, 1) as client:
        await client.hear()
        client.send(frame(TEXT, fin=False) + frame(CONT, fin=False) * 100_000)
        assert await client.closed_with() == 1008
        await until(lambda: not worker.engine.sockets)
