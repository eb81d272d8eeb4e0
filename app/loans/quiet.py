"""An offer's countdown: it stands still in quiet hours, when people sleep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.errors import Span

OFFER = timedelta(hours=12)
BEGINS, ENDS = time(22), time(7)  # of each night, in the community's zone


def runs_out(since: datetime, zone: ZoneInfo, awake: timedelta = OFFER) -> datetime:
    """When so much time outside quiet hours has gone by."""
    at = since
    for start, end in nights(since, zone):
        if at < start and start - at >= awake:
            break
        awake -= max(start - at, timedelta())
        at = max(at, end)
    return at + awake


def left(now: datetime, until: datetime, zone: ZoneInfo) -> timedelta:
    """What the countdown still shows."""
    spent = max(until - now, timedelta())
    for start, end in within(now, until, zone):
        spent -= end - start
    return spent


def within(since: datetime, until: datetime, zone: ZoneInfo) -> list[Span]:
    """The quiet hours of a stretch of time, cut to it."""
    found = []
    for start, end in nights(since, zone):
        if start >= until:
            break
        found.append((max(start, since), min(end, until)))
    return found


def nights(since: datetime, zone: ZoneInfo) -> Iterator[Span]:
    """Each night that ends after `since`, for ever; as long as the clocks make it."""
    day = since.astimezone(zone).date() - timedelta(days=1)
    while True:
        start = datetime.combine(day, BEGINS, tzinfo=zone).astimezone(UTC)
        end = datetime.combine(day + timedelta(days=1), ENDS, tzinfo=zone).astimezone(UTC)
        if end > since:
            yield start, end
        day += timedelta(days=1)
