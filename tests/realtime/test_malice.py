"""What somebody with a socket and bad intentions sends: it costs themselves, and nobody else."""

from tests.realtime.world import Worker, World

NO_NAMES = [
    "\ud800",  # half of a character: valid JSON, but no text
    "t1/x/\udfff",
    "x" * 15_000,  # an answer to each would wait for a slow reader
    "t1/x/" + "9" * 10_000,
]


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
