"""The lending rules of a tool: each with the sentence that refuses, in any zone and night."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.db import Tx
from app.errors import Conflict, Refusal
from app.loans import choosing, commands, handover
from app.loans.states import State
from app.tools import commands as tools
from app.tools import lending
from app.tools.lending import Lending, Window
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

LONDON, BERLIN = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
EVENINGS = tuple(Window(day, time(17), time(20)) for day in range(5))
SATURDAY = Window(5, time(9), time(12))


def why_not(
    rules: Lending, start: datetime, end: datetime, now: datetime = NOW, zone: ZoneInfo = LONDON
) -> str:
    """The sentence with its way out; '' where the dates fit."""
    refusal = choosing.why_not_within(rules, start, end, now, zone, "en-GB")
    return f"{refusal.sentence} {refusal.way_out}" if refusal else ""


def days(first: int, last: int, zone: ZoneInfo = LONDON) -> tuple[datetime, datetime]:
    today = clock.local_day(NOW, zone)
    return clock.days(today + first * DAY, today + last * DAY, zone)


@pytest.mark.parametrize(
    ("rules", "first", "last", "sentence"),
    [
        (Lending(), 1, 7, ""),
        (Lending(), 1, 8, "A loan may have 7 days. Choose fewer days, and extend later."),
        (Lending(longest_days=1), 1, 2, "A loan may have 1 day."),
        (Lending(shortest_hours=48), 1, 2, ""),
        (Lending(shortest_hours=48), 1, 1, "This is lent for at least 2 days."),
        (Lending(), 90, 90, ""),
        (Lending(), 91, 91, "You can ask up to 90 days ahead."),
        (Lending(horizon_days=14), 14, 15, "You can ask up to 14 days ahead."),
        (Lending(notice_hours=24), 2, 2, ""),
        (
            Lending(notice_hours=24),
            1,
            1,
            "The lender wants to know 1 day before. Choose a start after tomorrow 13:00.",
        ),
        (Lending(windows=EVENINGS), 3, 4, ""),
        (Lending(windows=EVENINGS), 1, 3, "It can be fetched Mon–Fri 17:00–20:00."),
        (Lending(windows=EVENINGS), 3, 8, "It can be brought back Mon–Fri 17:00–20:00."),
        (Lending(windows=(SATURDAY,)), 1, 1, ""),
    ],
)
def test_whole_days_are_held_to_each_rule(
    rules: Lending, first: int, last: int, sentence: str
) -> None:
    """Today is Friday, 1 May 2026, 13:00 in London."""
    said = why_not(rules, *days(first, last))
    assert said.startswith(sentence) if sentence else not said


@pytest.mark.parametrize(
    ("opens", "closes", "sentence"),
    [
        (time(17), time(20), ""),
        (time(16, 59), time(20), "It can be fetched"),
        (time(17), time(20, 1), "It can be brought back"),
        (time(17), time(17), "This is lent for at least 2 hours."),
        (time(18), time(19, 59), "This is lent for at least 2 hours."),
    ],
)
def test_hours_are_held_to_windows_and_shortest(opens: time, closes: time, sentence: str) -> None:
    rules = Lending(windows=EVENINGS, shortest_hours=2)
    monday = clock.local_day(NOW, LONDON) + 3 * DAY
    start, end = (datetime.combine(monday, at, tzinfo=LONDON) for at in (opens, closes))
    said = why_not(rules, start, end)
    assert said.startswith(sentence) if sentence else not said


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (BERLIN, date(2026, 3, 29)),  # 23 hours
        (BERLIN, date(2026, 10, 25)),  # 25 hours
        (NEW_YORK, date(2026, 3, 8)),
        (NEW_YORK, date(2026, 11, 1)),
    ],
)
def test_a_day_is_a_day_in_both_nights_when_clocks_change(zone: ZoneInfo, day: date) -> None:
    start, end = clock.days(day, day, zone)
    now = start - 2 * DAY
    assert not why_not(Lending(shortest_hours=24, longest_days=1), start, end, now, zone)
    sundays = Lending(windows=(Window(6, time(1), time(23)),))
    assert not why_not(sundays, start, end, now, zone)
    before = clock.days(day - DAY, day, zone)
    assert "fetched Sun" in why_not(sundays, *before, now, zone)


def test_a_window_stands_in_wall_clock_time_on_either_side_of_the_change() -> None:
    rules = Lending(windows=(Window(5, time(9), time(12)), Window(6, time(9), time(12))))
    for day in (date(2026, 3, 28), date(2026, 3, 29)):
        start, end = (datetime.combine(day, time(at), tzinfo=BERLIN) for at in (9, 12))
        now = datetime(2026, 3, 27, tzinfo=UTC)
        assert not why_not(rules, start.astimezone(UTC), end.astimezone(UTC), now, BERLIN)
        early = (start - HOUR).astimezone(UTC)
        assert "fetched Sat–Sun" in why_not(rules, early, end.astimezone(UTC), now, BERLIN)


def test_west_of_greenwich_the_day_is_the_one_on_the_wall_there() -> None:
    """At 22:30 on Friday in New York it is Saturday in UTC."""
    friday = Lending(windows=(Window(4, time(20), time(23)),))
    start = datetime(2026, 5, 1, 22, 30, tzinfo=NEW_YORK)
    end = start + timedelta(minutes=30)
    assert not why_not(friday, start.astimezone(UTC), end.astimezone(UTC), NOW, NEW_YORK)
    assert "fetched Fri" in why_not(friday, start + DAY, end + DAY, NOW, NEW_YORK)


def test_the_rules_are_said_in_words() -> None:
    rules = Lending(2, 3, 24, 30, 1, (*EVENINGS, SATURDAY), 2000, True)
    assert lending.in_words(rules, "GBP", "en-GB") == [
        "For up to 3 days at a time",
        "For at least 2 hours",
        "Up to 30 days ahead",
        "Ask at least 1 day before",
        "Fetch it and bring it back Mon–Fri 17:00–20:00, Sat 09:00–12:00",
        "It rests for 1 hour after each loan",
        "£20 deposit, from hand to hand: no money goes through ToolShare",
        "Whom the lender trusts has it at once, if nobody else has asked",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        Lending(longest_days=0),
        Lending(horizon_days=181),
        Lending(buffer_hours=-1),
        Lending(shortest_hours=49, longest_days=2),
        Lending(windows=(SATURDAY, SATURDAY)),
        Lending(windows=(Window(0, time(20), time(17)),)),
        Lending(deposit_cents=100_001),
        Lending(safety="!" * 1001),
    ],
)
def test_rules_that_make_no_sense_are_not_kept(wrong: Lending) -> None:
    with pytest.raises(Refusal) as refused:
        lending.check(wrong)
    assert refused.value.status == 422
    assert refused.value.field_name


async def lent_so(elm: Elm, rules: Lending) -> None:
    await tools.set_terms(elm.tx, elm.drill, rules, elm.ada, NOW)


async def test_a_morning_and_an_evening_loan_of_one_day(tx: Tx) -> None:
    elm = await elm_street(tx)
    start, _ = elm.days(1)
    for who, opens, closes in ((elm.ben, 8, 12), (elm.cy, 12, 20)):
        loan = await elm.asked_at(who, start + opens * HOUR, start + closes * HOUR)
        assert (await commands.approve(tx, loan.id, elm.ada, NOW)).state == State.APPROVED


async def test_a_request_within_the_rules_of_yesterday_can_still_be_approved(tx: Tx) -> None:
    """What was asked for is the lender's to judge; only what is taken cannot be given."""
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1, 5)
    await lent_so(elm, Lending(longest_days=1))
    assert (await commands.approve(tx, loan.id, elm.ada, NOW)).state == State.APPROVED
    with pytest.raises(Refusal, match="A loan may have 1 day"):
        await elm.asked(elm.cy, 7, 8)


