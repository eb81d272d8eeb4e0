"""What happens by itself: requests run out, boards are told that time has passed, once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from app import clock, db, jobs, queue, topic
from app.loans.models import Loan, LoanEvent
from app.loans.states import State
from app.members import desk
from app.queue import ClockMark, Job
from app.realtime import versions
from app.tools import queries as tool_queries
from tests.clocks import Clock
from tests.neighbours import Street


async def state_of(street: Street, loan_id: int) -> str:
    async with db.snapshot() as tx:
        loan = await tx.get(Loan, (street.here.id, loan_id))
        assert loan is not None
        return loan.state


async def version_of(name: str) -> int:
    async with db.snapshot() as tx:
        return (await versions.read(tx, [name])).version(name)


async def test_a_request_runs_out_after_48_hours_and_the_board_says_so(
    street: Street, the_clock: Clock
) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(5))
    card = topic.tool(street.here.id, drill)
    async with street.cy.watches(card) as screen:
        await screen.shows(card, "Asked for")
        the_clock.move(timedelta(hours=48, seconds=1))
        await screen.shows(card, "Free now")
    async with street.ben.watches(topic.loan(street.here.id, loan)) as room:
        await room.shows(topic.loan(street.here.id, loan), "ran out without an answer")
    assert await state_of(street, loan) == State.EXPIRED


async def test_overdue_shows_from_the_due_minute_without_anybody_doing_anything(
    street: Street, the_clock: Clock
) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    card, counters = topic.tool(street.here.id, drill), topic.board(street.here.id)
    async with street.cy.watches(card, counters) as screen:
        await screen.shows(card, "Out")
        end = clock.day_start(street.day(1), street.here.zone)
        the_clock.move_to(end + timedelta(seconds=1))
        assert "since yesterday" in await screen.shows(card, "Overdue")
        await screen.shows(counters, "<b>1</b> overdue")
        the_clock.move_to(end + timedelta(days=1, minutes=1))
        await screen.shows(card, "by 2 days")


async def test_midnight_changes_what_today_means(street: Street, the_clock: Clock) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(2))
    await street.ada.acts(loan, "approval")
    card = topic.tool(street.here.id, drill)
    async with street.cy.watches(card) as screen:
        await screen.shows(card, "Reserved")
        the_clock.move_to(clock.day_start(street.day(1), street.here.zone) + timedelta(seconds=1))
        await screen.shows(card, "from tomorrow")
        the_clock.move_to(clock.day_start(street.day(1), street.here.zone) + timedelta(seconds=1))
        await screen.shows(card, "until the end of today")


async def test_an_unanswered_pick_up_lapses_a_day_after_its_end_and_frees_the_tool(
    street: Street, the_clock: Clock
) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(1))
    await street.ada.acts(loan, "approval")
    room = topic.loan(street.here.id, loan)
    async with street.ben.watches(room) as screen:
        the_clock.move_to(clock.day_start(street.day(3), street.here.zone) + timedelta(seconds=1))
        await screen.shows(room, "never picked up")
    assert await state_of(street, loan) == State.LAPSED


async def test_a_returned_loan_closes_two_days_later(street: Street, the_clock: Clock) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    for noun in ("approval", "handover", "return"):
        await street.ada.acts(loan, noun)
    room = topic.loan(street.here.id, loan)
    async with street.ben.watches(room) as screen:
        the_clock.move(timedelta(hours=48, seconds=1))
        await screen.shows(room, "Back and closed")


async def test_two_loops_at_once_run_a_job_once(street: Street, the_clock: Clock) -> None:
    drill = await street.ada.lists("Cordless drill")
    loans = [await street.ben.asks_for(drill, street.day(5 + n)) for n in range(10)]
    the_clock.move(timedelta(hours=48, seconds=1))
    await asyncio.gather(*(jobs.run_due() for _ in range(4)))  # beside the workers' own loops
    of_the_street = Job.key.like(f"{street.here.id}/%"), Job.name.startswith("loans.")
    left = None
    async with asyncio.timeout(20):  # what a worker is still at comes to its end
        while left != 0:
            async with db.snapshot() as tx:
                left = await tx.scalar(select(func.count()).select_from(Job).where(*of_the_street))
    async with db.snapshot() as tx:
        expired = await tx.scalars(
            select(LoanEvent.loan_id).where(
                LoanEvent.community_id == street.here.id, LoanEvent.act == "expire"
            )
        )
        assert sorted(expired) == sorted(loans), "each has expired exactly once"


async def test_a_job_and_an_act_that_want_the_same_tool_never_wait_in_a_ring(
    street: Street,
) -> None:
    """The act has the tool and plans the job anew; the job is being run, and wants the tool."""
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(5))
    job = ("loans.remind", f"{street.here.id}/{loan}")
    async with db.begin() as act:
        await tool_queries.locked(act, street.here.id, drill)
        async with db.begin() as tx:
            await queue.enqueue(tx, *job, clock.now() - timedelta(days=400), clock.now())
        running = asyncio.create_task(jobs.run_due())  # or a worker: whoever is first
        async with asyncio.timeout(20):
            while (await waiting_for(street, loan)) is not None:
                pass  # each look asks the database, and lets the others go on
        async with asyncio.timeout(20):
            await queue.enqueue(act, *job, clock.now() + timedelta(days=1), clock.now())
            await queue.drop(act, *job)
            await queue.enqueue(act, *job, clock.now() + timedelta(days=1), clock.now())
    await running


async def waiting_for(street: Street, loan: int) -> int | None:
    """The loan's reminder, while nobody has taken it up."""
    async with db.snapshot() as tx:
        return await tx.scalar(
            select(Job.id).where(
                Job.name == "loans.remind",
                Job.key == f"{street.here.id}/{loan}",
                Job.run_at < clock.now() - timedelta(days=1),
            )
        )


