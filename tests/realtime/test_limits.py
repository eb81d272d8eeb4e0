"""What one socket may cost."""

import json

from tests.realtime.world import Worker, World


async def test_more_than_twenty_messages_a_second_close_it(worker: Worker) -> None:
    async with worker.screen() as screen:
        for _ in range(30):
            await screen._connection.send(json.dumps({"unwatch": []}))
        await screen.until(lambda: screen.closed)
        assert screen.closed == 1008


async def test_a_message_over_16_kib_closes_it(worker: Worker) -> None:
    async with worker.screen() as screen:
        await screen.send({"unwatch": ["x" * 17_000]})
        await screen.until(lambda: screen.closed)
        assert screen.closed == 1009


async def test_more_than_512_topics_close_it(worker: Worker) -> None:
    async with worker.screen() as screen:
        await screen.watch({f"t1/x/{n}": 0 for n in range(500)})
        await screen.ask({f"t1/x/{n}": 0 for n in range(500, 520)})
        await screen.until(lambda: screen.closed)
        assert screen.closed == 1008


async def test_nonsense_closes_it(worker: Worker) -> None:
    for text in (
        "{",
        "[]",
        '{"watch": {"t1/x/1": -1}, "n": 1}',
        '{"watch": 3, "n": 1}',
        "[" * 9000,
    ):
        async with worker.screen() as screen:
            await screen._connection.send(text)
            await screen.until(lambda s=screen: s.closed)  # type: ignore[misc]
            assert screen.closed == 1008


async def test_bytes_close_it(worker: Worker) -> None:
    async with worker.screen() as screen:
        await screen._connection.send(b"bytes")
        await screen.until(lambda: screen.closed)
        assert screen.closed == 1003


async def test_the_beat_tells_how_old_the_last_compare_is(world: World) -> None:
    worker = await world.worker(beat_every=0.05)
    async with worker.screen() as screen:
        await screen.until(lambda: any("beat" in frame for frame in screen.frames))
        assert next(frame for frame in screen.frames if "beat" in frame)["beat"] in (0, 1, 2)


async def test_stopping_closes_sockets_with_1012(world: World) -> None:
    worker = await world.worker()
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0})
        await worker.engine.stop()
        await screen.until(lambda: screen.closed)
        assert screen.closed == 1012