async def test_the_rest_after_a_loan_is_nobodys(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lent_so(elm, Lending(buffer_hours=2))
    start, _ = elm.days(1)
    first = await elm.asked_at(elm.ben, start + 8 * HOUR, start + 12 * HOUR)
    loser = await elm.asked_at(elm.cy, start + 13 * HOUR, start + 15 * HOUR)
    await commands.approve(tx, first.id, elm.ada, NOW)
    assert first.end == start + 12 * HOUR, "the loan's own period has no rest in it"
    assert (await elm.fresh(loser)).state == State.SUPERSEDED
    for opens, closes in ((13, 15), (5, 7)):  # in its rest; and with its own rest into it
        with pytest.raises(Conflict, match="has the tool") as refused:
            await elm.asked_at(elm.cy, start + opens * HOUR, start + closes * HOUR)
        assert refused.value.free
    second = await elm.asked_at(elm.cy, start + 14 * HOUR, start + 15 * HOUR)
    assert (await commands.approve(tx, second.id, elm.ada, NOW)).state == State.APPROVED


async def test_what_is_back_early_rests_from_then_on(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lent_so(elm, Lending(buffer_hours=2))
    loan = await elm.out(elm.ben, 0, 2)
    later = NOW + 5 * HOUR
    await handover.take_back(tx, loan.id, elm.ada, later)
    with pytest.raises(Conflict):
        await elm.asked_at(elm.cy, later + HOUR, later + 3 * HOUR, now=later)
    assert await elm.asked_at(elm.cy, later + 2 * HOUR, later + 3 * HOUR, now=later)


async def test_an_early_hand_over_keeps_the_rest_after_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lent_so(elm, Lending(buffer_hours=2))
    start, _ = elm.days(1)
    loan = await elm.asked_at(elm.ben, start + 8 * HOUR, start + 10 * HOUR)
    await commands.approve(tx, loan.id, elm.ada, NOW)
    await handover.hand_over(tx, loan.id, elm.ada, NOW + HOUR)
    with pytest.raises(Conflict):
        await elm.asked_at(elm.cy, start + 11 * HOUR, start + 12 * HOUR, now=NOW + HOUR)


async def test_who_asks_for_a_dangerous_tool_accepts_its_note(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lent_so(elm, Lending(safety="It kicks back.", deposit_cents=5000))
    with pytest.raises(Refusal, match="It kicks back") as refused:
        await elm.asked(elm.ben, 1)
    assert refused.value.field_name == "accept_safety"
    loan = await commands.request(tx, elm.drill.id, *elm.days(1), elm.ben, NOW, accept_safety=True)
    await lent_so(elm, Lending(safety="It is tame now."))
    assert loan.safety == "It kicks back.", "what was accepted is kept"
    assert loan.deposit_cents == 5000, "as it was when they agreed"
