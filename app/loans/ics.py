"""A calendar as RFC 5545 has it: times in the community's zone, with the rules of that zone."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

from app.loans.almanac import Entry, Shown


def written(calendar: Shown, zone: str, root: str) -> bytes:
    """The bytes are the same as long as nothing changes, whoever asks and whenever."""
    made = Calendar()
    made.add("PRODID", "-//ToolShare//ToolShare//EN")
    made.add("VERSION", "2.0")
    made.add("METHOD", "PUBLISH")
    made.add("X-WR-CALNAME", calendar.name)
    made.add("X-WR-TIMEZONE", zone)
    made.add("REFRESH-INTERVAL", timedelta(hours=1), {"VALUE": "DURATION"})
    made.add("X-PUBLISHED-TTL", timedelta(hours=1))
    years = [one.start.year for one in calendar.entries]
    if years:
        last = max(one.end.year for one in calendar.entries)
        made.add_component(_timezone(zone, min(years) - 1, last + 2))
    for one in calendar.entries:
        made.add_component(_event(one, zone, root))
    text: bytes = made.to_ical()
    return text


@lru_cache(maxsize=256)
def _timezone(zone: str, first: int, last: int) -> Timezone:
    return Timezone.from_tzid(zone, first_date=date(first, 1, 1), last_date=date(last, 1, 1))


def _event(one: Entry, zone: str, root: str) -> Event:
    local = ZoneInfo(zone)
    event = Event()
    event.add("UID", one.uid)
    event.add("SEQUENCE", one.sequence)
    event.add("DTSTAMP", one.changed_at)
    event.add("LAST-MODIFIED", one.changed_at)
    event.add("DTSTART", one.start.astimezone(local))
    event.add("DTEND", one.end.astimezone(local))
    event.add("SUMMARY", one.summary)
    if one.words:
        event.add("DESCRIPTION", f"{one.words}.")
    event.add("URL", f"{root}{one.path}")
    event.add("STATUS", one.status)
    event.add("TRANSP", "OPAQUE" if one.busy else "TRANSPARENT")
    event.add("CLASS", "PRIVATE")
    return event
