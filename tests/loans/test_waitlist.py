"""Waiting for a tool: who gets what comes free, in which order, and what they are told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app import queue
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, Span
from app.loans import (
    blackouts,
    clockwork,
    commands,
    handover,
    holds,
    offers,
    quiet,
    shelf,
    waitlist,
    waits,
)
from app.loans.models import Loan
from app.loans.states import State
from app.members import blocks
from app.members import commands as members
from app.notices.models import Kind, Notice
from app.people.models import Community
from app.people.viewer import Viewer
from app.queue import Job
from app.tools.models import Occupancy, OccupancyKind
from app.tools.wishes import Outcome, Wish
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW, community, member, person


async def wishes(elm: Elm) -> list[Wish]:
    return list(await waits.line(elm.tx, elm.here.id, elm.drill.id))


async def names(elm: Elm) -> list[str]:
    return [wish.person.name.split()[0] for wish in await wishes(elm)]


async def wish_of(elm: Elm, who: Viewer) -> Wish:
    found = await elm.tx.scalar(
        select(Wish)
        .where(Wish.person_id == who.person_id, Wish.tool_id == elm.drill.id)
        .order_by(Wish.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    assert found is not None
    return found


async def woken(elm: Elm, now: datetime = NOW) -> int:
    """Runs the jobs of this tool that are due; answers how many there were."""
    due = Job.name == "waitlist.offer", Job.key.startswith(f"{elm.here.id}/"), Job.run_at <= now
    ran = 0
    while job := await elm.tx.scalar(select(Job).where(*due).order_by(Job.run_at).limit(1)):
        await queue.drop(elm.tx, job.name, job.key)
        await elm.tx.flush()
        elm.tx.expunge(job)
        await offers.offer(elm.tx, elm.here.id, elm.drill.id, now)
        ran += 1
    return ran


async def offered(elm: Elm) -> list[Span]:
    """What the database keeps for those who wait."""
    rows = await elm.tx.scalars(
        select(Occupancy.period).where(
            Occupancy.tool_id == elm.drill.id, Occupancy.kind == OccupancyKind.OFFER
        )
    )
    return sorted((one.lower, one.upper) for one in rows if one.lower and one.upper)


async def heard(elm: Elm, who: Viewer) -> list[str]:
    rows = await elm.tx.scalars(
        select(Notice.kind).where(Notice.person_id == who.person_id).order_by(Notice.id)
    )
    return list(rows)


async def waits_for(elm: Elm, who: Viewer, first: int, last: int | None = None) -> Wish:
    return await waitlist.join(elm.tx, elm.drill.id, who, NOW, period=elm.days(first, last))


async def waits_for_any(elm: Elm, who: Viewer, days: int) -> Wish:
    return await waitlist.join(elm.tx, elm.drill.id, who, NOW, days=days)


async def test_who_waits_for_dates_is_offered_them_when_they_come_free(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    await waits_for(elm, elm.cy, 4, 5)
    assert await woken(elm) == 0, "nothing has come free"
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    assert await offered(elm) == [], "a job does it, not the act"
    assert await woken(elm) == 1
    assert await offered(elm) == [elm.days(4, 5)]
    assert (await heard(elm, elm.cy))[-1] == Kind.OFFERED
    wish = await wish_of(elm, elm.cy)
    assert wish.offered_until == quiet.runs_out(NOW, elm.here.zone)


async def test_what_is_offered_is_taken_for_everybody_else(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3)
    await waits_for(elm, elm.cy, 3)
    asked = await elm.asked(elm.ben, 4)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    with pytest.raises(Conflict) as refused:
        await elm.asked(elm.ben, 3)
    assert refused.value.free, "with free dates"
    assert (await commands.approve(tx, asked.id, elm.ada, NOW)).state == State.APPROVED


async def test_what_somebody_is_choosing_is_offered_once_they_let_go(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    await waits_for(elm, elm.cy, 4, 5)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await holds.hold(tx, elm.drill.id, *elm.days(5), elm.ben, NOW)
    assert await woken(elm) == 1
    assert await offered(elm) == []
    await holds.let_go(tx, elm.drill.id, elm.ben, NOW)
    assert await woken(elm) == 1
    assert await offered(elm) == [elm.days(4, 5)]


async def test_what_somebody_was_choosing_is_offered_when_their_time_is_up(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    await waits_for(elm, elm.cy, 4, 5)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    until = await holds.hold(tx, elm.drill.id, *elm.days(5), elm.ben, NOW)
    assert await woken(elm) == 1
    await holds.expire(tx, f"{elm.here.id}/{elm.drill.id}/{elm.ben.person_id}", until)
    assert await woken(elm, until) == 1
    assert await offered(elm) == [elm.days(4, 5)]


async def test_a_day_off_that_is_lent_again_is_offered(tx: Tx) -> None:
    elm = await elm_street(tx)
    await blackouts.black_out(tx, elm.drill.id, *elm.days(3, 5), elm.ada, NOW)
    await waits_for(elm, elm.cy, 4, 5)
    (off,) = await tx.scalars(select(Occupancy.id).where(Occupancy.tool_id == elm.drill.id))
    await blackouts.end(tx, elm.drill.id, off, elm.ada, NOW)
    assert await woken(elm) == 1
    assert await offered(elm) == [elm.days(4, 5)]


async def test_an_early_return_wakes_who_waits_for_any_days(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 6)
    await elm.promised(elm.ben, 7, 9)
    await waits_for_any(elm, elm.cy, 2)
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    assert await woken(elm, NOW + HOUR) == 1
    assert await offered(elm) == [elm.days(1, 2)], "two whole days, from tomorrow on"


async def test_an_accepted_offer_becomes_a_request_whose_dates_stay_blocked(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3)
    await waits_for(elm, elm.cy, 3)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    asked = await waitlist.accept(tx, elm.drill.id, elm.cy, NOW + HOUR)
    assert (asked.state, asked.start, asked.end) == (State.REQUESTED, *elm.days(3))
    assert (await wish_of(elm, elm.cy)).outcome == Outcome.TAKEN
    assert await names(elm) == []
    with pytest.raises(Conflict):
        await elm.asked(elm.ben, 3, now=NOW + HOUR)
    assert await woken(elm, NOW + 22 * HOUR) == 1, "its countdown finds nothing to pass on"
    approved = await commands.approve(tx, asked.id, elm.ada, NOW + 22 * HOUR)
    rows = await tx.scalars(select(Occupancy).where(Occupancy.loan_id == asked.id))
    (row,) = rows.all()
    await tx.refresh(row)
    assert (row.kind, row.person_id, row.expires_at) == (OccupancyKind.LOAN, None, None)
    assert approved.state == State.APPROVED


@pytest.mark.parametrize("how", ["decline", "withdraw", "expire"])
async def test_a_request_made_of_an_offer_that_ends_goes_to_the_next(tx: Tx, how: str) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.cora, 3)
    await waits_for(elm, elm.cy, 3)
    await waits_for(elm, elm.ben, 3)
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    asked = await waitlist.accept(tx, elm.drill.id, elm.cy, NOW)
    later = NOW
    if how == "decline":
        await commands.decline(tx, asked.id, elm.ada, NOW)
    elif how == "withdraw":
        await commands.withdraw(tx, asked.id, elm.cy, NOW)
    else:
        later = asked.expires_at
        await clockwork.expire(tx, elm.here.id, asked.id, later)
    await woken(elm, later)
    assert (await wish_of(elm, elm.ben)).offer == elm.days(3)


async def test_an_offer_that_is_declined_passes_on_and_is_not_made_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.cora, 1, 6)
    await elm.promised(elm.cora, 7, 9)
    await waits_for_any(elm, elm.cy, 2)
    await waits_for(elm, elm.ben, 1, 3)
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(1, 2)], "cy was first"
    await waitlist.decline(tx, elm.drill.id, elm.cy, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(1, 3)], "now ben"
    assert await names(elm) == ["Cy", "Ben"], "who waits for any days keeps the place"
    await waitlist.decline(tx, elm.drill.id, elm.ben, NOW)
    assert await woken(elm) > 0
    assert await offered(elm) == [], "cy has said no to what was free then"
    assert await names(elm) == ["Cy"], "ben wanted just these dates"


async def test_an_offer_that_runs_out_passes_on(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.cora, 3)
    await waits_for(elm, elm.cy, 3)
    await waits_for(elm, elm.ben, 3)
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    until = quiet.runs_out(NOW, elm.here.zone)
    assert await woken(elm, until - timedelta(seconds=1)) == 0
    with pytest.raises(Conflict, match="run out"):
        await waitlist.accept(tx, elm.drill.id, elm.cy, until)
    await woken(elm, until)
    assert (await heard(elm, elm.cy))[-1] == Kind.OFFER_RAN_OUT
    assert (await heard(elm, elm.ben))[-1] == Kind.OFFERED
    with pytest.raises(Conflict, match="do not wait"):
        await waitlist.accept(tx, elm.drill.id, elm.cy, until)


async def test_a_period_too_short_for_the_first_goes_to_the_next_whom_it_fits(tx: Tx) -> None:
    elm = await elm_street(tx)
    first = await elm.promised(elm.cora, 1, 2)
    await elm.promised(elm.cora, 3, 8)
    await waits_for(elm, elm.cy, 2, 4)
    await waits_for(elm, elm.ben, 1, 2)
    await commands.cancel(tx, first.id, elm.cora, NOW)
    await woken(elm)
    assert (await wish_of(elm, elm.cy)).offer is None
    assert (await wish_of(elm, elm.ben)).offer == elm.days(1, 2)


async def test_what_has_come_free_may_fit_two_at_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.cora, 1, 6)
    await waits_for(elm, elm.cy, 1, 2)
    await waits_for(elm, elm.ben, 4, 5)
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(1, 2), elm.days(4, 5)]


async def test_nobody_waits_for_what_they_can_ask_for(tx: Tx) -> None:
    elm = await elm_street(tx)
    for wanted in ({"period": elm.days(3)}, {"days": 2}):
        with pytest.raises(Refusal, match="it is free") as refused:
            await waitlist.join(tx, elm.drill.id, elm.cy, NOW, **wanted)
        assert refused.value.free
    await elm.promised(elm.ben, 3)
    with pytest.raises(Refusal, match="own tool"):
        await waits_for(elm, elm.ada, 3)
    await waits_for(elm, elm.cy, 3)
    with pytest.raises(Conflict, match="already"):
        await waits_for(elm, elm.cy, 3)
    with pytest.raises(Refusal, match="1 to 7"):
        await waits_for_any(elm, elm.ben, 8)


async def test_who_is_blocked_or_suspended_is_passed_over_and_keeps_the_place(tx: Tx) -> None:
    elm = await elm_street(tx)
    dee = await member(tx, await tx.get_one(Community, elm.here.id), "Dee Novak")
    loan = await elm.promised(elm.cora, 3)
    for who in (elm.cy, elm.ben, dee):
        await waits_for(elm, who, 3)
    await blocks.block(tx, elm.cy.person_id, elm.ada, NOW)
    await members.suspend(tx, elm.ben.person_id, elm.cora, NOW)
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    assert (await wish_of(elm, dee)).offer == elm.days(3)
    assert await names(elm) == ["Cy", "Ben", "Dee"]
    assert Kind.OFFERED not in await heard(elm, elm.cy)


async def test_an_offer_to_somebody_who_is_then_suspended_passes_on(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.cora, 3)
    await waits_for(elm, elm.cy, 3)
    await waits_for(elm, elm.ben, 3)
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    await members.suspend(tx, elm.cy.person_id, elm.cora, NOW)
    await woken(elm)
    assert (await wish_of(elm, elm.ben)).offer == elm.days(3)
    assert (await wish_of(elm, elm.cy)).outcome == Outcome.OPEN


async def test_who_leaves_waits_for_nothing(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.cora, 3)
    await waits_for(elm, elm.cy, 3)
    await waits_for(elm, elm.ben, 3)
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    await members.leave(tx, elm.cy, NOW)
    await woken(elm)
    assert await names(elm) == ["Ben"]
    assert await offered(elm) == [elm.days(3)]
    assert (await wish_of(elm, elm.ben)).offer == elm.days(3)


async def test_a_pause_tells_who_waits_and_offers_nothing_until_it_is_over(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3)
    await waits_for(elm, elm.cy, 3)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    assert (await heard(elm, elm.cy))[-1] == Kind.WAIT_PAUSED
    await woken(elm)
    assert await offered(elm) == []
    await shelf.resume(tx, elm.drill.id, elm.ada, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(3)]


async def test_an_archived_tool_has_no_waitlist(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3)
    await waits_for(elm, elm.cy, 3)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    assert (await heard(elm, elm.cy))[-1] == Kind.WAIT_GONE
    assert await names(elm) == []
    await woken(elm)
    assert await offered(elm) == []


async def test_a_coordinator_moves_somebody_and_both_are_told_why(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.cora, 3)
    await waits_for(elm, elm.cy, 3)
    await waits_for(elm, elm.ben, 3)
    with pytest.raises(Refusal, match="say why"):
        await waitlist.move(tx, elm.drill.id, elm.ben.person_id, 1, elm.cora, NOW, " ")
    for who in (elm.ada, elm.ben):
        with pytest.raises(Refusal, match="Only a coordinator"):
            await waitlist.move(tx, elm.drill.id, elm.ben.person_id, 1, who, NOW, "Please")
    await waitlist.move(tx, elm.drill.id, elm.ben.person_id, 1, elm.cora, NOW, "A broken pipe.")
    assert await names(elm) == ["Ben", "Cy"]
    assert (await heard(elm, elm.ben))[-1] == Kind.MOVED_IN_LINE
    assert (await heard(elm, elm.ada))[-1] == Kind.LINE_CHANGED
    await commands.cancel(tx, loan.id, elm.cora, NOW)
    await woken(elm)
    assert (await wish_of(elm, elm.ben)).offer == elm.days(3)


async def test_no_coordinator_moves_a_line_in_which_they_wait(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 3)
    await waits_for(elm, elm.cora, 3)
    await waits_for(elm, elm.cy, 3)
    with pytest.raises(Refusal, match="yourself"):
        await waitlist.move(tx, elm.drill.id, elm.cora.person_id, 1, elm.cora, NOW, "Me first")


async def test_wished_dates_that_pass_are_over_and_said_to_be(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 3)
    await waits_for(elm, elm.cy, 3)
    end = elm.days(3)[1]
    await offers.offer(tx, elm.here.id, elm.drill.id, end)
    assert await names(elm) == []
    assert (await heard(elm, elm.cy))[-1] == Kind.WAIT_OVER


async def test_today_is_offered_only_once_the_tool_is_there(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await waits_for(elm, elm.cy, 0, 1)
    await handover.claim_return(tx, loan.id, elm.ben, NOW)
    await offers.offer(tx, elm.here.id, elm.drill.id, NOW)
    assert await offered(elm) == [], "it is said to be back, which frees nothing"
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    await woken(elm, NOW + HOUR)
    assert await offered(elm) == [(NOW + HOUR, elm.days(0, 1)[1])]


async def test_an_offer_accepted_after_midnight_begins_that_day(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0, 1)
    await waits_for(elm, elm.cy, 0, 1)
    evening = NOW + 9 * HOUR
    await commands.cancel(tx, loan.id, elm.ben, evening)
    await woken(elm, evening)
    asked = await waitlist.accept(tx, elm.drill.id, elm.cy, NOW + 22 * HOUR)
    assert (asked.start, asked.end) == elm.days(1)


async def test_what_begins_in_the_middle_of_a_day_is_said_and_lent_by_days(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    await waits_for(elm, elm.cy, 0, 1)
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    await woken(elm, NOW + HOUR)
    told = select(Notice).where(Notice.kind == Kind.OFFERED, Notice.person_id == elm.cy.person_id)
    notice = (await tx.scalars(told)).one()
    assert notice.facts["start"] == elm.days(0)[0].isoformat()
    asked = await waitlist.accept(tx, elm.drill.id, elm.cy, NOW + 2 * HOUR)
    assert (asked.start, asked.end) == elm.days(0, 1)
    await commands.approve(tx, asked.id, elm.ada, NOW + 3 * HOUR)


async def test_a_loser_joins_with_one_tap_for_the_same_dates(tx: Tx) -> None:
    elm = await elm_street(tx)
    lost = await elm.asked(elm.cy, 3, 4)
    await elm.promised(elm.ben, 4, 5)
    assert (await elm.fresh(lost)).state == State.SUPERSEDED
    wish = await waitlist.join_like(tx, elm.drill.id, lost.id, elm.cy, NOW)
    assert wish.dates == elm.days(3, 4)
    with pytest.raises(NotFound):
        await waitlist.join_like(tx, elm.drill.id, lost.id, elm.ben, NOW)


async def test_a_stranger_waits_for_nothing(tx: Tx) -> None:
    elm = await elm_street(tx)
    other = await community(tx, await person(tx, "Oz Far"))
    stranger = await member(tx, other, "Sam Far")
    for act in (
        waitlist.join(tx, elm.drill.id, stranger, NOW, days=1),
        waitlist.leave(tx, elm.drill.id, stranger, NOW),
        waitlist.accept(tx, elm.drill.id, stranger, NOW),
        waitlist.decline(tx, elm.drill.id, stranger, NOW),
        waitlist.move(tx, elm.drill.id, 1, 1, stranger, NOW, "x"),
    ):
        with pytest.raises(NotFound):
            await act


async def test_where_nobody_waits_nothing_is_woken(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan: Loan = await elm.promised(elm.ben, 3)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    assert await woken(elm, NOW + DAY) == 0
