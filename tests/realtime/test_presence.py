"""Who else is there and who types: shown to whom the topic is proven to be, as far as allowed."""

import pytest

from app.realtime import bump
from tests.realtime.looking import OTHER_ROOM, ROOM, kept, looking, nothing_is_kept, sees
from tests.realtime.world import Worker, World, until

# --- what is shown


async def test_the_others_see_who_is_there_and_who_types(
    room: World, worker: Worker, other: Worker
) -> None:
    async with looking(worker, 1) as ada, looking(other, 2) as ben:
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")
        await ada.send({"typing": ROOM})
        await sees(ben, "p1 types")
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")
        assert ROOM not in ada.company, "nobody needs to hear of themselves"
        await ben.send({"here": ROOM})
        await sees(ada, "p2 is here")


async def test_who_comes_later_sees_who_is_there_and_need_not_show_themselves(
    room: World, worker: Worker, other: Worker
) -> None:
    room.shows[2] = set()
    async with looking(worker, 1) as ada:
        await ada.send({"typing": ROOM})
        await until(lambda: worker.engine.counters["company_written"])
        async with looking(other, 2) as ben:
            await ben.send({"here": ROOM})
            await sees(ben, "p1 types")
            assert ROOM not in ada.company


async def test_a_frame_says_for_how_long_it_holds_and_has_no_version(
    room: World, worker: Worker
) -> None:
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")
        frame = next(frame for frame in ben.frames if "ttl" in frame)
        assert frame.keys() == {"topic", "ttl", "html"}
        assert 0 < frame["ttl"] <= 8000


@pytest.mark.parametrize(
    ("shows", "says", "seen"),
    [
        ({"here"}, "typing", "p1 is here"),
        ({"typing"}, "typing", "p1 types"),
        ({"typing"}, "here", ""),
        (set(), "typing", ""),
    ],
)
async def test_everybody_shows_what_they_allow_and_no_more(
    room: World, worker: Worker, shows: set[str], says: str, seen: str
) -> None:
    room.shows[1] = shows
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ada.send({says: ROOM})
        if seen:
            await sees(ben, seen)
        else:
            await ben.send({"here": ROOM})
            await sees(ada, "p2 is here")
            assert ROOM not in ben.company
            assert not any(":1:" in key for key in await kept(room))


