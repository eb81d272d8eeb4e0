"""One's own last step, taken back: within ten minutes, where nobody has built on it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import commands, handover, queries, shelf
from app.loans.models import Loan, LoanEvent
from app.loans.states import UNDO_WITHIN, State
from app.loans.undo import undo
from app.notices.models import Kind, Notice
from app.queue import Job
from app.tools import commands as tools
from app.tools import occupied
from app.tools.lending import Lending
from tests.loans.living import HOUR, Elm, elm_street
from tests.people.living import NOW

MINUTE = timedelta(minutes=1)
SOON = NOW + MINUTE


async def busy(elm: Elm, now: datetime = NOW) -> list[tuple[datetime, datetime]]:
    found = await occupied.busy(elm.tx, elm.here.id, [elm.drill.id], now)
    return found.get(elm.drill.id, [])


async def jobs_of(tx: Tx, loan: Loan) -> set[str]:
    rows = await tx.scalars(select(Job.name).where(Job.key == f"{loan.community_id}/{loan.id}"))
    return set(rows) - {"loans.remind"}


async def told(tx: Tx, person_id: int) -> list[str]:
    rows = await tx.scalars(
        select(Notice.kind).where(Notice.person_id == person_id).order_by(Notice.id)
    )
    return list(rows)


async def test_an_approval_taken_back_frees_the_dates_and_revives_nobody(tx: Tx) -> None:
    elm = await elm_street(tx)
    lost, loan = await elm.asked(elm.cy, 2), await elm.promised(elm.ben, 1, 3)
    await undo(tx, loan.id, elm.ada, SOON)
    assert (loan.state, loan.decided_at) == (State.REQUESTED, None)
    assert await busy(elm) == []
    assert await jobs_of(tx, loan) == {"loans.expire"}
    assert (await elm.fresh(lost)).state == State.SUPERSEDED
    assert (await told(tx, elm.cy.person_id))[-1] == Kind.FREE_AGAIN
    assert (await told(tx, elm.ben.person_id))[-1] == Kind.UNDONE
    await commands.approve(tx, loan.id, elm.ada, SOON + MINUTE)
    assert loan.state == State.APPROVED


async def test_the_story_keeps_both_the_step_and_that_it_was_taken_back(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await undo(tx, loan.id, elm.ada, SOON)
    rows = await tx.execute(
        select(LoanEvent.act, LoanEvent.from_state, LoanEvent.to_state)
        .where(LoanEvent.community_id == loan.community_id, LoanEvent.loan_id == loan.id)
        .order_by(LoanEvent.id)
    )
    assert [tuple(row) for row in rows][1:] == [
        ("approve", "requested", "approved"),
        ("undo", "approved", "requested"),
    ]


async def test_a_refusal_or_a_withdrawal_taken_back_is_a_request_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    declined, withdrawn = await elm.asked(elm.ben, 1), await elm.asked(elm.cy, 2)
    await commands.decline(tx, declined.id, elm.ada, NOW, "It is broken.")
    await commands.withdraw(tx, withdrawn.id, elm.cy, NOW)
    await undo(tx, declined.id, elm.ada, SOON)
    await undo(tx, withdrawn.id, elm.cy, SOON)
    for loan in (declined, withdrawn):
        assert (loan.state, loan.ended_at, loan.reason) == (State.REQUESTED, None, "")
        assert await jobs_of(tx, loan) == {"loans.expire"}


async def test_a_cancellation_taken_back_takes_the_dates_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await undo(tx, loan.id, elm.ben, SOON)
    assert loan.state == State.APPROVED
    assert await busy(elm) == [elm.days(1)]
    assert await jobs_of(tx, loan) == {"loans.lapse"}


async def test_dates_that_went_to_somebody_else_meanwhile_stay_with_them(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await elm.promised(elm.cy, 1)
    with pytest.raises(Conflict, match="Somebody else has got these dates") as refused:
        await undo(tx, loan.id, elm.ben, SOON)
    assert refused.value.free, "and it says which are left"
    declined = await elm.asked(elm.ben, 3)
    await commands.decline(tx, declined.id, elm.ada, NOW)
    await elm.promised(elm.cy, 3)
    with pytest.raises(Conflict, match="Somebody else"):
        await undo(tx, declined.id, elm.ada, SOON)


async def test_an_early_hand_over_taken_back_blocks_what_was_planned(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await handover.hand_over(tx, loan.id, elm.ada, NOW)
    await undo(tx, loan.id, elm.ada, SOON)
    assert (loan.state, loan.out_at) == (State.APPROVED, None)
    assert await busy(elm) == [elm.days(1)]
    assert await jobs_of(tx, loan) == {"loans.lapse"}


async def test_a_claim_taken_back_is_out_and_late_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.claim_return(tx, loan.id, elm.ben, loan.end, "Shed")
    await undo(tx, loan.id, elm.ben, loan.end + MINUTE)
    assert (loan.state, loan.claimed_at, loan.place) == (State.OUT, None, "")


async def test_a_return_taken_back_blocks_the_rest_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 3)
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    await undo(tx, loan.id, elm.ada, NOW + HOUR + MINUTE)
    assert (loan.state, loan.back_at) == (State.OUT, None)
    assert await busy(elm, NOW + HOUR) == [(NOW, loan.end)]
    assert await jobs_of(tx, loan) == set()


async def test_a_return_cannot_be_taken_back_once_the_next_one_has_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    first, after = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 1)
    await handover.take_back(tx, first.id, elm.ada, first.end)
    await handover.hand_over(tx, after.id, elm.ada, first.end)
    number = first.id
    with pytest.raises(Conflict, match="out with somebody else"):
        await undo(tx, number, elm.ada, first.end + MINUTE)
    assert (await queries.locked(tx, elm.here.id, number)).state == State.RETURNED


async def test_nobody_came_taken_back_stands_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1, 2)
    later = loan.start + 27 * HOUR
    await handover.no_show(tx, loan.id, elm.ada, later)
    await undo(tx, loan.id, elm.ada, later + MINUTE)
    assert (loan.state, loan.ended_at) == (State.APPROVED, None)
    assert await busy(elm, later) == [(later + MINUTE, loan.end)]


async def test_it_can_be_undone_for_ten_minutes_and_not_a_second_longer(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, early = await elm.promised(elm.ben, 1), await elm.promised(elm.ben, 2)
    with pytest.raises(Conflict, match="ten minutes"):
        await undo(tx, late.id, elm.ada, NOW + UNDO_WITHIN)
    await undo(tx, early.id, elm.ada, NOW + UNDO_WITHIN - timedelta(seconds=1))
    assert early.state == State.REQUESTED


async def test_only_the_own_step_and_only_the_last(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    for somebody in (elm.ben, elm.cora):
        with pytest.raises(Conflict, match="already out"):
            await undo(tx, loan.id, somebody, SOON)
    with pytest.raises(NotFound):
        await undo(tx, loan.id, elm.cy, SOON)
    await handover.claim_return(tx, loan.id, elm.ben, SOON)
    with pytest.raises(Conflict):
        await undo(tx, loan.id, elm.ada, SOON)
    await undo(tx, loan.id, elm.ben, SOON)
    with pytest.raises(Conflict):
        await undo(tx, loan.id, elm.ben, SOON)


async def test_a_step_of_the_clock_is_nobodys_to_undo(tx: Tx) -> None:
    elm = await elm_street(tx)
    lost = await elm.asked(elm.cy, 1)
    await elm.promised(elm.ben, 1)
    for somebody in (elm.cy, elm.ada):
        with pytest.raises(Conflict, match="Somebody else got these dates"):
            await undo(tx, lost.id, somebody, SOON)


async def test_what_has_become_impossible_stays_as_it_is(tx: Tx) -> None:
    elm = await elm_street(tx)
    gone = await elm.asked_at(elm.ben, NOW + 5 * MINUTE, NOW + HOUR)
    await commands.decline(tx, gone.id, elm.ada, NOW)
    with pytest.raises(Conflict, match="run out"):
        await undo(tx, gone.id, elm.ada, NOW + 6 * MINUTE)
    over = await elm.promised(elm.ben, 1)
    at = over.end - MINUTE
    await commands.cancel(tx, over.id, elm.ben, at)
    with pytest.raises(Conflict, match="dates are over"):
        await undo(tx, over.id, elm.ben, over.end)
    asked = await elm.asked(elm.ben, 4)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    with pytest.raises(Refusal, match="not lent"):
        await undo(tx, asked.id, elm.ada, SOON)


async def test_a_coordinator_takes_the_own_step_back_too(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1)
    await commands.decline(tx, loan.id, elm.cora, NOW)
    await undo(tx, loan.id, elm.cora, SOON)
    assert loan.state == State.REQUESTED


async def test_who_looked_at_an_older_state_undoes_nothing(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    with pytest.raises(Conflict):
        await undo(tx, loan.id, elm.ada, SOON, version=loan.version - 1)
    assert loan.state == State.APPROVED


async def test_what_is_taken_back_blocks_no_more_than_it_did(tx: Tx) -> None:
    """The tool rests for a day by now; the two loans were made when it did not."""
    elm = await elm_street(tx)
    first, second = await elm.promised(elm.ben, 1), await elm.promised(elm.cy, 2)
    await tools.set_terms(tx, elm.drill, Lending(buffer_hours=24), elm.ada, NOW)
    both = [elm.days(1), elm.days(2)]
    await commands.cancel(tx, first.id, elm.ben, NOW)
    await undo(tx, first.id, elm.ben, SOON)
    assert await busy(elm) == both
    await handover.hand_over(tx, first.id, elm.ada, SOON)
    await undo(tx, first.id, elm.ada, SOON)
    assert await busy(elm) == both
    await handover.hand_over(tx, first.id, elm.ada, first.start)
    at = first.end - HOUR
    await handover.take_back(tx, first.id, elm.ada, at)
    await undo(tx, first.id, elm.ada, at + MINUTE)
    assert await busy(elm, at) == both
    await commands.cancel(tx, second.id, elm.cy, at)
    await undo(tx, second.id, elm.cy, at + MINUTE)
    assert (await busy(elm, at))[1] == (elm.days(2)[0], elm.days(3)[1]), "here the rest has room"


async def test_who_came_into_the_rest_meanwhile_stays(tx: Tx) -> None:
    elm = await elm_street(tx)
    await tools.set_terms(tx, elm.drill, Lending(buffer_hours=24), elm.ada, NOW)
    loan = await elm.promised(elm.ben, 1)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await elm.promised(elm.cy, 2, now=SOON)
    with pytest.raises(Conflict, match="Somebody else has got these dates"):
        await undo(tx, loan.id, elm.ben, SOON + MINUTE)
