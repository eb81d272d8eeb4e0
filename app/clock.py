"""The only clock: UTC instants, and days in a community's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from app.settings import settings


@cache
def zones() -> tuple[str, ...]:
    """The names of all time zones, sorted. They come from hundreds of files: read once."""
    return tuple(sorted(available_timezones()))


def now() -> datetime:
    """The present instant in UTC; tests shift it for all processes through CLOCK_FILE."""
    return datetime.now(UTC) + _shift()


def _shift() -> timedelta:
    if settings.clock_file is None:
        return timedelta()
    try:
        return timedelta(seconds=float(settings.clock_file.read_text() or 0))
    except FileNotFoundError:
        return timedelta()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins, in UTC (DST days have 23 or 25 hours)."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def at_wall(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When the clock on the wall first says so much, in UTC: of a double hour the first one, and of
    a time that the clocks skip the moment at which they jump.
    """
    local = datetime.combine(day, at)
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return found
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while found - before > timedelta(seconds=1):  # the jump lies between the two
        middle = before + (found - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            before = middle
        else:
            found = middle
    return found.replace(microsecond=0)


def days(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Two inclusive local days as the half-open pair of instants they cover."""
    return day_start(first, zone), day_start(last + timedelta(days=1), zone)


def wall(day: date, at: time, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """What a local clock shows, in UTC; of a time that comes twice in a night the first, or the
    last. A time that the clocks skip is an hour later.
    """
    first, second = (
        datetime.combine(day, at.replace(fold=fold, tzinfo=None), tzinfo=zone).astimezone(UTC)
        for fold in (0, 1)
    )
    return max(first, second) if last else first


def days_later(at: datetime, days: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The same time of day so many local days later, whatever the clocks do between; `last`: of
    two that read alike.
    """
    local = at.astimezone(zone)
    day = local.date() + timedelta(days=days)
    if last:
        return wall(day, local.time(), zone, last=True)
    return datetime.combine(day, local.time(), tzinfo=zone).astimezone(UTC)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def is_midnight(at: datetime, zone: ZoneInfo) -> bool:
    """Whether a local day begins here; where the clocks skip midnight, it begins at one."""
    return at == day_start(local_day(at, zone), zone)


def started_days(start: datetime, end: datetime, zone: ZoneInfo) -> int:
    """How many local days a half-open period touches: what the price counts."""
    last = local_day(end - timedelta(microseconds=1), zone)
    return max(1, (last - local_day(start, zone)).days + 1)