async def test_a_job_that_fails_is_kept_put_off_and_leaves_no_half_done_act(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(tx: db.Tx, key: str, now: datetime) -> None:
        await queue.enqueue(tx, "never", key, now, now)
        raise RuntimeError("the printer is on fire")

    monkeypatch.setitem(jobs.COMMANDS, "tests.fail", fail)
    key = f"fail-{street.here.id}"
    # Far in the past, so it comes first here; the workers do not know this name and put it off too.
    at = clock.now() - timedelta(days=400)
    async with db.begin() as tx:
        await queue.enqueue(tx, "tests.fail", key, at, clock.now())

    async def failed() -> Job | None:
        async with db.snapshot() as tx:
            job = await tx.scalar(select(Job).where(Job.name == "tests.fail", Job.key == key))
        return job if job and job.attempts else None

    await jobs.run_due()
    async with asyncio.timeout(20):  # a worker may hold it just now
        while not (job := await failed()):
            await jobs.run_due()
    assert job.run_at > at
    async with db.snapshot() as tx:
        assert await tx.scalar(select(Job).where(Job.name == "never", Job.key == key)) is None
    async with db.begin() as tx:
        await queue.drop(tx, "tests.fail", key)


async def test_a_job_enqueued_in_an_act_that_fails_does_not_exist(street: Street) -> None:
    async def enqueue_and_fail() -> None:
        async with db.begin() as tx:
            await queue.enqueue(tx, "loans.expire", "0/0", clock.now(), clock.now())
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await enqueue_and_fail()
    async with db.snapshot() as tx:
        assert await tx.scalar(select(Job).where(Job.key == "0/0")) is None


async def test_a_tick_touches_nothing_when_no_boundary_has_passed(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    card = topic.tool(street.here.id, drill)
    async with db.begin() as tx:  # waits for a tick that is under way in a worker
        mark = await tx.get(ClockMark, "boards", with_for_update=True)
        assert mark is not None
        mark.done_until = clock.now()
    before = await version_of(card)
    await jobs.tick()
    assert await version_of(card) == before


async def test_the_hand_over_button_wakes_by_itself_a_day_before(
    street: Street, the_clock: Clock
) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(3))
    await street.ada.acts(loan, "approval")
    name = topic.loan(street.here.id, loan)
    assert "too early" in await street.ada.opens(f"{street.ada.home}/loans/{loan}")
    async with street.ada.watches(name) as screen:
        start = clock.day_start(street.day(3), street.here.zone)
        the_clock.move_to(start - timedelta(days=1) + timedelta(seconds=1))
        await screen.until(lambda: "too early" not in (screen.html.get(name) or "too early"))


async def test_a_job_and_the_act_it_would_have_done_never_wait_for_each_other(
    street: Street, the_clock: Clock
) -> None:
    """Ada declines many requests in the very moment in which they run out."""
    drill = await street.ada.lists("Cordless drill")
    loans = [await street.ben.asks_for(drill, street.day(5 + n)) for n in range(12)]
    the_clock.move(timedelta(hours=48, seconds=1))
    path = f"{street.ada.home}/loans"
    running = asyncio.create_task(jobs.run_due())
    answers = await asyncio.gather(*(street.ada.posts(f"{path}/{loan}/refusal") for loan in loans))
    await running
    codes = {answer.status_code for answer in answers}
    assert codes <= {303, 409}, f"somebody waited for nothing: {codes}"
    for loan in loans:
        assert await state_of(street, loan) in (State.EXPIRED, State.DECLINED)


async def test_a_coordinator_sees_what_failed_and_has_it_tried_again(
    street: Street, the_clock: Clock
) -> None:
    cora = street.cora
    async with db.begin() as tx:  # a loan that is not there
        await queue.enqueue(tx, "loans.expire", f"{street.here.id}/0", clock.now(), clock.now())
    while await jobs.run_due():
        pass
    page = ""
    async with asyncio.timeout(10):
        while "Has failed" not in page:
            page = await cora.opens(f"{cora.home}/jobs")
    assert "the last ended with NotFound" in page
    async with db.snapshot() as tx:
        (failed,) = await queue.failing(tx, street.here.id)
    the_clock.move(timedelta(seconds=-1))
    await cora.does(f"{cora.home}/jobs/{failed.id}/retry")
    async with db.snapshot() as tx:
        again = await tx.get(Job, failed.id)
        assert again is not None
        assert again.run_at < failed.run_at or again.attempts > failed.attempts
        names = [one.name for one in await queue.overview(tx, street.here.id, jobs.COMMANDS)]
    assert "keys.forget" in names
    assert set(names) == set(desk.WORDS), "each kind of job has words"
    async with db.begin() as tx:
        await queue.drop(tx, "loans.expire", f"{street.here.id}/0")
