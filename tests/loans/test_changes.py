"""Other dates for a loan: one proposes, the other answers, and the tool is never promised twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import topic
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import changes, commands, handover, proposals
from app.loans.models import Loan, LoanEvent
from app.loans.proposal import ChangeKind, ChangeState
from app.loans.states import State
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.queue import Job
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.loans.test_commands import busy, lines_of
from tests.people.living import NOW

LONDON = ZoneInfo("Europe/London")


async def heard(tx: Tx, who: Viewer) -> list[str]:
    rows = await tx.scalars(
        select(Notice.kind).where(Notice.person_id == who.person_id).order_by(Notice.id)
    )
    return list(rows)


async def due(tx: Tx, loan: Loan, name: str) -> datetime | None:
    key = f"{loan.community_id}/{loan.id}"
    return await tx.scalar(select(Job.run_at).where(Job.name == name, Job.key == key))


async def longer(elm: Elm, loan: Loan, days: int = 1, by: Viewer | None = None) -> int:
    """Ben asks for so many days more; answers the proposal's id."""
    end = loan.end + days * DAY
    change = await changes.propose(elm.tx, loan.id, by or elm.ben, NOW, None, end)
    return change.id


async def test_what_is_proposed_blocks_nothing_until_the_other_agrees(tx: Tx) -> None:
    elm = await elm_street(tx)
    elm.drill.price_cents = 250
    await tx.flush()
    loan = await elm.out(elm.ben, 0, 1)
    end = loan.end
    change = await longer(elm, loan, 2)
    assert await busy(tx, loan) == [(NOW, end)]
    assert (await heard(tx, elm.ada))[-1] == Kind.CHANGE_PROPOSED
    await changes.agree(tx, loan.id, change, elm.ada, NOW + HOUR)
    loan = await elm.fresh(loan)
    assert (loan.state, loan.end, loan.price_cents) == (State.OUT, end + 2 * DAY, 1000)
    assert await busy(tx, loan) == [(NOW, end + 2 * DAY)]
    assert (await heard(tx, elm.ben))[-1] == Kind.CHANGE_AGREED
    assert await due(tx, loan, "loans.remind") == loan.end - DAY, "reminders follow"
    asked, agreed = (await lines_of(tx, loan))[-2:]
    assert asked.startswith("Ben Okafor asks for other dates: Fri 1 May – Mon 4 May, ")
    assert asked.endswith("10 instead of £5 (£5 more).") or "€5 more" in asked
    assert agreed.startswith("Ada Moreno agreed to other dates: ")
    acts = await tx.scalars(select(LoanEvent.act).where(LoanEvent.loan_id == loan.id))
    assert list(acts)[-1] == "change"


async def test_an_approved_loan_is_moved_and_its_old_dates_are_free(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 2, 3)
    was, (start, end) = loan.version, elm.days(6, 7)
    change = await changes.propose(tx, loan.id, elm.ada, NOW, start, end, "I need it on Monday")
    assert change.kind == ChangeKind.MOVE
    await changes.agree(tx, loan.id, change.id, elm.ben, NOW)
    loan = await elm.fresh(loan)
    assert await busy(tx, loan) == [(start, end)]
    assert loan.version > was
    assert await due(tx, loan, "loans.lapse") == end + DAY
    assert await due(tx, loan, "loans.remind") == start - DAY
    assert (await elm.promised(elm.cy, 2, 3)).state == State.APPROVED


