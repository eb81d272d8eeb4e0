"""The tool itself changes hands: early, late, straight to the next one, or not at all."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from app import clock
from app.board.availability import Now
from app.board.queries import seen
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import clockwork, commands, handover, passing, rules
from app.loans.states import State
from app.tools import commands as tools
from app.tools import occupied
from app.tools import queries as tool_queries
from app.tools.lending import Lending, Window
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

SECOND = timedelta(seconds=1)


async def busy(elm: Elm, now: datetime) -> list[tuple[datetime, datetime]]:
    found = await occupied.busy(elm.tx, elm.here.id, [elm.drill.id], now)
    return found.get(elm.drill.id, [])


async def board_says(elm: Elm, now: datetime) -> Now:
    tool = await tool_queries.tool(elm.tx, elm.here.id, elm.drill.id)
    assert tool is not None
    (one,) = await seen(elm.tx, elm.here, [tool], now, "en-GB")
    return one.state


async def test_a_loan_that_goes_out_early_blocks_the_tool_from_then_on(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await handover.hand_over(tx, loan.id, elm.ada, NOW)
    assert (loan.state, loan.out_at) == (State.OUT, NOW)
    assert await busy(elm, NOW) == [(NOW, loan.end)]
    assert loan.start == elm.days(1)[0], "what was planned is kept"


async def test_a_tool_is_not_handed_over_more_than_a_day_early(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 2)
    with pytest.raises(Refusal, match="too early"):
        await handover.hand_over(tx, loan.id, elm.ada, loan.start - rules.EARLY_PICK_UP - SECOND)
    await handover.hand_over(tx, loan.id, elm.ada, loan.start - rules.EARLY_PICK_UP)


async def test_going_out_early_is_refused_while_somebody_has_the_days_before(tx: Tx) -> None:
    elm = await elm_street(tx)
    before = await elm.promised(elm.cy, 0)
    loan = await elm.promised(elm.ben, 1)
    with pytest.raises(Conflict):
        await handover.hand_over(tx, loan.id, elm.ada, NOW)
    await commands.cancel(tx, before.id, elm.cy, NOW)
    await handover.hand_over(tx, loan.id, elm.ada, NOW)


async def test_only_the_lender_hands_over(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    for somebody in (elm.ben, elm.cora):
        with pytest.raises(Refusal) as refused:
            await handover.hand_over(tx, loan.id, somebody, NOW)
        assert refused.value.status == 403
    with pytest.raises(NotFound):
        await handover.hand_over(tx, loan.id, elm.cy, NOW)


async def test_handing_on_confirms_the_return_that_was_claimed(tx: Tx) -> None:
    elm = await elm_street(tx)
    first, next_one = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 1)
    later = first.end + HOUR
    await handover.claim_return(tx, first.id, elm.ben, NOW + HOUR, "Behind the door")
    await handover.hand_over(tx, next_one.id, elm.ada, later)
    assert (first.state, first.back_at) == (State.RETURNED, later)
    assert next_one.state == State.OUT
    assert (await board_says(elm, later)).kind == "out"


async def test_handing_on_early_frees_what_was_left_for_the_next(tx: Tx) -> None:
    elm = await elm_street(tx)
    first, next_one = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 1)
    await handover.claim_return(tx, first.id, elm.ben, NOW + HOUR)
    await handover.hand_over(tx, next_one.id, elm.ada, NOW + 2 * HOUR)
    assert await busy(elm, NOW + 2 * HOUR) == [(NOW + 2 * HOUR, next_one.end)]


async def test_nothing_is_handed_over_while_it_is_out_with_somebody_else(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, next_one = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 1)
    now = late.end + HOUR
    assert (await board_says(elm, now)).kind == "overdue"
    with pytest.raises(Conflict, match="still out with somebody else") as refused:
        await handover.hand_over(tx, next_one.id, elm.ada, now)
    assert refused.value.code == "out"
    assert (late.state, next_one.state) == (State.OUT, State.APPROVED), "nothing is cancelled"
    await handover.take_back(tx, late.id, elm.ada, now)
    await handover.hand_over(tx, next_one.id, elm.ada, now)


async def test_what_comes_back_early_is_free_at_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 5)
    await handover.take_back(tx, loan.id, elm.ada, NOW + DAY)
    assert (loan.state, loan.back_at) == (State.RETURNED, NOW + DAY)
    assert loan.end == elm.days(5)[1], "what was planned is kept"
    assert await busy(elm, NOW + DAY) == []
    assert (await board_says(elm, NOW + DAY)).words == "Free now"


async def test_what_comes_back_in_the_same_second_leaves_nothing_behind(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 1)
    await handover.take_back(tx, loan.id, elm.ada, NOW)
    assert await busy(elm, NOW - DAY) == []


async def test_what_comes_back_late_frees_nothing_of_the_next_loan(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, next_one = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 1)
    await handover.take_back(tx, late.id, elm.ada, late.end + HOUR)
    assert await busy(elm, late.end + HOUR) == [(next_one.start, next_one.end)]


async def test_a_claimed_return_frees_nothing_and_stops_the_clock(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.claim_return(tx, loan.id, elm.ben, NOW + HOUR, "Shed " + "x" * 300)
    assert len(loan.place) == handover.PLACE_LONGEST
    assert (await board_says(elm, loan.end + DAY)).words == "On its way back"
    with pytest.raises(Conflict):
        await elm.asked(elm.cy, 0, now=NOW + 2 * HOUR)


async def test_not_here_makes_it_out_again_and_late_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.claim_return(tx, loan.id, elm.ben, loan.end - HOUR, "Shed")
    with pytest.raises(Refusal):
        await handover.not_here(tx, loan.id, elm.ben, loan.end)
    await handover.not_here(tx, loan.id, elm.ada, loan.end + HOUR)
    assert (loan.state, loan.place, loan.claimed_at) == (State.OUT, "", None)
    assert rules.is_late(loan, loan.end + HOUR)
    await handover.claim_return(tx, loan.id, elm.ben, loan.end + 2 * HOUR)
    assert loan.state == State.RETURN_CLAIMED


@pytest.mark.parametrize(
    ("day", "starts", "ends", "said_from"),
    [
        ((2026, 5, 2), 9, 72, 11),  # an hour was named
        ((2026, 5, 2), 0, 72, 26),  # none: he may come all day
        ((2026, 5, 2), 0, 24, 26),
        ((2026, 5, 2), 0, 18, 20),  # after the end there is nothing to come for
        ((2026, 10, 25), 0, 73, 27),  # the clocks go back in this day,
        ((2027, 3, 28), 0, 71, 25),  # and forward in this
    ],
)
async def test_nobody_came_is_said_from_two_hours_after_one_could_come(
    tx: Tx, day: tuple[int, int, int], starts: int, ends: int, said_from: int
) -> None:
    elm = await elm_street(tx)
    midnight = clock.day_start(date(*day), elm.here.zone)
    period, now = (midnight + starts * HOUR, midnight + ends * HOUR), midnight - 3 * DAY
    loan = await elm.asked_at(elm.ben, *period, now=now)
    await commands.approve(tx, loan.id, elm.ada, now)
    at = midnight + said_from * HOUR
    with pytest.raises(Refusal, match="too early"):
        await handover.no_show(tx, loan.id, elm.ada, at - SECOND)
    with pytest.raises(Refusal) as refused:
        await handover.no_show(tx, loan.id, elm.ben, at)
    assert refused.value.status == 403
    told = [one.id for one in await passing.of_loans(tx, at - SECOND, at)]
    assert loan.id in told, "the button comes by itself, then"
    await handover.no_show(tx, loan.id, elm.ada, at)
    assert loan.state == State.NO_SHOW
    assert await busy(elm, loan.start) == [], "the rest is free"


EVENINGS = Lending(windows=tuple(Window(day, time(17), time(20)) for day in range(7)))


@pytest.mark.parametrize(
    ("starts", "ends", "said_from"),
    [
        (0, 48, 22),  # two whole days: he may come until eight
        (18, 48, 22),  # from six on
        (21, 48, 23),  # later than its hours, as the two have agreed
        (17, 19, 21),  # after the end there is nothing to come for
    ],
)
async def test_nobody_is_given_up_while_he_may_still_come(
    tx: Tx, starts: int, ends: int, said_from: int
) -> None:
    elm = await elm_street(tx)
    day, _ = elm.days(1)
    loan = await elm.asked_at(elm.ben, day + starts * HOUR, day + ends * HOUR)
    await commands.approve(tx, loan.id, elm.ada, NOW)
    await tools.set_terms(tx, elm.drill, EVENINGS, elm.ada, NOW)
    at = day + said_from * HOUR
    with pytest.raises(Refusal, match="too early") as refused:
        await handover.no_show(tx, loan.id, elm.ada, at - SECOND)
    assert refused.value.way_out == f"You can say so from today {said_from}:00."
    for since, tells in ((at - SECOND, True), (at, False)):  # the button comes by itself, then
        told = await passing.of_loans(tx, since, since + SECOND)
        assert (loan.id in [one.id for one in told]) is tells
    await handover.no_show(tx, loan.id, elm.ada, at)
    assert loan.state == State.NO_SHOW


async def test_while_it_is_out_nobody_asks_for_now_but_for_later(tx: Tx) -> None:
    elm = await elm_street(tx)
    late = await elm.out(elm.ben, 0)
    now = late.end + HOUR
    with pytest.raises(Conflict, match="still out"):
        await elm.asked(elm.cy, 1, now=now)
    assert (await elm.asked(elm.cy, 2, now=now)).state == State.REQUESTED


async def test_a_button_pressed_twice_hands_over_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    seen_version = loan.version
    await handover.hand_over(tx, loan.id, elm.ada, NOW, version=seen_version)
    with pytest.raises(Conflict, match="already out"):
        await handover.hand_over(tx, loan.id, elm.ada, NOW, version=seen_version)


async def test_a_returned_loan_closes_by_itself_and_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    closing = NOW + HOUR + rules.CLOSE_AFTER
    for _ in range(2):
        await clockwork.close(tx, elm.here.id, loan.id, closing)
    assert (loan.state, loan.ended_at) == (State.CLOSED, closing)
    assert loan.version == 5
