"""GET /live: the same frame for who has no socket."""

import httpx

from app.realtime import touch
from tests.realtime.world import Worker, World, put


async def get(worker: Worker, person: int = 1, **query: object) -> httpx.Response:
    url = f"http://127.0.0.1:{worker.port}/live"
    cookies = {"person": str(person)} if person else {}
    async with httpx.AsyncClient(cookies=cookies) as client:
        return await client.get(url, params={k: str(v) for k, v in query.items()})


async def test_it_is_the_frame_of_the_socket(world: World, worker: Worker) -> None:
    await world.write("1", "hello")
    async with worker.screen() as screen:
        await screen.watch({"t1/x/1": 0})
        answer = await get(worker, topic="t1/x/1", version=0)
        assert answer.json() == screen.frames[1]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["live-epoch"] == worker.engine.epoch


async def test_not_behind_is_204(world: World, worker: Worker) -> None:
    await world.write("1", "hello")
    assert (await get(worker, topic="t1/x/1", version=1)).status_code == 204


async def test_rows_come_since_the_version(world: World, worker: Worker) -> None:
    await world.sit("1", 1)
    await world.say("1", "one")
    await world.say("1", "two")
    answer = (await get(worker, topic="t1/room/1", version=2)).json()
    assert answer["since"] == 2
    assert "two" in answer["html"]
    assert "one" not in answer["html"]


async def test_a_listing_is_names(world: World, worker: Worker) -> None:
    async with world.act() as tx:
        await put(tx, "1", "saw")
        touch(tx, "t1/shelf")
    frame = (await get(worker, topic="t1/shelf/saw", version=0)).json()
    assert frame == {
        "topic": "t1/shelf/saw",
        "version": 1,
        "items": ["t1/x/1"],
        "counts": {"things": 1},
    }
    assert (await get(worker, topic="t1/shelf/saw", version=1)).status_code == 204


async def test_not_yours_not_there_and_not_signed_in_are_404(world: World, worker: Worker) -> None:
    await world.sit("1", 2)
    await world.write("1", "hello")
    for person, topic in (
        (3, "t1/x/1"),
        (0, "t1/x/1"),
        (1, "t1/room/1"),
        (1, "t1/room/99"),
        (1, "t1/x/99"),
        (1, "t1/nokind/1"),
        (1, "nonsense"),
        (1, "u2/bell"),
    ):
        for version in (0, 1, 99):
            answer = await get(worker, person, topic=topic, version=version)
            assert answer.status_code == 404, (person, topic, version)