async def test_an_early_pick_up_and_a_shorter_loan_are_agreed_on_the_same_way(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    early = await changes.propose(tx, loan.id, elm.ben, NOW, loan.start - DAY, None)
    assert early.kind == ChangeKind.EARLY
    await changes.agree(tx, loan.id, early.id, elm.ada, NOW)
    shorter = await changes.propose(tx, loan.id, elm.ben, NOW, None, loan.end - DAY)
    assert shorter.kind == ChangeKind.SHORTEN
    await changes.agree(tx, loan.id, shorter.id, elm.ada, NOW)
    assert await busy(tx, loan) == [elm.days(2, 4)]


async def test_the_next_loan_stands_where_it_is_and_the_refusal_says_until_when(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    await elm.promised(elm.cy, 3, 4)
    with pytest.raises(Conflict) as refused:
        await longer(elm, loan, 2)
    told = refused.value
    assert told.sentence == "The next loan begins Mon 4 May."
    assert told.free[0] == (loan.start, elm.days(3)[0]), "so much longer it can be"
    assert told.free[1][0] == elm.days(5)[0]
    await longer(elm, loan, 1)


async def test_a_loan_approved_meanwhile_wins_over_what_was_only_proposed(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    change = await longer(elm, loan, 2)
    tx.info.pop("touched", None)
    await elm.promised(elm.cy, 3, 4)
    assert topic.loan(elm.here.id, loan.id) in tx.info["touched"], "the button must say why not"
    with pytest.raises(Conflict, match="next loan begins"):
        await changes.agree(tx, loan.id, change, elm.ada, NOW)
    assert (await proposals.change_of(tx, loan, change)).state == ChangeState.OPEN
    assert (await elm.fresh(loan)).end == elm.days(1)[1]


async def test_agreed_dates_supersede_requests_that_overlap(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    wish = await elm.asked(elm.cy, 2)
    stays = await elm.asked(elm.cy, 5)
    await changes.agree(tx, loan.id, await longer(elm, loan), elm.ada, NOW)
    assert (await elm.fresh(wish)).state == State.SUPERSEDED
    assert (await elm.fresh(stays)).state == State.REQUESTED


async def test_one_proposal_at_a_time_and_each_is_answered_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    first = await longer(elm, loan)
    for who in (elm.ben, elm.ada):
        with pytest.raises(Conflict, match="proposed already"):
            await longer(elm, loan, 2, who)
    for answer in (changes.agree, changes.refuse):
        with pytest.raises(Refusal, match="proposed it yourself"):
            await answer(tx, loan.id, first, elm.ben, NOW)
    with pytest.raises(Refusal, match="The other proposed it"):
        await changes.withdraw(tx, loan.id, first, elm.ada, NOW)
    await changes.refuse(tx, loan.id, first, elm.ada, NOW)
    assert (await heard(tx, elm.ben))[-1] == Kind.CHANGE_REFUSED
    with pytest.raises(Conflict, match="stay as they are"):
        await changes.agree(tx, loan.id, first, elm.ada, NOW)
    second = await longer(elm, loan)
    await changes.withdraw(tx, loan.id, second, elm.ben, NOW)
    assert (await heard(tx, elm.ada))[-1] == Kind.CHANGE_WITHDRAWN
    assert await due(tx, loan, proposals.END) is None
    states = [one.state for one in await changes.changes_of(tx, loan)]
    assert states == [ChangeState.WITHDRAWN, ChangeState.REFUSED]


async def test_only_the_two_of_the_loan_propose_and_answer(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    with pytest.raises(NotFound):
        await longer(elm, loan, by=elm.cy)
    with pytest.raises(Refusal, match="Only the borrower or the lender"):
        await longer(elm, loan, by=elm.cora)
    change = await longer(elm, loan)
    with pytest.raises(NotFound):
        await changes.agree(tx, loan.id, change, elm.cy, NOW)
    with pytest.raises(Refusal, match="Only the two"):
        await changes.agree(tx, loan.id, change, elm.cora, NOW)
    other = await elm.promised(elm.cy, 4)
    with pytest.raises(NotFound):
        await changes.agree(tx, other.id, change, elm.ada, NOW)


async def test_a_loan_that_moves_on_takes_the_proposal_along(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    change = await longer(elm, loan)
    await handover.take_back(tx, loan.id, elm.ada, NOW)
    assert (await proposals.change_of(tx, loan, change)).state == ChangeState.ENDED
    assert await due(tx, loan, proposals.END) is None
    with pytest.raises(Conflict, match="too late"):
        await changes.agree(tx, loan.id, change, elm.ada, NOW)
    with pytest.raises(Conflict, match="already back"):
        await longer(elm, loan)


async def test_a_proposal_ends_by_itself_when_its_time_has_come(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    change = await changes.propose(tx, loan.id, elm.ben, NOW, loan.start - DAY, None)
    late = loan.start - DAY
    assert await due(tx, loan, proposals.END) == late
    with pytest.raises(Conflict, match="too late"):
        await changes.agree(tx, loan.id, change.id, elm.ada, late)
    for _ in range(2):
        await changes.run_out(tx, elm.here.id, loan.id, late)
    assert (await heard(tx, elm.ben))[-1:] == [Kind.CHANGE_ENDED]
    assert change.state == ChangeState.ENDED
    assert (await lines_of(tx, loan))[-1] == "Nobody answered in time: the dates stay."


async def test_an_overdue_loan_can_still_be_extended(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    late = loan.end + 2 * DAY
    change = await changes.propose(tx, loan.id, elm.ben, late, None, late + HOUR)
    await changes.agree(tx, loan.id, change.id, elm.ada, late)
    assert await busy(tx, loan, late) == [(NOW, late + HOUR)]
    assert await due(tx, loan, "loans.remind") == late + HOUR, "due once more, at the new end"


async def test_what_makes_no_sense_is_refused_with_a_way_out(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 1)
    end = loan.end
    wrong = [(None, end), (elm.days(1)[0], end + DAY), (None, NOW), (None, end + 9 * DAY)]
    for first, last in wrong:
        with pytest.raises(Refusal) as refused:
            await changes.propose(tx, loan.id, elm.ben, NOW, first, last)
        assert (refused.value.status, bool(refused.value.way_out)) == (422, True)
    asked = await elm.asked(elm.cy, 5)
    with pytest.raises(Conflict, match="waiting for an answer"):
        await changes.propose(tx, asked.id, elm.cy, NOW, None, asked.end + DAY)


@pytest.mark.parametrize(("day", "hours"), [((2026, 10, 24), 25), ((2027, 3, 27), 23)])
async def test_a_night_more_is_a_local_day_whatever_the_clocks_do(
    tx: Tx, day: tuple[int, int, int], hours: int
) -> None:
    elm = await elm_street(tx)
    start = datetime(*day, 9, tzinfo=LONDON).astimezone(UTC)
    now = start - HOUR
    loan = await elm.asked_at(elm.ben, start, start + 9 * HOUR, now)
    await commands.approve(tx, loan.id, elm.ada, now)
    end = datetime(*day, 18, tzinfo=LONDON) + DAY  # the same time of day, one day on
    change = await changes.propose(tx, loan.id, elm.ben, now, None, end.astimezone(UTC))
    await changes.agree(tx, loan.id, change.id, elm.ada, now)
    loan = await elm.fresh(loan)
    assert loan.end - loan.start == timedelta(hours=9 + hours)
    assert loan.end.astimezone(LONDON).hour == 18


START = datetime(2026, 5, 2, 9, tzinfo=UTC)
OFFSETS = st.integers(-100, 100)


@given(OFFSETS, OFFSETS)
def test_each_change_has_exactly_one_kind(first: int, last: int) -> None:
    was = (START, START + 48 * HOUR)
    period = (START + first * HOUR, START + (48 + last) * HOUR)
    kind = proposals.kind_of(was, period)
    inside = was[0] <= period[0] and period[1] <= was[1]
    assert (kind is ChangeKind.SHORTEN) is inside
    assert (kind is ChangeKind.EXTEND) is (first == 0 and last > 0)
    assert (kind is ChangeKind.EARLY) is (first < 0 and last == 0)
