"""One server, streets around the world: the same instant, each with its own days and nights."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from app import clock, jobs, topic
from app.board import quick
from app.board.availability import Now
from app.board.queries import Seen
from app.db import Tx
from app.errors import Refusal
from app.loans import changes, commands, passing, periods, quiet, reminders, rules
from app.loans.states import Act, State
from app.notices.models import Kind
from app.tools import commands as tools
from app.tools.lending import Lending, Window
from tests.loans.living import DAY, HOUR, TODAY, Elm, elm_street
from tests.people.living import NOW

EAST, WEST = "Pacific/Auckland", "Pacific/Honolulu"  # Saturday begins; Friday, two at night
SECOND = timedelta(seconds=1)


async def both(tx: Tx) -> tuple[Elm, Elm]:
    return await elm_street(tx, EAST), await elm_street(tx, WEST)


async def test_today_is_another_day_here_than_there(tx: Tx) -> None:
    east, west = await both(tx)
    today = {elm.here.id: clock.local_day(NOW, elm.here.zone) for elm in (east, west)}
    assert today == {east.here.id: TODAY + DAY, west.here.id: TODAY}
    assert (await west.asked(west.ben, 0)).state == State.REQUESTED
    with pytest.raises(Refusal, match="These dates have passed"):
        await east.asked(east.ben, 0)
    for elm in (east, west):
        seen = Seen(elm.drill, Now("free", "Free now"), (), ())
        found = {one.name: one for one in quick.choices(seen, elm.here, NOW, "en-GB")}
        assert found["tomorrow"].start == (today[elm.here.id] + DAY).isoformat()
        assert found["weekend"].start == "2026-05-02", "of which the one in the east has begun"


async def test_midnight_comes_to_one_of_them(tx: Tx) -> None:
    east, west = await both(tx)
    tx.info.pop("touched", None)
    await jobs.time_passed(tx, NOW - SECOND, NOW)
    touched = tx.info["touched"]
    assert topic.board(east.here.id) in touched
    assert topic.board(west.here.id) not in touched


async def test_the_same_hours_of_a_saturday_are_most_of_a_day_apart(tx: Tx) -> None:
    saturday = Lending(windows=(Window(5, time(9), time(12)),))
    said = []
    for elm in await both(tx):
        await tools.set_terms(tx, elm.drill, saturday, elm.ada, NOW)
        loan = await elm.promised(elm.ben, 1)
        said.append((rules.no_show_from(await elm.fresh(loan), elm.here.zone), loan.id))
    (early, first), (late, second) = said
    assert late - early == 22 * HOUR
    for at, tells, hushed in ((early, first, second), (late, second, first)):
        told = [one.id for one in await passing.of_loans(tx, at - SECOND, at)]
        assert tells in told
        assert hushed not in told


def sleeps(elm: Elm, at: datetime) -> bool:
    start, end = next(quiet.nights(at, elm.here.zone))
    return start <= at < end


async def test_one_sleeps_while_the_other_has_breakfast(tx: Tx) -> None:
    east, west = await both(tx)
    hours = {
        after: (sleeps(east, NOW + after * HOUR), sleeps(west, NOW + after * HOUR))
        for after in (0, 6, 12, 22)
    }
    assert hours == {0: (True, True), 6: (True, False), 12: (False, False), 22: (True, True)}
    assert quiet.runs_out(NOW, east.here.zone) != quiet.runs_out(NOW, west.here.zone)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", EAST, "Europe/London", WEST])
async def test_the_leap_day_is_one_day_everywhere(tx: Tx, zone: str) -> None:
    elm = await elm_street(tx, zone)
    await tools.edit(tx, elm.drill.id, tools.ToolText(price_cents=250), elm.ada, NOW)
    here, now = elm.here.zone, datetime(2028, 2, 20, 12, tzinfo=UTC)
    start, end = periods.period_from("2028-02-29", "2028-02-29", "", "", here)
    loan = await elm.asked_at(elm.ben, start, end, now)
    await commands.approve(tx, loan.id, elm.ada, now)
    assert (end - start, loan.price_cents) == (24 * HOUR, 250)
    assert clock.local_day(loan.end, here) == date(2028, 3, 1)
    before = await elm.asked_at(elm.cy, start - DAY, start, now)
    assert (await commands.approve(tx, before.id, elm.ada, now)).state == State.APPROVED
    longer = clock.days_later(end, 1, here)
    change = await changes.propose(tx, loan.id, elm.ben, now, None, longer)
    await changes.agree(tx, loan.id, change.id, elm.ada, now)
    loan = await elm.fresh(loan)
    assert (loan.price_cents, loan.end) == (500, clock.day_start(date(2028, 3, 2), here))
    due = reminders.between(loan, now, loan.end, here)
    assert [one.due_at for one in due if one.kind is Kind.STARTS_SOON] == [start - DAY]


@pytest.mark.parametrize("act", [Act.DECLINE, Act.SUPERSEDE, Act.EXPIRE])
async def test_the_clock_ends_requests_and_never_what_was_promised_or_is_out(
    tx: Tx, act: Act
) -> None:
    elm = await elm_street(tx)
    for loan in (await elm.out(elm.ben, 0), await elm.promised(elm.cy, 2)):
        was = loan.state, loan.version
        assert await commands.by_itself(tx, elm.here.id, loan.id, act, loan.end + DAY) is None
        assert ((await elm.fresh(loan)).state, loan.version) == was
