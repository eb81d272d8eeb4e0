"""Times, periods and prices as neighbours read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import clock, words

ZONE = ZoneInfo("Europe/London")
BERLIN, SANTIAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Santiago")
GB = "en-GB"
NOW = datetime(2026, 5, 1, 11, tzinfo=UTC)  # a Friday, noon in London


def at(day: int, hour: int = 0, minute: int = 0, month: int = 5) -> datetime:
    """Wall-clock time in London."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (at(3), at(4), "Sun 3 May"),
        (at(3), at(6), "Sun 3 May – Tue 5 May"),
        (at(3, 9), at(3, 12), "Sun 3 May 09:00–12:00"),
        (at(3, 9), at(5, 12, 30), "Sun 3 May 09:00 – Tue 5 May 12:30"),
        (at(3), at(3, 12), "Sun 3 May 00:00–12:00"),
        (at(31), at(1, month=6) + timedelta(days=1), "Sun 31 May – Mon 1 Jun"),
        (at(1), at(2), "today"),
        (at(1), at(3), "today – tomorrow"),
        (at(2, 9), at(2, 12), "tomorrow 09:00–12:00"),
        (at(1) - timedelta(days=1), at(1), "yesterday"),
    ],
)
def test_a_period_is_said_as_short_as_it_can_be(start: datetime, end: datetime, said: str) -> None:
    assert words.period(start, end, ZONE, GB, NOW) == said


def test_without_a_present_a_period_says_its_dates() -> None:
    assert words.period(at(1), at(3), ZONE, GB) == "Fri 1 May – Sat 2 May"


def test_another_year_is_named() -> None:
    start, end = clock.days(date(2027, 1, 2), date(2027, 1, 3), ZONE)
    assert words.period(start, end, ZONE, GB, NOW) == "Sat 2 Jan 2027 – Sun 3 Jan 2027"


@pytest.mark.parametrize(
    ("zone", "day", "said"),
    [
        (BERLIN, date(2026, 3, 29), "Sun 29 Mar"),
        (BERLIN, date(2026, 10, 25), "Sun 25 Oct"),
        (SANTIAGO, date(2026, 9, 6), "Sun 6 Sept"),
        (SANTIAGO, date(2026, 4, 4), "Sat 4 Apr"),
    ],
)
def test_a_day_on_which_clocks_change_is_still_a_day(zone: ZoneInfo, day: date, said: str) -> None:
    assert words.period(*clock.days(day, day, zone), zone, GB, NOW) == said


def test_the_same_instants_are_other_hours_elsewhere() -> None:
    assert words.period(at(3, 23), at(4, 1), ZONE, GB) == "Sun 3 May 23:00 – Mon 4 May 01:00"
    assert words.period(at(3, 23), at(4, 1), BERLIN, GB) == "Mon 4 May 00:00–02:00"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (at(2), "the end of today"),
        (at(3), "tomorrow"),
        (at(5), "Mon 4 May"),
        (at(1, 18), "today 18:00"),
        (at(4, 9), "Mon 4 May 09:00"),
        (at(1), "yesterday"),
    ],
)
def test_an_end_is_named_by_its_last_day(end: datetime, said: str) -> None:
    assert words.until(end, ZONE, GB, NOW) == said


def test_a_start_is_a_day_or_a_day_and_a_time() -> None:
    assert words.since(at(2), ZONE, GB, NOW) == "tomorrow"
    assert words.since(at(2, 9), ZONE, GB, NOW) == "tomorrow 09:00"


@pytest.mark.parametrize(
    ("cents", "currency", "locale", "said"),
    [
        (0, "EUR", GB, "Free"),
        (250, "EUR", GB, "€2.50"),
        (300, "EUR", GB, "€3"),
        (1, "EUR", GB, "€0.01"),
        (100_000, "GBP", GB, "£1,000"),
        (500, "JPY", GB, "JP¥500"),
    ],
)
def test_money_is_said_without_needless_cents(
    cents: int, currency: str, locale: str, said: str
) -> None:
    assert words.money(cents, currency, locale) == said


def test_a_price_is_for_a_day_and_free_is_only_free() -> None:
    assert words.price_per_day(250, "EUR", GB) == "€2.50 a day"
    assert words.price_per_day(0, "EUR", GB) == "Free"


def test_one_is_singular() -> None:
    assert [words.count(n, "tool", "tools") for n in (0, 1, 2)] == ["0 tools", "1 tool", "2 tools"]
