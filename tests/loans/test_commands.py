"""Asking and answering: who gets the dates, who is told, and what is refused."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app import topic
from app.chat.models import Message
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import clockwork, commands, handover, rules, shelf
from app.loans.models import Loan, LoanEvent
from app.loans.states import State
from app.people.models import Community
from app.tools import occupied
from tests.loans.living import HOUR, elm_street
from tests.people.living import NOW, community, member, person


async def lines_of(tx: Tx, loan: Loan) -> list[str]:
    """What the loan's room says, in order."""
    rows = await tx.scalars(
        select(Message.body)
        .where(
            Message.community_id == loan.community_id,
            Message.conversation_id == loan.conversation_id,
        )
        .order_by(Message.born)
    )
    return list(rows)


async def busy(tx: Tx, loan: Loan, now: datetime = NOW) -> list[tuple[datetime, datetime]]:
    found = await occupied.busy(tx, loan.community_id, [loan.tool_id], now)
    return found.get(loan.tool_id, [])


async def test_a_request_blocks_no_dates_and_several_may_ask_for_the_same(tx: Tx) -> None:
    elm = await elm_street(tx)
    loans = [
        await elm.asked(elm.ben, 2, 3),
        await elm.asked(elm.cy, 3),
        await elm.asked(elm.cora, 2, 3),
    ]
    assert {loan.state for loan in loans} == {State.REQUESTED}
    assert len({loan.conversation_id for loan in loans}) == 3, "each has a room of its own"
    assert await busy(tx, loans[0]) == []


async def test_a_request_costs_its_started_days(tx: Tx) -> None:
    elm = await elm_street(tx)
    elm.drill.price_cents = 250
    await tx.flush()
    assert (await elm.asked(elm.ben, 1, 3)).price_cents == 750
    start, _ = elm.days(1)
    late = await elm.asked_at(elm.cy, start + 22 * HOUR, start + 26 * HOUR)
    assert late.price_cents == 500


async def test_what_ben_writes_with_his_request_stands_in_the_room(tx: Tx) -> None:
    elm = await elm_street(tx)
    start, end = elm.days(1)
    loan = await commands.request(tx, elm.drill.id, start, end, elm.ben, NOW, "For a shelf.\x00")
    asked, wrote = await lines_of(tx, loan)
    assert asked.startswith("Ben Okafor asked for")
    assert wrote == "For a shelf."


async def test_nobody_asks_for_the_own_tool(tx: Tx) -> None:
    elm = await elm_street(tx)
    with pytest.raises(Refusal, match="your own tool"):
        await elm.asked(elm.ada, 1)


async def test_a_stranger_finds_neither_the_tool_nor_the_loan(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1)
    dee = await member(tx, await community(tx, await person(tx, "Eli Sander")), "Dee Quist")
    with pytest.raises(NotFound):
        await commands.request(tx, elm.drill.id, *elm.days(1), dee, NOW)
    for act in (commands.approve, commands.decline, commands.withdraw, commands.cancel):
        for nobody in (dee, elm.cy):
            with pytest.raises(NotFound):
                await act(tx, loan.id, nobody, NOW)
    assert (await elm.fresh(loan)).state == State.REQUESTED


async def test_an_archived_tool_is_not_there_to_be_asked_for(tx: Tx) -> None:
    elm = await elm_street(tx)
    await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    with pytest.raises(NotFound):
        await elm.asked(elm.ben, 1)
    with pytest.raises(Refusal, match="not lent"):
        await elm.asked(elm.cora, 1)


async def test_taken_dates_are_refused_with_the_nearest_free_ones(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 3, 4)
    await elm.promised(elm.ben, 7)
    await elm.promised(elm.ben, 9)
    with pytest.raises(Conflict) as refused:
        await elm.asked(elm.cy, 4, 5)
    told = refused.value
    assert told.status == 409
    assert list(told.free[:2]) == [(NOW, elm.days(3)[0]), (elm.days(5)[0], elm.days(7)[0])]
    assert told.free[2][0] == elm.days(10)[0], "one day alone between two loans is too short"
    assert len(told.free) == 3


