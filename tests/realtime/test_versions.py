"""Versions go up in the transaction that changes the topic, and never mislead."""

import asyncio
import random
from collections import Counter

import pytest
import sqlalchemy as sa

from app.realtime import bump, touch, versions
from tests.realtime.world import World, put


async def test_a_version_goes_up_only_with_the_commit(world: World) -> None:
    async with world.sessions() as tx:
        touch(tx, "t1/x/1")
        await versions.flush(tx)
        assert await world.version("t1/x/1") == 0
        await tx.commit()
    assert await world.version("t1/x/1") == 1


async def test_touching_a_topic_often_in_one_act_is_one_step(world: World) -> None:
    async with world.act() as tx:
        touch(tx, "t1/x/1", "t1/x/2")
        touch(tx, "t1/x/1")
    assert await world.version("t1/x/1") == 1
    assert await world.version("t1/x/2") == 1


async def test_what_is_rolled_back_was_never_touched(world: World) -> None:
    async with world.sessions() as tx:
        touch(tx, "t1/x/1")
        await bump(tx, "t1/room/1")
        await versions.flush(tx)
        await tx.rollback()
    assert await world.version("t1/x/1") == 0
    assert await world.version("t1/room/1") == 0


async def test_touch_and_bump_of_one_topic_are_refused(world: World) -> None:
    async with world.sessions() as tx:
        touch(tx, "t1/room/1")
        await bump(tx, "t1/room/1")
        with pytest.raises(ValueError, match="t1/room/1"):
            await versions.flush(tx)
    assert await world.version("t1/room/1") == 0


async def test_eight_writers_of_hot_topics_neither_deadlock_nor_lose_a_count(
    world: World,
) -> None:
    hot = [f"t1/x/{n}" for n in range(120)]
    touched: Counter[str] = Counter()

    async def write(one: int) -> None:
        chance = random.Random(one)
        for _ in range(30):
            # Sets of very different sizes hold the same names in another order.
            names = chance.sample(hot, chance.choice((4, 20, 60, 115)))
            touched.update(names)
            async with world.act() as tx:
                touch(tx, *names)

    await asyncio.gather(*(write(one) for one in range(8)))
    async with world.sessions() as tx:
        reading = await versions.read(tx, hot)
    assert {name: reading.version(name) for name in hot} == touched


async def test_bumps_are_numbered_in_commit_order_without_a_gap(world: World) -> None:
    async def say(one: int) -> list[int]:
        return [await world.say("1", f"{one}") for _ in range(25)]

    told = await asyncio.gather(*(say(one) for one in range(8)))
    assert sorted(n for part in told for n in part) == list(range(1, 201))
    assert all(part == sorted(part) for part in told)


async def test_a_striped_topic_counts_every_touch_over_its_rows(world: World) -> None:
    async def write() -> None:
        for _ in range(20):
            async with world.act() as tx:
                touch(tx, "t1/hot")

    await asyncio.gather(*(write() for _ in range(8)))
    assert await world.version("t1/hot") == 160
    async with world.sessions() as tx:
        rows = (await versions.read(tx, ["t1/hot"])).rows("t1/hot")
    assert len([count for count in rows.values() if count]) > 4
    assert sum(rows.values()) == 160


async def test_a_hint_of_a_striped_topic_names_the_row(world: World) -> None:
    async with world.sessions() as tx:
        touch(tx, "t1/hot")
        ((row, version),) = await versions.flush(tx)
    assert row.startswith("t1/hot#")
    assert version == 1


async def test_if_a_version_is_visible_so_is_what_it_counts(world: World) -> None:
    """Each act raises a number and the version by one; a snapshot never sees them differ."""
    async with world.act() as tx:
        await put(tx, "1", "0")
    done = asyncio.Event()

    async def write() -> None:
        for _ in range(40):
            async with world.act() as tx:
                await tx.execute(sa.text("UPDATE thing SET words = words::int + 1 WHERE key = '1'"))
                touch(tx, "t1/x/1")

    async def look() -> int:
        seen = 0
        while not done.is_set():
            async with world.sessions() as tx:
                await tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                version = (await versions.read(tx, ["t1/x/1"])).version("t1/x/1")
                words = await tx.scalar(sa.text("SELECT words FROM thing WHERE key = '1'"))
                assert int(words or 0) == version
                seen += 1
        return seen

    looking = asyncio.gather(look(), look())
    await asyncio.gather(*(write() for _ in range(8)))
    done.set()
    assert min(await looking) > 10
    assert await world.version("t1/x/1") == 320


async def test_reading_many_topics_is_one_query_with_the_epoch(world: World) -> None:
    async with world.act() as tx:
        await versions.ensure_epoch(tx)
        touch(tx, "t1/x/1", "t1/hot")
    async with world.sessions() as tx:
        reading = await versions.read(tx, ["t1/x/1", "t1/hot", "t1/x/never"])
    assert len(reading.epoch) == 36
    assert [reading.version(name) for name in ("t1/x/1", "t1/hot", "t1/x/never")] == [1, 1, 0]
