"""*Correct*: a coordinator who is no party sets right what the two cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import commands, handover, queries
from app.loans.correct import Truth, correct
from app.loans.models import Loan, LoanEvent
from app.loans.states import FINAL, State
from app.loans.undo import undo
from app.notices.models import Kind, Notice
from app.people.models import Membership, Role
from app.queue import Job
from app.tools import commands as tools
from app.tools import occupied
from app.tools.lending import Lending
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

LATER = NOW + HOUR


async def busy(elm: Elm, now: datetime = LATER) -> list[tuple[datetime, datetime]]:
    found = await occupied.busy(elm.tx, elm.here.id, [elm.drill.id], now)
    return found.get(elm.drill.id, [])


async def put(elm: Elm, loan: Loan, state: State, now: datetime = LATER, **more: datetime) -> Loan:
    truth = Truth(state, "So it was.", **more)
    return await correct(elm.tx, loan.id, elm.cora, now, truth)


JOB_OF = {
    State.REQUESTED: "loans.expire",
    State.APPROVED: "loans.lapse",
    State.RETURNED: "loans.close",
}


@pytest.mark.parametrize("was", State)
async def test_any_state_to_any_and_the_dates_follow(tx: Tx, was: State) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 3)
    for to in State:
        for state in (was, to):
            await put(elm, loan, state, out_at=NOW, back_at=LATER)
        assert loan.state == to
        taken = to in (State.APPROVED, State.OUT, State.RETURN_CLAIMED)
        assert bool(await busy(elm)) is taken, f"{was} to {to}: what nobody has is free"
        assert (loan.ended_at is not None) is (to in FINAL)
        rows = await tx.scalars(select(Job.name).where(Job.key.endswith(f"/{loan.id}")))
        expected = {JOB_OF[to]} if to in JOB_OF else set()
        assert set(rows) - {"loans.remind"} == expected


async def test_an_event_is_added_nothing_is_rewritten_and_both_are_told(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    before = (
        await tx.scalars(
            select(LoanEvent.id).where(LoanEvent.loan_id == loan.id).order_by(LoanEvent.id)
        )
    ).all()
    await put(elm, loan, State.RETURNED, back_at=LATER)
    rows = (
        await tx.scalars(
            select(LoanEvent).where(LoanEvent.loan_id == loan.id).order_by(LoanEvent.id)
        )
    ).all()
    assert [row.id for row in rows[:-1]] == list(before)
    last = rows[-1]
    assert (last.act, last.from_state, last.to_state) == ("correct", "out", "returned")
    assert (last.by_id, last.reason) == (elm.cora.person_id, "So it was.")
    told = await tx.scalars(
        select(Notice.person_id).where(
            Notice.kind == Kind.CORRECTED, Notice.community_id == elm.here.id
        )
    )
    assert set(told) == {elm.ada.person_id, elm.ben.person_id}


async def test_nobody_corrects_the_own_loan_and_no_member_any(tx: Tx) -> None:
    elm = await elm_street(tx)
    own = await elm.out(elm.cora, 0)
    with pytest.raises(Refusal, match="own loan") as refused:
        await put(elm, own, State.RETURNED, back_at=LATER)
    assert refused.value.status == 403
    for party in (elm.ada,):
        with pytest.raises(Refusal, match="own loan"):
            await correct(tx, own.id, party, LATER, Truth(State.RETURNED, "Why"))
    with pytest.raises(NotFound):
        await correct(tx, own.id, elm.cy, LATER, Truth(State.RETURNED, "Why"))


async def test_a_lender_who_coordinates_does_not_correct_either(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    standing = await tx.get_one(Membership, (elm.here.id, elm.ada.person_id))
    standing.role = Role.COORDINATOR
    ada = replace(elm.ada, role=Role.COORDINATOR)
    with pytest.raises(Refusal, match="own loan"):
        await correct(tx, loan.id, ada, LATER, Truth(State.RETURNED, "Why", back_at=LATER))


@pytest.mark.parametrize(
    ("truth", "field"),
    [
        (Truth(State.RETURNED, ""), "reason"),
        (Truth(State.RETURNED, "Why"), "back_at"),
        (Truth(State.RETURNED, "Why", back_at=LATER + DAY), "back_at"),
        (Truth(State.RETURNED, "Why", back_at=NOW - DAY), "back_at"),
        (Truth(State.OUT, "Why", out_at=LATER + DAY), "out_at"),
        (Truth(State.OUT, "Why", start=NOW + DAY, end=NOW), "end"),
        (Truth(State.APPROVED, "Why", start=NOW - 2 * DAY, end=NOW - DAY), "end"),
        (Truth(State.OUT, "Why", end=NOW + 1000 * DAY), "end"),
    ],
)
async def test_times_that_cannot_be_are_refused_with_their_field(
    tx: Tx, truth: Truth, field: str
) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    with pytest.raises(Refusal) as refused:
        await correct(tx, loan.id, elm.cora, LATER, truth)
    assert (refused.value.status, refused.value.field_name) == (422, field)
    assert loan.state == State.OUT


async def test_what_never_went_out_cannot_have_come_back(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    with pytest.raises(Refusal) as refused:
        await put(elm, loan, State.RETURNED, back_at=LATER)
    assert refused.value.field_name == "out_at"


async def test_one_tool_is_never_with_two(tx: Tx) -> None:
    elm = await elm_street(tx)
    first = await elm.out(elm.ben, 0)
    await handover.take_back(tx, first.id, elm.ada, NOW)
    await elm.out(elm.cy, 0, now=NOW)
    number = first.id
    with pytest.raises(Conflict, match="out with somebody else"):
        await put(elm, first, State.OUT)
    assert (await queries.locked(tx, elm.here.id, number)).state == State.RETURNED


async def test_nor_promised_to_two_at_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 2)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await elm.promised(elm.cy, 2)
    with pytest.raises(Conflict, match="Somebody else has the tool in these dates") as refused:
        await put(elm, loan, State.APPROVED)
    assert refused.value.free


async def test_who_asked_for_corrected_dates_hears_that_they_are_gone(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 2)
    asks = await elm.asked(elm.cy, 4)
    start, end = elm.days(4)
    await put(elm, loan, State.APPROVED, start=start, end=end)
    assert (await elm.fresh(asks)).state == State.SUPERSEDED
    assert await busy(elm) == [elm.days(4)]


async def test_a_correction_is_not_undone_and_ends_undoing(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await put(elm, loan, State.REQUESTED)
    for somebody in (elm.ada, elm.cora):
        with pytest.raises(Conflict):
            await undo(tx, loan.id, somebody, LATER)


async def test_a_late_loan_corrected_to_be_out_blocks_by_possession(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    now = loan.end + DAY
    await handover.take_back(tx, loan.id, elm.ada, now)
    await put(elm, loan, State.OUT, now=now + HOUR)
    assert await busy(elm, now) == []
    assert await queries.holder(tx, elm.here.id, elm.drill.id) is loan


async def test_a_correction_that_makes_it_no_longer_is_in_nobodys_way(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, _ = await elm.promised(elm.ben, 1, 2), await elm.promised(elm.cy, 3)
    await tools.set_terms(tx, elm.drill, Lending(buffer_hours=48), elm.ada, NOW)
    for last in (2, 1):
        await put(elm, loan, State.APPROVED, NOW, end=elm.days(last)[1])
        assert (await busy(elm, NOW))[0] == elm.days(1, 2)
    with pytest.raises(Conflict, match="Somebody else"):
        await put(elm, loan, State.APPROVED, NOW, end=elm.days(2)[1])
