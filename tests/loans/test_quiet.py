"""A countdown that stands still at night, also in the two nights when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.loans import quiet

LONDON = ZoneInfo("Europe/London")
HOUR = timedelta(hours=1)


def local(text: str, zone: ZoneInfo = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-05-01T08:00", "2026-05-01T20:00"),  # a day is long enough
        ("2026-05-01T10:00", "2026-05-01T22:00"),  # just
        ("2026-05-01T13:00", "2026-05-02T10:00"),
        ("2026-05-01T21:00", "2026-05-02T18:00"),
        ("2026-05-01T23:30", "2026-05-02T19:00"),  # made at night: it begins in the morning
        ("2026-05-02T03:00", "2026-05-02T19:00"),
        ("2026-03-28T20:00", "2026-03-29T17:00"),  # the night that has eight hours
        ("2026-03-29T01:30", "2026-03-29T19:00"),  # a time that the clocks skip
        ("2026-10-24T20:00", "2026-10-25T17:00"),  # the night that has ten
        ("2026-10-25T01:30", "2026-10-25T19:00"),
        ("2028-02-28T20:00", "2028-02-29T17:00"),
    ],
)
def test_twelve_hours_outside_the_night(since: str, until: str) -> None:
    assert quiet.runs_out(local(since), LONDON) == local(until)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu"])
def test_the_night_is_the_communitys(zone: str) -> None:
    there = ZoneInfo(zone)
    since, until = local("2026-05-01T20:00", there), local("2026-05-02T17:00", there)
    assert quiet.runs_out(since, there) == until


def test_nothing_is_lost_while_people_sleep() -> None:
    since = local("2026-10-24T20:00")
    until = quiet.runs_out(since, LONDON)
    assert quiet.left(since, until, LONDON) == 12 * HOUR
    assert quiet.left(local("2026-10-24T22:00"), until, LONDON) == 10 * HOUR
    assert quiet.left(local("2026-10-25T05:00"), until, LONDON) == 10 * HOUR
    assert quiet.left(local("2026-10-25T07:30"), until, LONDON) == 9 * HOUR + HOUR / 2
    assert quiet.left(until + HOUR, until, LONDON) == timedelta()


@given(
    st.integers(0, 3 * 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.sampled_from(["Europe/London", "Pacific/Auckland", "America/New_York", "Asia/Kolkata"]),
)
def test_there_are_always_twelve_hours(since: datetime, zone: str) -> None:
    there = ZoneInfo(zone)
    until = quiet.runs_out(since, there)
    assert quiet.left(since, until, there) == quiet.OFFER
    assert 12 * HOUR <= until - since <= 22 * HOUR
