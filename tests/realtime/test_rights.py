"""Who may listen: by scope at the watch, by every drawing, and no longer than the right lasts."""

from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import InvalidStatus

from app.realtime import touch
from tests.realtime.world import Worker, World, put, veil

ROOM = "t1/room/1"


async def test_a_stranger_to_the_scope_hears_gone_and_then_nothing(
    world: World, worker: Worker
) -> None:
    await world.write("1", "secret")
    async with worker.screen(3) as stranger:
        await stranger.watch({"t1/x/1": 7, "t2/x/1": 0})
        assert {"topic": "t1/x/1", "version": 7, "html": None} in stranger.frames
        await world.write("1", "more secret")
        async with world.act() as tx:  # the same socket does hear what is its own
            await put(tx, "t2-1", "ours")
            touch(tx, "t2/x/1")
        await stranger.until(lambda: stranger.version["t2/x/1"] == 1)
        assert "secret" not in str(stranger.frames)
        assert len([f for f in stranger.frames if f.get("topic") == "t1/x/1"]) == 1


@pytest.mark.parametrize("guess", [0, 1, 2, 99])
async def test_a_room_of_others_answers_like_one_that_never_was(
    world: World, worker: Worker, guess: int
) -> None:
    await world.sit("1", 2)
    await world.say("1", "whisper")  # version 2
    async with worker.screen(1) as stranger:
        await stranger.watch({ROOM: guess, "t1/room/77": guess, "t1/nokind/1": guess})
        answers = [{**f, "topic": ""} for f in stranger.frames if f.get("topic")]
        assert answers == [{"topic": "", "version": guess, "html": None}] * 3
        await world.say("1", "whisper again")
        await world.write("1", "for all")
        await stranger.watch({"t1/x/1": 0})
        await stranger.sees("t1/x/1", "for all")
        assert len([f for f in stranger.frames if f.get("topic") == ROOM]) == 1


@pytest.mark.parametrize("guess", [0, 1, 3, 99])
async def test_a_draft_answers_like_one_that_never_was(
    world: World, worker: Worker, guess: int
) -> None:
    """A shared drawing that is None for everybody, of a topic that has been touched."""
    for _ in range(2):
        await world.write("1", None)  # version 2, which no page can show
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": guess, "t1/x/77": guess, "t1/nokind/1": guess})
        answers = [{**f, "topic": ""} for f in screen.frames if f.get("topic")]
        assert answers == [{"topic": "", "version": guess, "html": None}] * 3
        await world.write("1", None)
        await world.write("2", "for all")
        await screen.watch({"t1/x/2": 0})
        await screen.sees("t1/x/2", "for all")
        assert len([f for f in screen.frames if f.get("topic") == "t1/x/1"]) == 1


async def test_what_nobody_ever_touched_stays_as_its_page_shows_it(
    world: World, worker: Worker
) -> None:
    async with worker.screen(1) as screen:
        await screen.watch({"t1/hot": 0})
        assert "t1/hot" not in screen.html


async def test_leaving_a_community_cuts_its_topics_and_keeps_the_others(
    world: World, worker: Worker, other: Worker
) -> None:
    async with other.screen(2) as screen:
        await screen.watch({"t1/x/1": 0, "t2/x/1": 0})
        await world.write("1", "seen")
        await screen.sees("t1/x/1", "seen")
        await world.allow(2, "t2")
        await screen.until(lambda: screen.html["t1/x/1"] is None)
        await world.write("1", "unseen")
        async with world.act() as tx:
            await put(tx, "t2-1", "ours")
            touch(tx, "t2/x/1")
        await screen.sees("t2/x/1", "ours")
        assert "unseen" not in str(screen.frames)


async def test_a_cut_arrives_without_any_hint(world: World, worker: Worker) -> None:
    async with worker.screen(2) as screen:
        await screen.watch({"t1/x/1": 0})
        worker.engine.hints_withheld = True
        await world.allow(2, "t2")
        await screen.until(lambda: screen.html.get("t1/x/1", "") is None)


