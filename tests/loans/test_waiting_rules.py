"""Waiting for a tool as its lender lends it: what is offered can be had, and nothing else is."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from app.db import Tx
from app.errors import Refusal
from app.loans import commands, outlook, quiet, waitlist, waits
from app.loans.states import State
from app.notices.models import Kind
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.lending import Lending, Window
from app.tools.wishes import Outcome
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.loans.test_waitlist import (
    heard,
    names,
    offered,
    waits_for,
    waits_for_any,
    wish_of,
    woken,
)
from tests.people.living import NOW

WORKDAYS = tuple(Window(day, time(17), time(20)) for day in range(5))  # today is a Friday
SATURDAY = Window(5, time(9), time(12))


async def lent_so(elm: Elm, rules: Lending) -> None:
    await tools.set_terms(elm.tx, elm.drill, rules, elm.ada, NOW)


async def said_to(elm: Elm, who: Viewer) -> str:
    """The sentence that goes with somebody's place."""
    line = await waits.line(elm.tx, elm.here.id, elm.drill.id)
    taken = await waits.taken(elm.tx, elm.here, elm.drill.id, NOW)
    wish = next(one for one in line if one.person_id == who.person_id)
    return outlook.outlook(wish, line, taken, elm.here, NOW, "en-GB")[1]


@pytest.mark.parametrize(
    ("rules", "days", "sentence"),
    [
        (Lending(longest_days=3), 4, "Choose 1 to 3 days."),
        (Lending(longest_days=20), 20, ""),
        (Lending(longest_days=20), 21, "Choose 1 to 20 days."),
        (Lending(shortest_hours=30), 1, "This is lent for at least 30 hours."),
        (Lending(shortest_hours=30), 2, ""),
        (Lending(windows=(SATURDAY,)), 2, "It can be fetched and brought back Sat 09:00–12:00."),
        (Lending(windows=(SATURDAY,)), 1, ""),
    ],
)
async def test_nobody_waits_for_a_length_that_is_never_lent(
    tx: Tx, rules: Lending, days: int, sentence: str
) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 0, 6)
    await elm.promised(elm.ben, 7, 13)
    await lent_so(elm, rules)
    if not sentence:
        await waits_for_any(elm, elm.cy, days)
        return
    with pytest.raises(Refusal) as refused:
        await waits_for_any(elm, elm.cy, days)
    assert (refused.value.sentence, refused.value.field_name) == (sentence, "days")


async def test_any_days_are_offered_on_days_when_they_can_be_fetched_and_brought(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lent_so(elm, Lending(windows=WORKDAYS))
    loan = await elm.promised(elm.ben, 3, 7)
    await elm.promised(elm.ben, 10, 14)
    await waits_for_any(elm, elm.cy, 2)
    assert (await said_to(elm, elm.cy)) == "Probably from Mon 18 May."
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(3, 4)], "not on the weekend before"


async def test_what_is_offered_leaves_the_lender_the_notice_that_they_want(tx: Tx) -> None:
    """Two days' notice: kept until two days before, and at least an hour that is not at night."""
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1, 4)
    await elm.promised(elm.ben, 5, 11)
    await lent_so(elm, Lending(notice_hours=48))
    await waits_for_any(elm, elm.cy, 1)
    evening = NOW + 10 * HOUR  # 23:00 in London
    await commands.cancel(tx, loan.id, elm.ben, evening)
    await woken(elm, evening)
    wish = await wish_of(elm, elm.cy)
    assert wish.offer == elm.days(4), "on Monday there would be no hour left to answer"
    assert wish.offered_until == quiet.runs_out(evening, elm.here.zone)


async def test_an_offer_ends_when_the_lender_must_know(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3)
    await lent_so(elm, Lending(notice_hours=52))
    await waits_for(elm, elm.cy, 3)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    wish = await wish_of(elm, elm.cy)
    must_know = elm.days(3)[0] - 52 * HOUR
    assert wish.offered_until == must_know < quiet.runs_out(NOW, elm.here.zone)
    asked = await waitlist.accept(tx, elm.drill.id, elm.cy, must_know - timedelta(seconds=1))
    assert asked.start - asked.requested_at >= 52 * HOUR


async def test_wished_days_that_have_begun_are_offered_whole_after_the_notice(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1, 5)
    await waits_for(elm, elm.cy, 1, 5)
    await lent_so(elm, Lending(notice_hours=24))
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(2, 5)]


async def test_who_waits_for_days_that_are_too_near_hears_that_it_is_over(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 1, 2)
    await waits_for(elm, elm.cy, 1, 2)
    await lent_so(elm, Lending(notice_hours=72))
    await woken(elm)
    assert await names(elm) == []
    assert (await wish_of(elm, elm.cy)).outcome == Outcome.OVER
    assert (await heard(elm, elm.cy))[-1] == Kind.WAIT_OVER


async def test_new_rules_are_said_to_who_waits_and_kept_to(tx: Tx) -> None:
    """Ada lends it for three days at most by now; Cy waits for five."""
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 7)
    await waits_for(elm, elm.cy, 3, 7)
    await lent_so(elm, Lending(longest_days=3))
    cannot = "As it is lent now, it cannot be kept for you. A loan may have 3 days."
    assert await said_to(elm, elm.cy) == cannot
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    assert await offered(elm) == []
    await lent_so(elm, Lending(longest_days=5))
    assert await woken(elm) == 1, "new rules wake who waits"
    assert await offered(elm) == [elm.days(3, 7)]


async def test_what_was_offered_can_be_had_whatever_the_rules_become(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3, 7)
    await waits_for(elm, elm.cy, 3, 7)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    await lent_so(elm, Lending(longest_days=1, notice_hours=96, windows=(SATURDAY,)))
    await woken(elm)
    asked = await waitlist.accept(tx, elm.drill.id, elm.cy, NOW + HOUR)
    assert (asked.state, asked.start, asked.end) == (State.REQUESTED, *elm.days(3, 7))


async def test_nobody_looks_further_ahead_than_the_lender_does(tx: Tx) -> None:
    elm = await elm_street(tx)
    for first in range(0, 28, 7):
        await elm.promised(elm.ben, first, first + 6)
    await waits_for_any(elm, elm.cy, 3)
    assert await said_to(elm, elm.cy) == "Probably from Fri 29 May."
    await lent_so(elm, Lending(horizon_days=29))
    ahead = "Nobody can say when: nothing that long is free in the next 29 days."
    assert await said_to(elm, elm.cy) == ahead


async def test_a_lender_who_wants_long_notice_still_offers(tx: Tx) -> None:
    """Ten days' notice: a week counts from the first day that can be had at all."""
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 8, 14)
    await elm.promised(elm.ben, 15, 21)
    await lent_so(elm, Lending(notice_hours=240))
    await waits_for_any(elm, elm.cy, 2)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(11, 12)]


async def test_who_is_offered_a_dangerous_tool_reads_what_to_mind_first(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 3)
    await waits_for(elm, elm.cy, 3)
    await lent_so(elm, Lending(safety="It kicks back."))
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    await woken(elm)
    with pytest.raises(Refusal, match="It kicks back"):
        await waitlist.accept(tx, elm.drill.id, elm.cy, NOW)
    asked = await waitlist.accept(tx, elm.drill.id, elm.cy, NOW, accept_safety=True)
    assert asked.safety == "It kicks back."
    assert asked.end - asked.start == DAY
