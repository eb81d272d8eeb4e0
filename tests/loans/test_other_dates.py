"""Other dates for a loan stay within what the tool's lender wishes, unless the lender wishes so."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from app.db import Tx
from app.errors import Conflict, Refusal
from app.loans import changes, commands, proposals
from app.loans.correct import Truth, correct
from app.loans.models import Loan
from app.loans.proposal import ChangeState
from app.loans.states import State
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.lending import Lending, Window
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.loans.test_commands import busy
from tests.people.living import NOW

WORKDAYS = tuple(Window(day, time(17), time(20)) for day in range(5))  # today is a Friday


async def lent_so(elm: Elm, rules: Lending) -> None:
    await tools.set_terms(elm.tx, elm.drill, rules, elm.ada, NOW)


async def asks(
    elm: Elm, loan: Loan, who: Viewer, start: datetime | None, end: datetime | None
) -> str:
    """The sentence that refuses; '' where it is proposed, which is taken back again."""
    try:
        change = await changes.propose(elm.tx, loan.id, who, NOW, start, end)
    except Refusal as refusal:
        return refusal.sentence if refusal.way_out else "without a way out"
    await changes.withdraw(elm.tx, loan.id, change.id, who, NOW)
    return ""


@pytest.mark.parametrize(
    ("rules", "instead", "sentence"),
    [
        (Lending(notice_hours=96), (4, 5), ""),  # later: the start was known
        (Lending(notice_hours=24), (1, 4), "The lender wants to know 1 day before."),
        (Lending(shortest_hours=48), (4, 5), ""),
        (Lending(shortest_hours=72), (4, 5), "This is lent for at least 3 days."),
        (Lending(shortest_hours=24 * 6, longest_days=7), (3, 6), ""),  # it grows, to less than that
        (Lending(windows=WORKDAYS), (4, 6), ""),
        (Lending(windows=WORKDAYS), (2, 5), "It can be fetched Mon–Fri 17:00–20:00."),
        (Lending(windows=WORKDAYS), (3, 8), "It can be brought back Mon–Fri 17:00–20:00."),
        (Lending(longest_days=2), (3, 7), ""),
        (Lending(longest_days=2), (3, 8), "A loan can grow by 2 days at a time."),
        (Lending(horizon_days=6), (3, 6), ""),
        (Lending(horizon_days=6), (3, 7), "You can plan up to 6 days ahead."),
    ],
)
async def test_the_borrower_asks_within_the_rules_and_the_lender_wishes_otherwise(
    tx: Tx, rules: Lending, instead: tuple[int, int], sentence: str
) -> None:
    """Ben has Monday to Wednesday; only how long and how far ahead bind Ada, who set the rest."""
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    await lent_so(elm, rules)
    period = elm.days(*instead)
    assert await asks(elm, loan, elm.ben, *period) == sentence
    binds_both = sentence.startswith(("A loan can grow", "You can plan"))
    assert bool(await asks(elm, loan, elm.ada, *period)) is binds_both


async def test_only_what_is_new_in_the_dates_is_held_to_the_rules(tx: Tx) -> None:
    """Ben fetches on a Sunday, as they agreed before Ada thought of windows."""
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 2, 3)
    await lent_so(elm, Lending(windows=WORKDAYS, notice_hours=96, shortest_hours=96))
    assert not await asks(elm, loan, elm.ben, None, elm.days(4)[1])
    assert "brought back" in await asks(elm, loan, elm.ben, None, elm.days(8)[1])
    assert "at least 4 days" in await asks(elm, loan, elm.ben, None, elm.days(2)[1])


async def test_a_loan_far_ahead_can_still_be_made_shorter(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 30, 33)
    await lent_so(elm, Lending(horizon_days=14))
    assert not await asks(elm, loan, elm.ben, None, elm.days(32)[1])
    assert "14 days ahead" in await asks(elm, loan, elm.ben, None, elm.days(34)[1])


async def test_who_has_it_hears_that_it_may_come_back_early_without_asking(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 3)
    await lent_so(elm, Lending(shortest_hours=96))
    with pytest.raises(Refusal, match="at least 4 days") as refused:
        await changes.propose(tx, loan.id, elm.ben, NOW, None, elm.days(1)[1])
    assert refused.value.way_out == "It may come back earlier without any asking."


async def test_what_was_proposed_in_time_may_be_agreed_on_when_the_rules_have_changed(
    tx: Tx,
) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    await lent_so(elm, Lending(notice_hours=24))
    early = await changes.propose(tx, loan.id, elm.ben, NOW, elm.days(2)[0], None)
    await lent_so(elm, Lending(notice_hours=96, windows=WORKDAYS))
    change = await changes.agree(tx, loan.id, early.id, elm.ada, NOW + 2 * HOUR)
    assert change.state == ChangeState.AGREED
    assert (await elm.fresh(loan)).start == elm.days(2)[0]


async def test_a_longer_loan_leaves_room_for_the_rest_before_the_next(tx: Tx) -> None:
    """Ben and Cy have an hour each side of the tool's two hours of rest."""
    elm = await elm_street(tx)
    await lent_so(elm, Lending(buffer_hours=2))
    start, _ = elm.days(3)
    loan = await elm.asked_at(elm.ben, start + 8 * HOUR, start + 10 * HOUR)
    await commands.approve(tx, loan.id, elm.ada, NOW)
    after = await elm.asked_at(elm.cy, start + 14 * HOUR, start + 16 * HOUR)
    await commands.approve(tx, after.id, elm.ada, NOW)
    assert not await asks(elm, loan, elm.ben, None, start + 12 * HOUR)
    for who in (elm.ben, elm.ada):  # nobody lends it in its rest
        with pytest.raises(Conflict) as refused:
            await changes.propose(tx, loan.id, who, NOW, None, start + 13 * HOUR)
        assert refused.value.sentence.endswith("14:00, and it rests for 2 hours before.")
        assert refused.value.free[0] == (loan.start, start + 12 * HOUR)
    change = await changes.propose(tx, loan.id, elm.ben, NOW, None, start + 12 * HOUR)
    await changes.agree(tx, loan.id, change.id, elm.ada, NOW)
    assert (await busy(tx, loan))[0] == (start + 8 * HOUR, start + 14 * HOUR)