async def test_an_approval_supersedes_exactly_what_overlaps_and_tells_each_room(tx: Tx) -> None:
    elm = await elm_street(tx)
    wins = await elm.asked(elm.ben, 3, 4)
    dee = await member(tx, await tx.get_one(Community, elm.here.id), "Dee Novak")
    loses = [
        await elm.asked(elm.cy, 2, 3),
        await elm.asked(elm.cy, 4),
        await elm.asked(elm.cora, 1, 6),
    ]
    stays = [await elm.asked(dee, 1, 2), await elm.asked(dee, 5)]
    tx.info.pop("touched", None)
    await commands.approve(tx, wins.id, elm.ada, NOW + HOUR)
    assert wins.state == State.APPROVED
    for loan in loses:
        assert (await elm.fresh(loan)).state == State.SUPERSEDED
        assert (await lines_of(tx, loan))[-1] == "Somebody else got these dates."
        assert topic.loan(elm.here.id, loan.id) in tx.info["touched"]
    for loan in stays:
        assert (await elm.fresh(loan)).state == State.REQUESTED
        assert len(await lines_of(tx, loan)) == 1
        assert topic.loan(elm.here.id, loan.id) not in tx.info["touched"]
    assert (await lines_of(tx, wins))[-1] == "Ada Moreno approved the request."
    assert await busy(tx, wins) == [elm.days(3, 4)]


async def test_a_request_for_another_tool_is_left_alone(tx: Tx) -> None:
    elm = await elm_street(tx)
    other = await elm_street(tx)
    beside = await other.asked(other.ben, 1)
    await elm.promised(elm.ben, 1)
    assert (await other.fresh(beside)).state == State.REQUESTED


async def test_a_morning_and_an_evening_of_one_day_both_fit(tx: Tx) -> None:
    elm = await elm_street(tx)
    start, _ = elm.days(2)
    morning = await elm.asked_at(elm.ben, start + 8 * HOUR, start + 12 * HOUR)
    evening = await elm.asked_at(elm.cy, start + 17 * HOUR, start + 21 * HOUR)
    between = await elm.asked_at(elm.cy, start + 12 * HOUR, start + 17 * HOUR)
    for loan in (morning, evening, between):
        await commands.approve(tx, loan.id, elm.ada, NOW)
        assert loan.state == State.APPROVED
    assert all(one[1] == two[0] for one, two in itertools.pairwise(await busy(tx, morning)))


async def test_loans_that_touch_at_midnight_do_not_meet(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 2, 3)
    assert (await elm.promised(elm.cy, 4, 5)).state == State.APPROVED
    assert (await elm.promised(elm.cy, 1)).state == State.APPROVED


async def test_what_came_back_at_noon_can_be_lent_again_today(tx: Tx) -> None:
    elm = await elm_street(tx)
    first = await elm.out(elm.ben, 0)
    await handover.take_back(tx, first.id, elm.ada, NOW + HOUR)
    second = await elm.asked(elm.cy, 0, now=NOW + HOUR)
    await commands.approve(tx, second.id, elm.ada, NOW + 2 * HOUR)
    await handover.hand_over(tx, second.id, elm.ada, NOW + 2 * HOUR)
    await handover.take_back(tx, second.id, elm.ada, NOW + 3 * HOUR)
    third = await elm.promised(elm.ben, 0, 1, now=NOW + 4 * HOUR)
    assert third.state == State.APPROVED


