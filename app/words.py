"""Times, periods and prices as people say them, in a community's zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

from app.clock import is_midnight, local_day


def _locale(locale: str) -> str:
    return locale.replace("-", "_")


def day(on: date, locale: str, today: date | None = None) -> str:
    """'Sat 3 May'; with the year if it is another one; 'today', 'tomorrow' if `today` is given."""
    if today is not None:
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((on - today).days)
        if near:
            return near
    years = today is not None and on.year != today.year
    return format_date(on, "EEE d MMM y" if years else "EEE d MMM", locale=_locale(locale))


def clock_time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def moment(at: datetime, zone: ZoneInfo, locale: str, now: datetime | None = None) -> str:
    """'today 18:00', 'Sat 3 May 18:00'; without `now` always the date."""
    today = None if now is None else local_day(now, zone)
    return f"{day(local_day(at, zone), locale, today)} {clock_time(at, zone)}"


def until(end: datetime, zone: ZoneInfo, locale: str, now: datetime | None = None) -> str:
    """The end of a half-open period: a whole day is named by its last day, else by the time."""
    today = None if now is None else local_day(now, zone)
    if is_midnight(end, zone):
        last = local_day(end - timedelta(microseconds=1), zone)
        return (
            f"the end of {day(last, locale, today)}" if last == today else day(last, locale, today)
        )
    return moment(end, zone, locale, now)


def since(start: datetime, zone: ZoneInfo, locale: str, now: datetime | None = None) -> str:
    """The start of a period: a day where it begins at midnight, else day and time."""
    today = None if now is None else local_day(now, zone)
    if is_midnight(start, zone):
        return day(local_day(start, zone), locale, today)
    return moment(start, zone, locale, now)


def period(
    start: datetime, end: datetime, zone: ZoneInfo, locale: str, now: datetime | None = None
) -> str:
    """'Sat 3 May', 'Sat 3 – Mon 5 May', 'Sat 3 May 09:00–12:00', …"""
    today = None if now is None else local_day(now, zone)
    first, last = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
    if is_midnight(start, zone) and is_midnight(end, zone):
        if first == last:
            return day(first, locale, today)
        return f"{day(first, locale, today)} – {day(last, locale, today)}"
    if first == local_day(end, zone):
        span = f"{clock_time(start, zone)}–{clock_time(end, zone)}"
        return f"{day(first, locale, today)} {span}"
    return f"{moment(start, zone, locale, now)} – {moment(end, zone, locale, now)}"


def money(cents: int, currency: str, locale: str) -> str:
    """'Free' or '€2.50'; whole amounts without decimals."""
    if cents == 0:
        return "Free"
    digits = get_currency_precision(currency)
    whole = cents % 10**digits == 0
    return format_currency(
        cents / 10**digits,
        currency,
        "¤#,##0" if whole else None,
        locale=_locale(locale),
        currency_digits=not whole,
    )


@lru_cache(maxsize=1024)  # a board says the same few prices again and again
def price_per_day(cents: int, currency: str, locale: str) -> str:
    return "Free" if cents == 0 else f"{money(cents, currency, locale)} a day"


def count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def minutes_left(until: datetime, now: datetime) -> str:
    """'3 minutes', rounded up; never none."""
    return count(max(1, -int((now - until).total_seconds() // 60)), "minute", "minutes")
