"""The neighbour stands at the door: lent at once, to a member or a bare name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.chat.models import Message, Participant
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import handover, lend_now, records, reminders
from app.loans.lend_now import Somebody
from app.loans.models import Loan
from app.loans.papers import Direction
from app.loans.states import State
from app.members import commands as members
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools import occupied
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW


async def lends(elm: Elm, whom: Viewer | str, hours: int | None = None) -> Loan:
    to = Somebody(name=whom) if isinstance(whom, str) else Somebody(whom.person_id)
    end = lend_now.tonight(elm.ada, NOW) if hours is None else NOW + timedelta(hours=hours)
    return await lend_now.lend(elm.tx, elm.drill.id, to, end, elm.ada, NOW)


async def test_a_member_has_it_at_once_until_tonight_and_is_told(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await lends(elm, elm.ben)
    today = clock.local_day(NOW, elm.here.zone)
    assert (loan.state, loan.out_at) == (State.OUT, NOW)
    assert (loan.start, loan.end) == (NOW, clock.days(today, today, elm.here.zone)[1])
    told = await tx.scalars(select(Notice.kind).where(Notice.person_id == elm.ben.person_id))
    assert list(told) == [Kind.LENT]
    seats = await tx.scalars(
        select(Participant.person_id).where(Participant.conversation_id == loan.conversation_id)
    )
    assert set(seats) == {elm.ada.person_id, elm.ben.person_id}
    assert Direction.OUT in await records.of_loan(tx, loan)
    follows = reminders.following(loan, NOW, elm.here.zone)
    assert follows is not None
    assert follows.due_at == loan.end


async def test_somebody_without_an_account_gets_it_by_name(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await lends(elm, "  Grete   from  number 9 ", hours=3)
    assert (loan.borrower_id, loan.borrower_name) == (None, "Grete from number 9")
    line = await tx.scalar(
        select(Message.body).where(Message.conversation_id == loan.conversation_id)
    )
    assert line
    assert "Grete from number 9" in line
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    assert loan.state == State.RETURNED
    for nobody in ("", "   "):
        with pytest.raises(Refusal, match="Who gets it"):
            await lends(elm, nobody)


async def test_what_is_promised_is_not_lent_and_the_free_time_is_named(tx: Tx) -> None:
    elm = await elm_street(tx)
    booked = await elm.promised(elm.cy, 1)
    with pytest.raises(Conflict) as refused:
        async with tx.begin_nested():
            await lends(elm, elm.ben, hours=48)
    assert "promised" in refused.value.sentence
    assert refused.value.free[0] == (NOW, booked.start)
    loan = await lends(elm, elm.ben)
    busy = await occupied.busy(tx, elm.here.id, [elm.drill.id], NOW)
    assert busy[elm.drill.id] == [(NOW, loan.end), (booked.start, booked.end)]


async def test_what_is_out_is_not_lent_twice_but_a_claimed_return_is_confirmed(tx: Tx) -> None:
    elm = await elm_street(tx)
    first = await lends(elm, elm.cy)
    with pytest.raises(Conflict, match="still out"):
        await lends(elm, elm.ben)
    await handover.claim_return(tx, first.id, elm.cy, NOW)
    loan = await lends(elm, elm.ben)
    assert ((await elm.fresh(first)).state, loan.state) == (State.RETURNED, State.OUT)


async def test_others_who_asked_for_this_time_are_superseded_later_ones_wait_on(tx: Tx) -> None:
    elm = await elm_street(tx)
    today, later = await elm.asked(elm.cy, 0), await elm.asked(elm.cy, 3)
    await lends(elm, elm.ben)
    assert (await elm.fresh(today)).state == State.SUPERSEDED
    assert (await elm.fresh(later)).state == State.REQUESTED


async def test_who_has_asked_already_is_answered_instead(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.asked(elm.ben, 0)
    with pytest.raises(Conflict, match="asked for this time already"):
        await lends(elm, elm.ben)


async def test_only_the_owner_lends_and_only_to_who_may_borrow(tx: Tx) -> None:
    elm = await elm_street(tx)
    end = lend_now.tonight(elm.ada, NOW)
    for other in (elm.cy, elm.cora):
        with pytest.raises(Refusal, match="Only the owner"):
            await lend_now.lend(tx, elm.drill.id, Somebody(elm.ben.person_id), end, other, NOW)
    with pytest.raises(Refusal, match="That is you"):
        await lends(elm, elm.ada)
    with pytest.raises(Refusal, match="cannot borrow"):
        await lend_now.lend(tx, elm.drill.id, Somebody(10**12), end, elm.ada, NOW)
    await members.suspend(tx, elm.ben.person_id, elm.cora, NOW)
    with pytest.raises(Refusal, match="cannot borrow"):
        await lends(elm, elm.ben)
    found = {one.person_id for one in await lend_now.neighbours(tx, elm.ada)}
    assert found == {elm.cy.person_id, elm.cora.person_id}


async def test_the_end_lies_ahead_and_within_a_week(tx: Tx) -> None:
    elm = await elm_street(tx)
    for end, why in ((NOW, "passed"), (NOW + 8 * DAY, "7 days")):
        with pytest.raises(Refusal, match=why):
            await lend_now.lend(tx, elm.drill.id, Somebody(elm.ben.person_id), end, elm.ada, NOW)


async def test_a_stranger_finds_no_tool_to_lend(tx: Tx) -> None:
    elm, other = await elm_street(tx), await elm_street(tx)
    end = lend_now.tonight(elm.ada, NOW)
    with pytest.raises(NotFound):
        await lend_now.lend(tx, elm.drill.id, Somebody(name="Grete"), end, other.ada, NOW)
