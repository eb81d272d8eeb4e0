"""A listing: one question for all who ask it, and only names on the wire."""

from app.realtime import touch
from tests.realtime.world import Worker, World, put, veil


def items(frames: list[dict[str, object]], topic: str) -> list[object]:
    return [frame["items"] for frame in frames if frame.get("topic") == topic and "items" in frame]


async def lists(world: World, key: str, words: str) -> None:
    async with world.act() as tx:
        await put(tx, key, words)
        touch(tx, f"t1/x/{key}", "t1/shelf")


async def test_a_newcomer_reaches_all_who_ask_the_same_for_one_drawing(
    world: World, worker: Worker
) -> None:
    await lists(world, "1", "a red saw")
    async with worker.screen(1) as one, worker.screen(2) as two, worker.screen(2) as other:
        for screen in (one, two):
            await screen.watch({"t1/shelf/red": await world.version("t1/shelf/red")})
        await other.watch({"t1/shelf/blue": 0})
        assert items(other.frames, "t1/shelf/blue") == [[]]
        world.drawn.clear()
        await lists(world, "2", "a red drill")
        for screen in (one, two):
            await screen.until(lambda s=screen: items(s.frames, "t1/shelf/red"))  # type: ignore[misc]
            assert items(screen.frames, "t1/shelf/red") == [["t1/x/1", "t1/x/2"]]
        await other.until(lambda: len(items(other.frames, "t1/shelf/blue")) == 2)
        assert sorted(world.drawn) == ["t1/shelf/blue", "t1/shelf/red"]
        await one.watch({"t1/x/2": 0})
        await two.watch({"t1/x/2": 0})
        assert world.drawn.count("t1/x/2") == 1, "the newcomer itself is drawn once, too"


async def test_one_that_follows_another_topic_changes_with_it(
    world: World, worker: Worker, other: Worker
) -> None:
    async with other.screen(1) as screen:
        await screen.watch({"t1/shelf/hot": 0, "t1/shelf/cold": 0})
        for n in range(5):
            async with world.act() as tx:
                await put(tx, str(n), f"hot {n}")
                touch(tx, "t1/hot")
            expected = [f"t1/x/{i}" for i in range(n + 1)]
            await screen.until(
                lambda e=expected: items(screen.frames, "t1/shelf/hot")[-1:] == [e]  # type: ignore[misc]
            )
        told = [f["version"] for f in screen.frames if f.get("topic") == "t1/shelf/hot"]
        assert told == sorted(set(told))
        assert items(screen.frames, "t1/shelf/cold") == [], "nothing that it counts has changed"


async def test_a_lost_hint_of_what_it_follows_is_found(world: World, worker: Worker) -> None:
    async with worker.screen(1) as screen:
        await screen.watch({"t1/shelf/hot": 0})
        async with world.act(announce=False) as tx:
            await put(tx, "1", "hot")
            touch(tx, "t1/hot")
        await screen.until(lambda: items(screen.frames, "t1/shelf/hot") == [["t1/x/1"]])


async def test_nothing_is_kept_of_a_listing_that_nobody_watches(
    world: World, worker: Worker
) -> None:
    async with worker.screen(1) as screen:
        await screen.watch({"t1/shelf/hot": 0})
        assert worker.engine.hub._views
        await screen.send({"unwatch": ["t1/shelf/hot"]})
        await screen.watch({"t1/x/1": 0})
        assert not worker.engine.hub._views


async def test_who_is_kept_away_from_something_gets_a_list_of_their_own(
    world: World, worker: Worker
) -> None:
    async with worker.screen(1) as one, worker.screen(2) as kept_away:
        for screen in (one, kept_away):
            await screen.watch({"t1/shelf/red": 0})
        async with world.act() as tx:
            await tx.execute(veil.insert().values(person=2))
        await lists(world, "1", "a red saw")
        await one.until(lambda: items(one.frames, "t1/shelf/red"))
        await kept_away.until(lambda: items(kept_away.frames, "t1/shelf/red"))
        assert items(one.frames, "t1/shelf/red") == [["t1/x/1"]]
        assert items(kept_away.frames, "t1/shelf/red") == [[]]