async def test_the_rest_after_other_dates_is_what_the_lender_wishes_by_now(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lent_so(elm, Lending(buffer_hours=2))
    loan = await elm.promised(elm.ben, 3, 4)
    for hours in (24, 0):
        await lent_so(elm, Lending(buffer_hours=hours))
        loan = await elm.fresh(loan)
        end = loan.end + DAY
        change = await changes.propose(tx, loan.id, elm.ben, NOW, None, end)
        await changes.agree(tx, loan.id, change.id, elm.ada, NOW)
        assert (await busy(tx, loan))[0] == (elm.days(3)[0], end + hours * HOUR)


async def test_a_proposal_is_greyed_when_somebody_needs_the_rest_after_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lent_so(elm, Lending(buffer_hours=24))
    loan = await elm.promised(elm.ben, 3)
    change = await changes.propose(tx, loan.id, elm.ben, NOW, None, elm.days(4)[1])
    assert await changes.why_not_beside_others(tx, loan, change, elm.ada, NOW) is None
    await elm.promised(elm.cy, 5)
    why_not = await changes.why_not_beside_others(tx, loan, change, elm.ada, NOW)
    assert why_not is not None
    assert "The next loan begins" in why_not.sentence
    assert (await proposals.change_of(tx, loan, change.id)).state == ChangeState.OPEN


async def test_an_earlier_end_is_in_nobodys_way_however_long_the_tool_rests_by_now(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 5)
    await elm.promised(elm.cy, 6)
    await lent_so(elm, Lending(buffer_hours=72))
    for last, blocked in ((4, 5), (3, 5)):
        change = await changes.propose(tx, loan.id, elm.ben, NOW, None, elm.days(last)[1])
        assert await changes.why_not_beside_others(tx, loan, change, elm.ada, NOW) is None
        await changes.agree(tx, loan.id, change.id, elm.ada, NOW)
        loan = await elm.fresh(loan)
        assert loan.end == elm.days(last)[1]
        assert (await busy(tx, loan))[0] == elm.days(3, blocked), "and its rest ends with the next"
    await lent_so(elm, Lending(buffer_hours=24))
    shorter = await changes.propose(tx, loan.id, elm.ada, NOW, None, loan.end - HOUR)
    await changes.agree(tx, loan.id, shorter.id, elm.ben, NOW)
    assert (await busy(tx, loan))[0] == (elm.days(3)[0], shorter.end + DAY)


async def test_the_rest_that_others_were_promised_with_stands_in_the_way_and_no_other(
    tx: Tx,
) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.cy, 1, 2)
    loan = await elm.promised(elm.ben, 4)
    change = await changes.propose(tx, loan.id, elm.ben, NOW, elm.days(3)[0], None)
    await lent_so(elm, Lending(buffer_hours=24))
    loan = await elm.fresh(loan)
    assert await changes.why_not_beside_others(tx, loan, change, elm.ada, NOW) is None
    await changes.agree(tx, loan.id, change.id, elm.ada, NOW)
    assert (await elm.fresh(loan)).start == elm.days(3)[0]


async def test_a_loan_that_blocked_nothing_any_more_blocks_its_new_dates(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    late = loan.end + HOUR
    await correct(tx, loan.id, elm.cora, late, Truth(State.OUT, "So it was.", out_at=NOW + HOUR))
    change = await changes.propose(tx, loan.id, elm.ben, late, None, late + DAY)
    await changes.agree(tx, loan.id, change.id, elm.ada, late)
    assert await busy(tx, loan, late) == [(late, late + DAY)]