async def test_the_second_of_two_answers_is_told_how_it_stands(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    for act, sentence in (
        (commands.approve, "already approved"),
        (commands.decline, "already approved"),
    ):
        with pytest.raises(Conflict, match=sentence):
            await act(tx, loan.id, elm.ada, NOW)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    with pytest.raises(Conflict, match="was cancelled"):
        await commands.cancel(tx, loan.id, elm.ben, NOW)


async def test_who_looked_at_an_older_state_hears_the_present_one(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1)
    seen = loan.version
    await commands.approve(tx, loan.id, elm.ada, NOW, version=seen)
    with pytest.raises(Conflict, match="already approved"):
        await commands.cancel(tx, loan.id, elm.ada, NOW, "I need it", version=seen)
    assert (await elm.fresh(loan)).state == State.APPROVED
    await commands.cancel(tx, loan.id, elm.ada, NOW, "I need it", version=loan.version)


async def test_who_lost_the_dates_hears_which_are_free(tx: Tx) -> None:
    elm = await elm_street(tx)
    lost = await elm.asked(elm.cy, 2)
    await elm.promised(elm.ben, 2)
    with pytest.raises(Conflict, match="Somebody else got these dates") as refused:
        await commands.approve(tx, lost.id, elm.ada, NOW)
    assert refused.value.free[0] == (NOW, elm.days(2)[0])


async def test_a_request_is_declined_with_a_reason_or_without(tx: Tx) -> None:
    elm = await elm_street(tx)
    silent, told = await elm.asked(elm.ben, 1), await elm.asked(elm.cy, 1)
    await commands.decline(tx, silent.id, elm.ada, NOW)
    await commands.decline(tx, told.id, elm.cora, NOW, "  It is broken.\x00 ")
    assert (silent.state, silent.reason) == (State.DECLINED, "")
    assert (told.state, told.reason) == (State.DECLINED, "It is broken.")
    assert (await lines_of(tx, silent))[-1] == "Ada Moreno declined the request."
    assert (await lines_of(tx, told))[-1] == "Cora Lindqvist declined the request: It is broken."
    assert silent.ended_at == NOW


async def test_a_lender_who_cancels_says_why_a_borrower_need_not(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    for somebody in (elm.ada, elm.cora):
        with pytest.raises(Refusal, match="say why") as refused:
            await commands.cancel(tx, loan.id, somebody, NOW, " \x00 ")
        assert (refused.value.status, refused.value.field_name) == (422, "reason")
    with pytest.raises(Refusal, match="500") as refused:
        await commands.cancel(tx, loan.id, elm.ada, NOW, "x" * 501)
    assert await busy(tx, loan) == [elm.days(1)]
    await commands.cancel(tx, loan.id, elm.ada, NOW, "x" * 500)
    assert await busy(tx, loan) == []
    other = await elm.promised(elm.ben, 1)
    await commands.cancel(tx, other.id, elm.ben, NOW)
    assert other.state == State.CANCELLED


async def test_cancelled_dates_go_to_the_next_but_revive_nobody(tx: Tx) -> None:
    elm = await elm_street(tx)
    lost = await elm.asked(elm.cy, 1)
    loan = await elm.promised(elm.ben, 1)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    assert (await elm.fresh(lost)).state == State.SUPERSEDED
    assert (await elm.promised(elm.cy, 1)).state == State.APPROVED


async def test_a_request_that_ran_out_cannot_be_approved_even_before_the_job_comes(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 5)
    with pytest.raises(Conflict, match="ran out"):
        await commands.approve(tx, loan.id, elm.ada, loan.expires_at)
    await clockwork.expire(tx, elm.here.id, loan.id, loan.expires_at - timedelta(seconds=1))
    assert loan.state == State.REQUESTED
    await clockwork.expire(tx, elm.here.id, loan.id, loan.expires_at)
    assert loan.state == State.EXPIRED
    await clockwork.expire(tx, elm.here.id, loan.id, loan.expires_at)
    assert (await lines_of(tx, loan))[1:] == ["The request ran out without an answer."]


async def test_a_request_for_dates_gone_by_or_far_away_is_refused(tx: Tx) -> None:
    elm = await elm_street(tx)
    for first, last in ((-1, 0), (-2, -1), (0, 7), (90, 91)):
        with pytest.raises(Refusal) as refused:
            await elm.asked(elm.ben, first, last)
        assert refused.value.status == 422
    assert (await elm.asked(elm.ben, 90)).state == State.REQUESTED
    assert (await elm.asked(elm.ben, 0, 6)).state == State.REQUESTED


async def test_an_approved_loan_that_nobody_fetched_lapses_and_frees_its_dates(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await clockwork.lapse(tx, elm.here.id, loan.id, loan.end)
    assert loan.state == State.APPROVED
    await clockwork.lapse(tx, elm.here.id, loan.id, loan.end + rules.LAPSE_AFTER)
    assert loan.state == State.LAPSED
    assert await busy(tx, loan) == []


async def test_the_story_of_a_loan_has_a_line_for_each_act(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await commands.cancel(tx, loan.id, elm.ada, NOW, "Rain")
    events = await tx.execute(
        select(LoanEvent.act, LoanEvent.from_state, LoanEvent.to_state, LoanEvent.reason)
        .where(LoanEvent.community_id == loan.community_id, LoanEvent.loan_id == loan.id)
        .order_by(LoanEvent.id)
    )
    assert [tuple(row) for row in events] == [
        ("request", None, "requested", ""),
        ("approve", "requested", "approved", ""),
        ("cancel", "approved", "cancelled", "Rain"),
    ]
    assert loan.version == 3


async def test_who_asks_again_for_the_same_dates_is_led_to_the_first_request(tx: Tx) -> None:
    elm = await elm_street(tx)
    first = await elm.asked(elm.ben, 2, 4)
    with pytest.raises(Conflict, match="already") as refused:
        await elm.asked(elm.ben, 4, 5)
    assert refused.value.see == f"{elm.here.path}/loans/{first.id}"
    await elm.asked(elm.ben, 5)
    await elm.asked(elm.cy, 2, 4)
    await commands.withdraw(tx, first.id, elm.ben, NOW)
    second = await elm.asked(elm.ben, 2, 4)
    await commands.approve(tx, second.id, elm.ada, NOW)
    with pytest.raises(Conflict, match="You have it") as refused:
        await elm.asked(elm.ben, 3)
    assert refused.value.see == f"{elm.here.path}/loans/{second.id}"
