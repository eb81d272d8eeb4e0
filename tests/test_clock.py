"""Instants and local days, on both sides of every kind of midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from tests.clocks import Clock

BERLIN, SANTIAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Santiago")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Africa/Cairo", "Asia/Tokyo"]
).map(ZoneInfo)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
MICROSECOND = timedelta(microseconds=1)


@given(DAYS, ZONES)
def test_a_day_begins_where_the_day_before_has_ended(day: date, zone: ZoneInfo) -> None:
    start, end = clock.days(day, day, zone)
    assert clock.local_day(start, zone) == day
    assert clock.local_day(end - MICROSECOND, zone) == day
    assert clock.local_day(start - MICROSECOND, zone) == day - timedelta(days=1)
    assert clock.is_midnight(start, zone)
    assert clock.is_midnight(end, zone)
    assert timedelta(hours=23) <= end - start <= timedelta(hours=25)


@given(DAYS, st.integers(1, 30), ZONES)
def test_whole_days_cost_as_many_days_as_they_are(day: date, many: int, zone: ZoneInfo) -> None:
    start, end = clock.days(day, day + timedelta(days=many - 1), zone)
    assert clock.started_days(start, end, zone) == many


def test_a_started_day_counts() -> None:
    evening = datetime(2026, 5, 3, 20, tzinfo=UTC)
    assert clock.started_days(evening, evening + timedelta(hours=1), BERLIN) == 1
    assert clock.started_days(evening, evening + timedelta(hours=3), BERLIN) == 2
    assert clock.started_days(evening, evening, BERLIN) == 1


def test_where_the_clocks_skip_midnight_the_day_begins_at_one() -> None:
    start = clock.day_start(date(2026, 9, 6), SANTIAGO)
    assert start.astimezone(SANTIAGO).hour == 1
    assert clock.is_midnight(start, SANTIAGO)


@pytest.mark.parametrize("microseconds", [-1, 1])
def test_nearly_midnight_is_not_midnight(microseconds: int) -> None:
    at = clock.day_start(date(2026, 5, 3), BERLIN) + timedelta(microseconds=microseconds)
    assert not clock.is_midnight(at, BERLIN)


def test_the_present_is_in_utc_and_a_test_may_move_it(the_clock: Clock) -> None:
    before = clock.now()
    assert before.tzinfo is UTC
    after = the_clock.move(timedelta(days=3))
    assert timedelta(days=3) <= after - before < timedelta(days=3, minutes=1)
