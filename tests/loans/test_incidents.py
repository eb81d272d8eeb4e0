"""What went wrong, and how the two settle it: evidence, proposals, sums, a lost tool."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import (
    amounts,
    cases,
    clockwork,
    dates,
    fair,
    handover,
    incidents,
    rules,
    shelf,
    unsafe,
)
from app.loans.incident import Amount, Evidence, Incident, Payer
from app.loans.incidents import Terms
from app.loans.models import Loan
from app.loans.states import State
from app.notices.models import Kind, Notice
from app.queue import Job
from app.tools import commands as tools
from app.tools import occupied
from app.tools.lending import Lending
from app.tools.models import ToolStatus
from app.tools.photos import Stored
from app.tools.watches import LOOK, Watch
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

LATER = NOW + HOUR
PICTURE = Stored("a" * 32, 1200, 900)


async def opened(
    elm: Elm, loan: Loan, kind: str = "damage", by: str = "ada", **more: object
) -> Incident:
    who = getattr(elm, by)
    at = more.pop("now", LATER)
    return await incidents.open_incident(
        elm.tx,
        loan.id,
        who,
        at,  # type: ignore[arg-type]
        kind,
        "The chuck is bent.",
        **more,  # type: ignore[arg-type]
    )


async def busy(elm: Elm, now: object = LATER) -> list[object]:
    found = await occupied.busy(elm.tx, elm.here.id, [elm.drill.id], now)  # type: ignore[arg-type]
    return list(found.get(elm.drill.id, []))


async def kinds_told(tx: Tx, person_id: int) -> list[str]:
    rows = await tx.scalars(
        select(Notice.kind).where(Notice.person_id == person_id).order_by(Notice.id)
    )
    return list(rows)


async def test_either_of_the_two_opens_one_and_the_other_is_told(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    for by, other in (("ada", elm.ben), ("ben", elm.ada)):
        one = await opened(elm, loan, by=by)
        assert one.settled_at is None
        assert (await kinds_told(tx, other.person_id))[-1] == Kind.INCIDENT
    assert loan.state == State.OUT, "that alone changes nothing"
    case = await cases.case(tx, loan)
    assert [each.words for each in case.evidence] == ["The chuck is bent."] * 2


async def test_nobody_else_opens_one(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    with pytest.raises(NotFound):
        await opened(elm, loan, by="cy")
    with pytest.raises(Refusal) as refused:
        await opened(elm, loan, by="cora")
    assert refused.value.status == 403


async def test_it_says_what_happened_and_only_what_can_have_happened(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    for kind, field in (("flood", "kind"), ("no_show", "kind"), ("late", "kind")):
        with pytest.raises(Refusal) as refused:
            await opened(elm, loan, kind)
        assert (refused.value.status, refused.value.field_name) == (422, field)
    with pytest.raises(Refusal) as refused:
        await incidents.open_incident(tx, loan.id, elm.ada, LATER, "damage", "  ")
    assert refused.value.field_name == "reason"
    assert (await opened(elm, loan, "late", now=loan.end)).kind == "late"


@pytest.mark.parametrize("state", [State.REQUESTED, State.APPROVED])
async def test_before_it_went_out_there_is_nothing_to_complain_of(tx: Tx, state: State) -> None:
    elm = await elm_street(tx)
    loan = await (elm.asked if state is State.REQUESTED else elm.promised)(elm.ben, 1)
    with pytest.raises(Conflict):
        await opened(elm, loan)


async def test_a_fault_found_later_is_told_for_30_days_without_reopening_the_loan(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.take_back(tx, loan.id, elm.ada, LATER)
    await clockwork.close(tx, elm.here.id, loan.id, LATER + rules.CLOSE_AFTER)
    last = LATER + fair.INCIDENTS_WITHIN
    await opened(elm, loan, now=last)
    assert loan.state == State.CLOSED
    with pytest.raises(Refusal, match="30 days"):
        await opened(elm, loan, now=last + timedelta(seconds=1))
    with pytest.raises(Refusal) as refused:
        await opened(elm, loan, now=last, dispute=True)
    assert refused.value.field_name == "dispute"


async def test_nobody_came_is_an_incident_of_its_own(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    at = loan.end + 3 * HOUR
    await handover.no_show(tx, loan.id, elm.ada, at)
    assert (await opened(elm, loan, "no_show", by="ben", now=at)).kind == "no_show"
    with pytest.raises(Refusal, match="30 days"):
        await opened(elm, loan, "no_show", now=at + 31 * DAY)


async def test_a_returned_loan_that_is_disputed_does_not_close_by_itself(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.take_back(tx, loan.id, elm.ada, LATER)
    one = await opened(elm, loan, dispute=True)
    assert loan.state == State.DISPUTED
    await clockwork.close(tx, elm.here.id, loan.id, LATER + rules.CLOSE_AFTER)
    assert loan.state == State.DISPUTED
    assert await busy(elm) == [], "it came back: others can have it"
    await incidents.offer(tx, loan.id, one.id, elm.ben, LATER, Terms("I am sorry.", 1500))
    await incidents.accept(tx, loan.id, one.id, elm.ada, LATER)
    assert (loan.state, loan.ended_at) == (State.CLOSED, LATER)
    owed = (await tx.scalars(select(Amount).where(Amount.loan_id == loan.id))).one()
    assert (owed.cents, owed.payer, owed.agreed_at, owed.paid_at) == (1500, "borrower", LATER, None)


async def test_a_disputed_tool_that_never_came_back_is_with_nobody_else(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, after = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 1)
    await opened(elm, loan, dispute=True)
    with pytest.raises(Conflict, match="still out"):
        await handover.hand_over(tx, after.id, elm.ada, loan.end)
    with pytest.raises(Refusal, match="is out"):
        await shelf.archive(tx, elm.drill.id, elm.ada, LATER)


async def test_a_lost_tool_is_missing_its_bookings_are_told_and_it_can_be_found(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await elm.promised(elm.cy, 3)
    one = await opened(elm, loan, "loss", by="ben")
    assert (loan.state, elm.drill.status) == (State.DISPUTED, ToolStatus.MISSING)
    assert Kind.TOOL_MISSING in await kinds_told(tx, elm.cy.person_id)
    with pytest.raises(Refusal):
        await incidents.is_here(tx, loan.id, elm.ben, LATER)
    await incidents.is_here(tx, loan.id, elm.ada, LATER)
    assert (loan.state, elm.drill.status) == (State.DISPUTED, ToolStatus.LISTED)
    assert loan.back_at == LATER
    assert one.settled_at is None, "what it has cost is still theirs to settle"
    with pytest.raises(Conflict):
        await incidents.is_here(tx, loan.id, elm.ada, LATER)


@pytest.mark.parametrize(("after", "rests"), [(HOUR, True), (9 * DAY, False)])
async def test_what_is_found_or_brought_back_is_told_when_it_has_rested(
    tx: Tx, after: timedelta, rests: bool
) -> None:
    """Late, no row blocks it any more, and there is nothing to wait for."""
    elm = await elm_street(tx)
    await tools.set_terms(tx, elm.drill, Lending(buffer_hours=24), elm.ada, NOW)
    tx.add(
        Watch(
            community_id=elm.here.id,
            person_id=elm.cy.person_id,
            words="drill",
            category="",
            created_at=NOW,
        )
    )
    loan, back_at = await elm.out(elm.ben, 0), NOW + after
    if rests:
        await opened(elm, loan, dispute=True)
        await incidents.is_here(tx, loan.id, elm.ada, back_at)
    else:
        await handover.take_back(tx, loan.id, elm.ada, back_at)
    free_at = back_at + DAY if rests else back_at
    due = await tx.execute(
        select(Job.name, Job.run_at).where(
            Job.key.startswith(f"{elm.here.id}/{elm.drill.id}/"), Job.run_at >= back_at
        )
    )
    planned = {(name, at) for name, at in due}
    assert {(name, at) for name, at in planned if name == LOOK} == {(LOOK, free_at)}
    assert ((dates.PASSED, free_at) in planned) is rests


async def test_a_lost_tool_that_is_paid_for_stays_missing_and_blocks_nothing(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 5)
    one = await opened(elm, loan, "loss")
    await incidents.offer(tx, loan.id, one.id, elm.ada, LATER, Terms("A new one.", 9900))
    await incidents.accept(tx, loan.id, one.id, elm.ben, LATER)
    assert (loan.state, loan.back_at) == (State.CLOSED, None)
    assert elm.drill.status == ToolStatus.MISSING
    assert await busy(elm) == []


async def test_the_loan_stays_open_until_the_last_of_them_is_settled(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    one = await opened(elm, loan, dispute=True)
    two = await opened(elm, loan, by="ben")
    for each, state in ((one, State.DISPUTED), (two, State.CLOSED)):
        await incidents.offer(tx, loan.id, each.id, elm.ben, LATER, Terms("Never mind."))
        await incidents.accept(tx, loan.id, each.id, elm.ada, LATER)
        assert loan.state == state


async def test_nobody_accepts_the_own_proposal_or_one_that_was_not_read(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    one = await opened(elm, loan)
    with pytest.raises(Refusal, match="Nobody has proposed"):
        await incidents.accept(tx, loan.id, one.id, elm.ben, LATER)
    await incidents.offer(tx, loan.id, one.id, elm.ada, LATER, Terms("Ten pounds.", 1000))
    read = one.version
    with pytest.raises(Refusal, match="own proposal"):
        await incidents.accept(tx, loan.id, one.id, elm.ada, LATER, read)
    await incidents.offer(tx, loan.id, one.id, elm.ada, LATER, Terms("A hundred.", 10000))
    with pytest.raises(Conflict, match="another proposal"):
        await incidents.accept(tx, loan.id, one.id, elm.ben, LATER, read)
    await incidents.accept(tx, loan.id, one.id, elm.ben, LATER, one.version)
    for act in (incidents.accept, incidents.offer):
        more = (Terms("More."),) if act is incidents.offer else ()
        with pytest.raises(Conflict, match="settled"):
            await act(tx, loan.id, one.id, elm.ada, LATER, *more)


async def test_for_a_borrower_without_account_the_lender_writes_down_what_is_so(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    loan.borrower_id, loan.borrower_name = None, "Mr Finch"
    await tx.flush()
    one = await opened(elm, loan)
    await incidents.offer(tx, loan.id, one.id, elm.ada, LATER, Terms("He paid at once.", 500))
    assert one.result == "He paid at once."


async def test_evidence_is_added_by_the_two_while_it_is_open_and_stays(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    one = await opened(elm, loan)
    await incidents.add_evidence(tx, loan.id, one.id, elm.ben, LATER, "", PICTURE)
    with pytest.raises(Refusal):
        await incidents.add_evidence(tx, loan.id, one.id, elm.ben, LATER, "")
    with pytest.raises(NotFound):
        await incidents.add_evidence(tx, loan.id, one.id, elm.cy, LATER, "Me too")
    await incidents.offer(tx, loan.id, one.id, elm.ben, LATER, Terms("Sorry."))
    await incidents.accept(tx, loan.id, one.id, elm.ada, LATER)
    with pytest.raises(Conflict):
        await incidents.add_evidence(tx, loan.id, one.id, elm.ben, LATER, "One more")
    kept = (
        await tx.scalars(select(Evidence).where(Evidence.loan_id == loan.id).order_by(Evidence.id))
    ).all()
    assert [each.photo_name for each in kept] == [None, PICTURE.name]


async def test_another_loans_incident_is_not_there(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, other = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 2)
    one = await opened(elm, loan)
    with pytest.raises(NotFound):
        await incidents.offer(tx, other.id, one.id, elm.cy, LATER, Terms("Mine."))


async def test_a_picture_is_for_the_two_and_nobody_else(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await opened(elm, loan, picture=PICTURE)
    for who in (elm.ada, elm.ben):
        assert (await cases.evidence_for(tx, who, PICTURE.name)).loan_id == loan.id
    for who in (elm.cy, elm.cora):
        with pytest.raises(NotFound):
            await cases.evidence_for(tx, who, PICTURE.name)


async def test_not_here_opens_an_incident_and_its_return_settles_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.leave(tx, loan.id, elm.ben, LATER, "Behind the door", PICTURE)
    assert (loan.state, loan.place) == (State.RETURN_CLAIMED, "Behind the door")
    await handover.not_here(tx, loan.id, elm.ada, LATER + HOUR)
    (one,) = await cases.incidents_of(tx, loan, unsettled=True)
    assert (one.kind, loan.state) == ("not_here", State.OUT)
    case = await cases.case(tx, loan)
    assert [each.words for each in case.evidence] == ["Behind the door"], "kept as evidence"
    await handover.take_back(tx, loan.id, elm.ada, LATER + 2 * HOUR)
    assert (one.result, one.settled_by) == ("It is back.", elm.ada.person_id)


async def test_where_the_owner_wants_it_in_hand_nothing_is_left_anywhere(tx: Tx) -> None:
    elm = await elm_street(tx)
    elm.drill.doorstep = False
    await tx.flush()
    loan = await elm.out(elm.ben, 0)
    with pytest.raises(Refusal, match="in person") as refused:
        await handover.leave(tx, loan.id, elm.ben, LATER, "Doorstep")
    assert refused.value.field_name == "place"
    await handover.claim_return(tx, loan.id, elm.ben, LATER)
    assert loan.state == State.RETURN_CLAIMED


async def test_silence_on_a_claim_frees_nothing_and_after_48_hours_only_nags_nobody(
    tx: Tx,
) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.claim_return(tx, loan.id, elm.ben, LATER)
    for hours in (24, 48, 72, 24 * 30):
        await clockwork.remind(tx, elm.here.id, loan.id, LATER + hours * HOUR)
    assert loan.state == State.RETURN_CLAIMED
    ada, cora = [await kinds_told(tx, who.person_id) for who in (elm.ada, elm.cora)]
    assert (ada.count(Kind.CONFIRM_RETURN), cora.count(Kind.STUCK)) == (1, 1)
    with pytest.raises(Conflict):
        await elm.asked(elm.cy, 0, now=LATER + HOUR)
    found = await cases.in_need(tx, elm.here.id, LATER + 48 * HOUR)
    assert [each.id for each in found] == [loan.id]
    assert await cases.in_need(tx, elm.here.id, LATER + 47 * HOUR) == []


async def test_who_needs_help_are_open_incidents_disputes_and_stuck_returns(tx: Tx) -> None:
    elm = await elm_street(tx)
    late = await elm.out(elm.ben, 0)
    assert await cases.in_need(tx, elm.here.id, late.end + 7 * DAY) == []
    assert len(await cases.in_need(tx, elm.here.id, late.end + 8 * DAY)) == 1
    await handover.take_back(tx, late.id, elm.ada, LATER)
    one = await opened(elm, late)
    assert len(await cases.in_need(tx, elm.here.id, LATER)) == 1
    await incidents.offer(tx, late.id, one.id, elm.ben, LATER, Terms("Sorry."))
    await incidents.accept(tx, late.id, one.id, elm.ada, LATER)
    assert await cases.in_need(tx, elm.here.id, LATER) == []


async def test_each_step_of_a_sum_is_said_by_the_one_who_can_know(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    row = await amounts.note(tx, loan.id, elm.ada, NOW, 2000, payer=Payer.BORROWER)

    async def says(who: str, step: str) -> None:
        await amounts.step(tx, loan.id, row.id, getattr(elm, who), NOW, step)

    for who, step, later in (
        ("ada", "agreed", "ben"),
        ("ben", "paid", "ada"),
        ("ada", "back", "ben"),
    ):
        with pytest.raises(Refusal):
            await says(who, step)
        with pytest.raises(NotFound):
            await says("cy", step)
        await says(later, step)
        with pytest.raises(Conflict):
            await says(later, step)
    assert None not in (row.agreed_at, row.paid_at, row.back_at)
    with pytest.raises(Refusal):
        await amounts.note(tx, loan.id, elm.ada, NOW, 0)


async def test_whoever_holds_it_may_call_it_unsafe_and_its_bookings_are_told(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, after = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 2)
    with pytest.raises(Refusal, match="in a few words"):
        await unsafe.mark(tx, loan.id, elm.ben, LATER, " ")
    with pytest.raises(Refusal):
        await unsafe.mark(tx, after.id, elm.cy, LATER, "I do not have it")
    await unsafe.mark(tx, loan.id, elm.ben, LATER, "The cable is bare.")
    assert elm.drill.status == ToolStatus.MAINTENANCE
    assert Kind.TOOL_UNSAFE in await kinds_told(tx, elm.ada.person_id)
    assert Kind.UNSAFE in await kinds_told(tx, elm.cy.person_id)
    assert after.state == State.APPROVED, "nothing is cancelled by itself"
    await handover.take_back(tx, loan.id, elm.ada, LATER)
    with pytest.raises(Refusal, match="being repaired"):
        await handover.hand_over(tx, after.id, elm.ada, after.start)
    with pytest.raises(Refusal, match="not lent"):
        await elm.asked(elm.cy, 4)
    await shelf.resume(tx, elm.drill.id, elm.ada, LATER)
    await handover.hand_over(tx, after.id, elm.ada, after.start)
    assert after.state == State.OUT


async def test_who_is_suspended_can_still_settle(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    one = await opened(elm, loan, dispute=True)
    ben = replace(elm.ben, suspended=True)
    await incidents.offer(tx, loan.id, one.id, elm.ada, LATER, Terms("Never mind."))
    await incidents.accept(tx, loan.id, one.id, ben, LATER)
    assert loan.state == State.CLOSED
