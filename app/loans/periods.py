"""What people type for a period: days, or days with times, in the community's zone."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from app import clock
from app.errors import mistyped

Period = tuple[datetime, datetime]


def period_from(start: str, end: str, start_time: str, end_time: str, zone: ZoneInfo) -> Period:
    """A half-open period. Without times both days are whole and inclusive.

    In the night when clocks go back some times come twice: a start takes the first, an end the
    second, so that nothing is shorter than it reads. Raises Refusal (422) that names the field.
    """
    first, last = _day("start", start), _day("end", end or start)
    if last < first:
        raise mistyped("end", "The last day comes before the first.", "Choose a later day.")
    if not start_time and not end_time:
        return clock.days(first, last, zone)
    lower = (
        _local("start_time", first, start_time, zone)
        if start_time
        else clock.day_start(first, zone)
    )
    upper = (
        _local("end_time", last, end_time, zone, last=True)
        if end_time
        else clock.days(last, last, zone)[1]
    )
    if upper <= lower:
        raise mistyped("end_time", "The end comes before the start.", "Choose a later time.")
    return lower, upper


def instant(
    name: str, day: str, time_of_day: str, zone: ZoneInfo, *, last: bool = False
) -> datetime:
    """One local time, in UTC; `last`: of two that read alike. Raises Refusal (422)."""
    return _local(name, _day(name, day), time_of_day, zone, last=last)


def _day(name: str, typed: str) -> date:
    if not typed:
        raise mistyped(name, "Choose a day.")
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise mistyped(name, "That is not a day.", "Write it like 2026-05-31.") from None
    if not 2000 <= day.year <= 2200:
        raise mistyped(name, "That day is too far away.", "Choose one of the next 90 days.")
    return day


def _local(name: str, day: date, typed: str, zone: ZoneInfo, *, last: bool = False) -> datetime:
    try:
        at = time.fromisoformat(typed).replace(tzinfo=None)
    except ValueError:
        raise mistyped(name, "That is not a time.", "Write it like 18:00.") from None
    instant = clock.wall(day, at, zone, last=last)
    if instant.astimezone(zone).replace(tzinfo=None) != datetime.combine(day, at):
        # In the night when clocks go forward this wall-clock time does not exist.
        raise mistyped(name, "The clocks skip that time in this night.", "Choose an hour later.")
    return instant