async def test_signing_out_closes_the_socket(world: World, worker: Worker) -> None:
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        await world.allow(1)
        await screen.until(lambda: screen.closed)
        assert screen.closed == 4401


async def test_a_cut_between_the_opening_and_the_watch_is_not_lost(
    world: World, worker: Worker, other: Worker
) -> None:
    for _ in range(10):
        await world.allow(2, "t1", "t2")
        async with other.screen(2) as screen:
            await world.allow(2, "t2", announce=False)
            await screen.ask({"t1/x/1": 0})
            await screen.until(lambda s=screen: s.html.get("t1/x/1", "") is None)  # type: ignore[misc]


async def test_a_seat_lost_with_the_access_topic_is_gone_and_comes_back(
    world: World, worker: Worker
) -> None:
    await world.sit("1", 1)
    await world.say("1", "hello")
    async with worker.screen(1) as screen:
        await screen.watch({ROOM: 0})
        assert list(screen.rows[ROOM].values()) == ["hello"]
        await world.sit("1", 2)
        await screen.until(lambda: screen.html[ROOM] is None)
        assert screen.rows[ROOM] == {}
        await world.say("1", "behind your back")
        await world.sit("1", 1, 2)
        await screen.until(lambda: len(screen.rows[ROOM]) == 2)


async def test_a_page_that_slept_through_a_change_of_rights_is_drawn_again(
    world: World, worker: Worker
) -> None:
    async with world.act() as tx:
        await put(tx, "u1", "3 waiting")
        touch(tx, "u1/bell")
    await world.allow(1, "t1")
    async with worker.screen(1) as fresh:
        await fresh.watch({"u1/access": 1, "u1/bell": 1})
        assert "u1/bell" not in fresh.html
    async with worker.screen(1) as stale:
        await stale.watch({"u1/access": 0, "u1/bell": 1})
        await stale.sees("u1/bell", "3 waiting")
        await stale.until(lambda: stale.version["u1/access"] == 1)


async def test_a_session_that_ends_by_the_clock_is_asked_again(world: World) -> None:
    now = datetime.now(UTC)
    world.expires_at = now + timedelta(hours=1)
    clock = [now]
    worker = await world.worker(now=lambda: clock[0], beat_every=0.05)
    async with worker.screen(1) as screen:
        await screen.watch({"t1/x/1": 0})
        async with world.act() as tx:  # nobody touched the access: only time has passed
            from tests.realtime.world import right

            await tx.execute(right.delete().where(right.c.person == 1))
        clock[0] = now + timedelta(hours=2)
        await screen.until(lambda: screen.closed)
        assert screen.closed == 4401


async def test_a_foreign_origin_is_refused(worker: Worker) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with worker.screen(1, origin="http://theirs"):
            pass


async def test_nobody_signed_in_is_told_so(worker: Worker) -> None:
    async with worker.screen(0) as screen:
        await screen.until(lambda: screen.closed)
        assert screen.closed == 4401


async def test_two_faces_of_one_shared_drawing(world: World, worker: Worker) -> None:
    import sqlalchemy as sa

    from app.realtime import TwoFaces

    @world.topics.shared("faced")
    async def faced(tx, community, key, locale):  # type: ignore[no-untyped-def]
        hidden = frozenset(await tx.scalars(sa.select(veil.c.person)))
        return TwoFaces("<p>open</p>", "<p>paused</p>", hidden)

    async with world.act() as tx:
        await tx.execute(veil.insert().values(person=2))
        touch(tx, "t1/faced/1")
    async with worker.screen(1) as one, worker.screen(2) as two:
        await one.watch({"t1/faced/1": 0})
        await two.watch({"t1/faced/1": 0})
        assert "open" in (one.html["t1/faced/1"] or "")
        assert "paused" in (two.html["t1/faced/1"] or "")
        assert "open" not in str(two.frames)
