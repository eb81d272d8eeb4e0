"""Whether dates fit a tool's lending rules: each answer names the rule, and what fits instead."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app import words
from app.clock import day_start, days_later, is_midnight, local_day, started_days, wall
from app.errors import Refusal, Span, mistyped
from app.tools.lending import Lending, hours, weekdays_without, windows_words

INSTANT = timedelta(microseconds=1)


def blocks(rules: Lending, start: datetime, end: datetime) -> Span:
    """What a loan takes of the calendar: its period, and the tool's rest after it."""
    return start, end + rules.buffer


def why_not_within(
    rules: Lending, start: datetime, end: datetime, now: datetime, zone: ZoneInfo, locale: str
) -> Refusal | None:
    """The first rule that these dates break. A whole day is fetched at some hour of that day."""
    return (
        _too_long(rules, start, end, zone)
        or _too_short(rules, start, end, zone)
        or _too_far(rules, end, now, zone)
        or _too_soon(rules, start, now, zone, locale)
        or _closed(rules, start, end, zone)
    )


def _too_long(rules: Lending, start: datetime, end: datetime, zone: ZoneInfo) -> Refusal | None:
    if started_days(start, end, zone) <= rules.longest_days:
        return None
    longest = words.count(rules.longest_days, "day", "days")
    return mistyped("end", f"A loan may have {longest}.", "Choose fewer days, and extend later.")


def _too_short(rules: Lending, start: datetime, end: datetime, zone: ZoneInfo) -> Refusal | None:
    """Days are days of the calendar, so that no night with a change of clocks falls short."""
    least, rest = divmod(rules.shortest_hours, 24)
    if end >= days_later(start, least, zone) + timedelta(hours=rest):
        return None
    return mistyped(
        "end", f"This is lent for at least {hours(rules.shortest_hours)}.", "Choose a later end."
    )


def _too_far(rules: Lending, end: datetime, now: datetime, zone: ZoneInfo) -> Refusal | None:
    last = local_day(now, zone) + timedelta(days=rules.horizon_days)
    if local_day(end - INSTANT, zone) <= last:
        return None
    ahead = words.count(rules.horizon_days, "day", "days")
    return mistyped("start", f"You can ask up to {ahead} ahead.", "Choose earlier dates.")


def _too_soon(
    rules: Lending, start: datetime, now: datetime, zone: ZoneInfo, locale: str
) -> Refusal | None:
    earliest = now + timedelta(hours=rules.notice_hours)
    if not rules.notice_hours or start >= earliest:
        return None
    return mistyped(
        "start",
        f"The lender wants to know {hours(rules.notice_hours)} before.",
        f"Choose a start after {words.moment(earliest, zone, locale, now)}.",
    )


def _closed(rules: Lending, start: datetime, end: datetime, zone: ZoneInfo) -> Refusal | None:
    return _not_fetched(rules, start, zone) or _not_brought(rules, end, zone)


def _not_fetched(rules: Lending, start: datetime, zone: ZoneInfo) -> Refusal | None:
    if fetched_at(rules, start, zone):
        return None
    when = windows_words(rules.windows)
    return mistyped("start", f"It can be fetched {when}.", "Choose a start in these hours.")


def _not_brought(rules: Lending, end: datetime, zone: ZoneInfo) -> Refusal | None:
    if brought_at(rules, end, zone):
        return None
    when = windows_words(rules.windows)
    return mistyped("end", f"It can be brought back {when}.", "Choose an end in these hours.")


def fetched_at(rules: Lending, start: datetime, zone: ZoneInfo) -> bool:
    """A loan that begins with its day is fetched within that day's hours."""
    if is_midnight(start, zone):
        return start.astimezone(zone).weekday() not in weekdays_without(rules.windows)
    return _in_a_window(rules, start, zone)


def brought_at(rules: Lending, end: datetime, zone: ZoneInfo) -> bool:
    if is_midnight(end, zone):
        return local_day(end - INSTANT, zone).weekday() not in weekdays_without(rules.windows)
    return _in_a_window(rules, end, zone)


def fetched_until(rules: Lending, start: datetime, zone: ZoneInfo) -> datetime:
    """The last moment at which it can be fetched on its first day.

    Where no hour was named, by the tool or by a time of day, that is the end of the day.
    """
    first = start.astimezone(zone)
    if window := rules.on(first.weekday()):
        return max(start, wall(first.date(), window.closes, zone, last=True))
    return day_start(first.date() + timedelta(days=1), zone) if is_midnight(start, zone) else start


def _in_a_window(rules: Lending, at: datetime, zone: ZoneInfo) -> bool:
    return not rules.windows or any(one.holds(at.astimezone(zone)) for one in rules.windows)


def why_not_instead(
    rules: Lending, was: Span, period: Span, now: datetime, zone: ZoneInfo, locale: str
) -> Refusal | None:
    """What a lender wishes of a loan, asked of other dates for it; only of what is new in them.

    Who knows the start already needs no notice of a later one.
    """
    (start, end), shorter = period, period[1] - period[0] < was[1] - was[0]
    return (
        (_too_short(rules, start, end, zone) if shorter else None)
        or (_too_soon(rules, start, now, zone, locale) if start < was[0] else None)
        or (_not_fetched(rules, start, zone) if start != was[0] else None)
        or (_not_brought(rules, end, zone) if end != was[1] else None)
    )


def why_not_unsafe(rules: Lending, accepted: bool) -> Refusal | None:
    """Whoever asks for a dangerous tool has read how to use it."""
    if not rules.safety or accepted:
        return None
    return mistyped(
        "accept_safety",
        f"This tool can hurt: {rules.safety}",
        "Read this and tick that you have.",
    )
