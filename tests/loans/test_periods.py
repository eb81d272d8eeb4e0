"""What neighbours type for a period, and the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.errors import Refusal
from app.loans.periods import instant, period_from

LONDON, BERLIN = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
NEW_YORK, SANTIAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Santiago")
HOUR = timedelta(hours=1)


def test_two_days_are_whole_and_inclusive() -> None:
    start, end = period_from("2026-01-03", "2026-01-05", "", "", LONDON)
    assert start == datetime(2026, 1, 3, tzinfo=UTC)
    assert end == datetime(2026, 1, 6, tzinfo=UTC)
    assert clock.started_days(start, end, LONDON) == 3


def test_one_day_is_enough() -> None:
    assert period_from("2026-01-03", "", "", "", LONDON) == period_from(
        "2026-01-03", "2026-01-03", "", "", LONDON
    )


def test_times_are_the_wall_clock_of_the_community() -> None:
    start, end = period_from("2026-05-03", "2026-05-03", "09:00", "18:30", BERLIN)
    assert start == datetime(2026, 5, 3, 7, tzinfo=UTC)
    assert end == datetime(2026, 5, 3, 16, 30, tzinfo=UTC)


def test_one_time_alone_leaves_the_other_day_whole() -> None:
    start, end = period_from("2026-01-03", "2026-01-04", "18:00", "", LONDON)
    assert (start, end) == (
        datetime(2026, 1, 3, 18, tzinfo=UTC),
        datetime(2026, 1, 5, tzinfo=UTC),
    )
    start, end = period_from("2026-01-03", "2026-01-04", "", "12:00", LONDON)
    assert (start, end) == (
        datetime(2026, 1, 3, tzinfo=UTC),
        datetime(2026, 1, 4, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, "2026-03-29", 23),
        (BERLIN, "2026-10-25", 25),
        (NEW_YORK, "2026-03-08", 23),
        (NEW_YORK, "2026-11-01", 25),
        (SANTIAGO, "2026-09-06", 23),
        (SANTIAGO, "2026-04-04", 25),
        (BERLIN, "2026-05-03", 24),
    ],
)
def test_a_day_has_as_many_hours_as_the_neighbours_live_through(
    zone: ZoneInfo, day: str, hours: int
) -> None:
    start, end = period_from(day, day, "", "", zone)
    assert end - start == hours * HOUR
    assert clock.started_days(start, end, zone) == 1
    assert clock.is_midnight(start, zone)
    assert clock.is_midnight(end, zone)


@pytest.mark.parametrize(("zone", "day"), [(BERLIN, "2026-03-29"), (NEW_YORK, "2026-03-08")])
def test_a_time_that_the_clocks_skip_is_refused_where_it_was_typed(
    zone: ZoneInfo, day: str
) -> None:
    for field, times in (("start_time", ("02:30", "09:00")), ("end_time", ("01:00", "02:30"))):
        with pytest.raises(Refusal, match="skip") as refused:
            period_from(day, day, *times, zone)
        assert (refused.value.field_name, refused.value.status) == (field, 422)


def test_a_loan_over_the_night_when_clocks_go_forward_ends_when_the_wall_clock_says() -> None:
    start, end = period_from("2026-03-28", "2026-03-29", "18:00", "10:00", BERLIN)
    assert end - start == 15 * HOUR
    assert end.astimezone(BERLIN).hour == 10


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("02:30", "04:00", 2.5),  # from the first of the two
        ("01:00", "02:30", 2.5),  # to the second
        ("02:30", "02:45", 1.25),
        ("02:45", "02:30", 0.75),
        ("03:00", "04:00", 1),
    ],
)
def test_of_a_time_that_comes_twice_a_start_takes_the_first_and_an_end_the_second(
    start: str, end: str, hours: float
) -> None:
    first, last = period_from("2026-10-25", "2026-10-25", start, end, BERLIN)
    assert last - first == hours * HOUR, "never shorter than it reads"


def test_an_end_alone_takes_the_second_and_what_really_happened_the_first() -> None:
    until = instant("end", "2026-10-25", "02:30", BERLIN, last=True)
    assert until == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert instant("out_at", "2026-10-25", "02:30", BERLIN) == until - HOUR


def test_the_same_time_a_day_later_is_the_last_of_two_for_an_end() -> None:
    before = datetime(2026, 10, 24, 0, 30, tzinfo=UTC)
    assert clock.days_later(before, 1, BERLIN) == before + 24 * HOUR
    assert clock.days_later(before, 1, BERLIN, last=True) == before + 25 * HOUR
    second = before + 25 * HOUR
    assert clock.days_later(second, 0, BERLIN) == second


def test_the_leap_day_is_a_day_in_leap_years_only() -> None:
    start, end = period_from("2028-02-28", "2028-02-29", "", "", LONDON)
    assert clock.local_day(end, LONDON) == date(2028, 3, 1)
    assert clock.started_days(start, end, LONDON) == 2
    with pytest.raises(Refusal, match="not a day"):
        period_from("2027-02-28", "2027-02-29", "", "", LONDON)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("", "2026-05-03", "", ""), "start"),
        (("2026-05-03", "2026-05-02", "", ""), "end"),
        (("2026-05-03", "2026-05-03", "18:00", "09:00"), "end_time"),
        (("2026-05-03", "2026-05-03", "18:00", "18:00"), "end_time"),
        (("3 May", "2026-05-03", "", ""), "start"),
        (("2026-05-03", "soon", "", ""), "end"),
        (("2026-13-01", "", "", ""), "start"),
        (("2026-05-03\x00", "", "", ""), "start"),
        (("٢٠٢٦-٠٥-٠٣", "", "", ""), "start"),
        (("0001-01-01", "", "", ""), "start"),
        (("2026-05-03", "9999-12-31", "", ""), "end"),
        (("2026-05-03", "2026-05-03", "25:00", ""), "start_time"),
        (("2026-05-03", "2026-05-03", "09:00", "noon"), "end_time"),
        (("2026-05-03", "2026-05-03", "\x00", ""), "start_time"),
    ],
)
def test_what_is_no_period_is_refused_and_names_its_field(
    typed: tuple[str, str, str, str], field: str
) -> None:
    with pytest.raises(Refusal) as refused:
        period_from(*typed, LONDON)
    assert (refused.value.field_name, refused.value.status) == (field, 422)
    assert refused.value.sentence.endswith(".")