async def test_what_is_switched_off_is_gone_at_once_from_screens_and_redis(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada, looking(other, 1) as ada_too, looking(other, 2) as ben:
        await ada.send({"here": ROOM})
        await ada_too.send({"typing": ROOM})
        await sees(ben, "p1 types")
        room.shows[1] = {"here"}
        await room.allow(1, "t1")
        await sees(ben, "p1 is here")
        room.shows[1] = set()
        await room.allow(1, "t1")
        await sees(ben, "")
        await nothing_is_kept(room)
        await ada.send({"here": ROOM})
        await ben.send({"here": ROOM})
        await sees(ada, "p2 is here")
        assert not any(":1:" in key for key in await kept(room))


async def test_it_is_switched_off_without_any_hint_too(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, _ = patient
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")
        worker.engine.hints_withheld = True
        room.shows[1] = set()
        await room.allow(1, "t1")
        await nothing_is_kept(room)


async def test_people_who_are_kept_apart_do_not_see_each_other(
    room: World, worker: Worker, other: Worker
) -> None:
    await room.sit("1", 1, 2, 3)
    await room.allow(3, "t1")
    room.apart = {frozenset((1, 2))}
    async with (
        looking(worker, 1) as ada,
        looking(other, 2) as ben,
        looking(other, 3) as cy,
    ):
        await ada.send({"here": ROOM})
        await ben.send({"typing": ROOM})
        await sees(cy, "p1 is here, p2 types")
        await cy.send({"here": ROOM})
        await sees(ada, "p3 is here")
        await sees(ben, "p3 is here")
        assert "p2" not in str(ada.frames)
        assert "p1" not in str(ben.frames)


async def test_a_block_that_falls_meanwhile_hides_the_two(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, _ = patient
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ada.send({"here": ROOM})
        await ben.send({"here": ROOM})
        await sees(ben, "p1 is here")
        await sees(ada, "p2 is here")
        room.apart = {frozenset((1, 2))}
        await room.allow(1, "t1")
        await room.allow(2, "t1")
        await sees(ada, "")
        await sees(ben, "")


# --- who may be noted, and who may hear


async def test_a_stranger_is_not_noted_and_hears_nothing(
    room: World, worker: Worker, other: Worker
) -> None:
    await room.sit("2", 2)
    await room.allow(3, "t1")  # in the community, and in no room
    async with (
        looking(worker, 3) as stranger,
        looking(other, 1, ROOM, OTHER_ROOM) as ada,
        looking(worker, 2, ROOM, OTHER_ROOM) as ben,
    ):
        for word in ("here", "typing"):
            await stranger.send({word: ROOM})
            await stranger.send({word: "t1/room/77"})  # not watched, not there
            await ada.send({word: OTHER_ROOM})  # watched, but ben's alone
        await ben.send({"here": ROOM})
        await ben.send({"typing": OTHER_ROOM})
        await sees(ada, "p2 is here")
        await ada.send({"typing": ROOM})
        await sees(ben, "p1 types")
        noted = {key.partition("{")[2] for key in await kept(room)}
        assert not [key for key in noted if "t1/room/77" in key or "}:3:" in key]
        assert not [key for key in noted if key.startswith(f"{OTHER_ROOM}}}:1:")]
        assert not stranger.company
        assert OTHER_ROOM not in ben.company
        assert OTHER_ROOM not in ada.company


async def test_nobody_is_noted_before_the_topic_is_proven_to_be_theirs(
    room: World, worker: Worker
) -> None:
    async with looking(worker, 2) as ben, worker.screen(1) as ada, room.act() as tx:
        with room.held(ROOM) as gate:
            await ada.ask({ROOM: 0})
            await gate.reached.wait()
            await ada.send({"typing": ROOM})
            await ada.watch({"t1/x/9": 0})  # what was said before has been taken by now
            assert not worker.engine.presence.noted
            await bump(tx, ROOM)
        await ada.until(lambda: ROOM in ada.html)
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")


async def test_who_is_cut_vanishes_and_hears_nothing_more(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada, looking(other, 2) as ben, looking(other, 2) as again:
        await ben.send({"here": ROOM})
        await sees(ada, "p2 is here")
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")
        await room.sit("1", 1)  # ben's seat is gone
        await sees(ada, "")
        await ben.until(lambda: ben.html[ROOM] is None)
        await again.until(lambda: again.html[ROOM] is None)
        heard = len([frame for frame in ben.frames if "ttl" in frame])
        await ben.send({"typing": ROOM})
        await ada.send({"typing": ROOM})
        async with looking(worker, 1) as ada_too:  # she herself hears nothing, and ben less
            await ada_too.send({"here": ROOM})
            await until(lambda: worker.engine.counters["company_written"] >= 2)
        await room.write("1", "for all")
        await ben.watch({"t1/x/1": 0})
        await ben.sees("t1/x/1", "for all")
        assert len([frame for frame in ben.frames if "ttl" in frame]) == heard
        assert not any(":2:" in key for key in await kept(room))


async def test_what_waits_for_a_slow_reader_is_not_told_once_the_room_is_not_theirs(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada, looking(other, 2) as ben:
        (bens,) = other.engine.sockets
        bens.overflow()
        await ada.send({"here": ROOM})
        await until(lambda: bens.company)
        before = await room.version(ROOM)
        await room.sit("1", 1)
        await until(lambda: other.engine.hub.topics[ROOM].version > before)
        bens.drained()
        await ben.until(lambda: ben.html[ROOM] is None)
        await ben.watch({"t1/x/1": 0})
        assert ROOM not in ben.company
        assert not bens.company


async def test_while_a_right_is_asked_again_one_neither_hears_nor_is_noted(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada, looking(other, 2) as ben:
        with room.held(ROOM) as gate:
            await room.allow(2, "t1")
            await gate.reached.wait()
            await ada.send({"here": ROOM})
            await ben.send({"typing": ROOM})
            (bens,) = other.engine.sockets
            await until(lambda: bens.company)
            await room.write("1", "meanwhile")
            await ben.ask({"t1/x/1": 0})
            await ben.sees("t1/x/1", "meanwhile")
            assert ROOM not in ben.company
            assert not other.engine.presence.noted
        await sees(ben, "p1 is here")
        await ben.send({"typing": ROOM})
        await sees(ada, "p2 types")


async def test_while_a_change_of_the_room_is_being_drawn_nobody_hears_who_may_be_cut_by_it(
    room: World, patient: tuple[Worker, Worker]
) -> None:
    worker, other = patient
    async with looking(worker, 1) as ada, looking(other, 2) as ben:
        with room.held(ROOM):
            await room.sit("1", 1)
            await until(lambda: other.engine.hub.topics[ROOM].behind)
            await ada.send({"here": ROOM})
            (bens,) = other.engine.sockets
            await until(lambda: bens.company)
            await room.write("1", "meanwhile")
            await ben.watch({"t1/x/1": 0})
            assert ROOM not in ben.company
        await ben.until(lambda: ben.html[ROOM] is None)
        assert ROOM not in ben.company


async def test_who_changes_their_language_reads_it_in_that_one(room: World, worker: Worker) -> None:
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ada.send({"here": ROOM})
        await sees(ben, "p1 is here")
        room.locales[2] = "de"
        await room.allow(2, "t1")
        await sees(ben, "p1 ist hier")
