"""A list's rows arrive once each and in order, over gaps, edits and reconnects."""

import asyncio

import sqlalchemy as sa

from app.realtime import bump
from tests.realtime.world import Worker, World, line

ROOM = "t1/room/1"


async def test_messages_arrive_once_each_and_in_order(
    world: World, worker: Worker, other: Worker
) -> None:
    await world.sit("1", 1, 2)
    async with worker.screen(1) as near, other.screen(2) as far:
        await near.watch({ROOM: 0})
        await far.watch({ROOM: 0})
        said = [f"m{n}" for n in range(30)]
        for words in said:
            await world.say("1", words)
        for screen in (near, far):
            await screen.until(lambda screen=screen: len(screen.rows[ROOM]) == 30)  # type: ignore[misc]
            assert list(screen.rows[ROOM].values()) == said
        assert any("since" in frame for frame in far.frames)


async def test_no_row_is_missing_or_doubled_over_reconnects_in_a_storm(
    world: World, worker: Worker, other: Worker
) -> None:
    await world.sit("1", 1, 2)
    talking = asyncio.create_task(talk(world, 120))
    rows: dict[str, str] = {}
    version = 0
    while not talking.done() or version < await world.version(ROOM):
        async with other.screen(2) as screen:
            screen.rows[ROOM], screen.version[ROOM] = rows, version
            await screen.watch({ROOM: version})
            before = version
            if not talking.done():
                await screen.until(lambda s=screen, v=before: s.version[ROOM] > v or talking.done())  # type: ignore[misc]
            rows, version = screen.rows[ROOM], screen.version[ROOM]
    assert [int(words[1:]) for words in rows.values()] == sorted(int(w[1:]) for w in rows.values())
    assert len(rows) == 120
    assert list(rows.values()) == await spoken(world)


async def talk(world: World, count: int) -> None:
    for n in range(count):
        await world.say("1", f"m{n}", announce=n % 3 > 0)


async def spoken(world: World) -> list[str]:
    async with world.sessions() as tx:
        rows = await tx.scalars(
            sa.select(line.c.words).where(line.c.room == "1").order_by(line.c.id)
        )
        return [str(words) for words in rows]


async def test_an_edited_row_takes_the_place_of_the_old_one(world: World, worker: Worker) -> None:
    await world.sit("1", 1)
    await world.say("1", "frist")
    async with worker.screen(1) as screen:
        await screen.watch({ROOM: 0})
        await edit(world, "frist", "first")
        await screen.until(lambda: list(screen.rows[ROOM].values()) == ["first"])
        assert screen.frames[-1]["since"] == 2


async def test_an_edit_above_the_loaded_page_appends_nothing(world: World, worker: Worker) -> None:
    await world.sit("1", 1)
    await world.say("1", "old")
    async with worker.screen(1) as screen:
        screen.rows[ROOM] = {}  # as if the page showed only what came later
        await screen.watch({ROOM: 2})
        await edit(world, "old", "older")
        await screen.until(lambda: screen.version[ROOM] == 3)
        assert screen.rows[ROOM] == {}


async def edit(world: World, old: str, new: str) -> None:
    async with world.act() as tx:
        revision = await bump(tx, ROOM)
        await tx.execute(
            line.update().where(line.c.words == old).values(words=new, revision=revision)
        )


async def test_more_than_a_page_of_rows_comes_as_a_reset(world: World, worker: Worker) -> None:
    await world.sit("1", 1)
    async with world.act() as tx:
        for n in range(250):
            revision = await bump(tx, ROOM)
            await tx.execute(
                line.insert().values(room="1", born=revision, revision=revision, words=f"m{n}")
            )
    async with worker.screen(1) as screen:
        await screen.watch({ROOM: 1})
        assert screen.frames[-2]["reset"] is True
        assert list(screen.rows[ROOM].values()) == [f"m{n}" for n in range(50, 250)]


async def test_two_tabs_of_one_person_are_drawn_from_the_lower_since(
    world: World, worker: Worker
) -> None:
    await world.sit("1", 1)
    for n in range(3):
        await world.say("1", f"m{n}")
    async with worker.screen(1) as full, worker.screen(1) as partial:
        await full.watch({ROOM: 0})
        partial.rows[ROOM] = {"line-1": "m0"}
        with world.held(ROOM) as gate:
            await partial.ask({ROOM: 2})
            await gate.reached.wait()
            await world.say("1", "m3")
        for screen in (full, partial):
            await screen.until(lambda s=screen: len(s.rows[ROOM]) == 4)  # type: ignore[misc]
            assert list(screen.rows[ROOM].values()) == ["m0", "m1", "m2", "m3"]
