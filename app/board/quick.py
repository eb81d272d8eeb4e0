"""The quick choices of a tool's page, and what a choice comes to: its words, price and deposit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from app import clock, words
from app.board import calendar
from app.board.queries import Seen
from app.errors import Refusal, Span
from app.loans import choosing, periods, rules
from app.people.viewer import Here
from app.tools.lending import Lending
from app.tools.models import Tool, ToolStatus
from app.tools.occupied import Hold, free_ranges

HOURS = 2
QUARTER = timedelta(minutes=15)
EVENING = (time(18), time(22))
EVENING_UNTIL = time(20)  # later than this there is too little left of it
TYPED = ("start", "end", "start_time", "end_time")


@dataclass(frozen=True)
class Quick:
    """A link that fills the form in: two days, and times where it is a part of a day; or `hours`
    from now on.

    It is drawn for everybody and for a while, so it says nothing of the very moment: `possible`
    are the instants between which it can be chosen, and pages compare them with the clock.
    """

    name: str
    label: str
    when: str
    taken: bool
    possible: Sequence[Span]
    start: str = ""
    end: str = ""
    start_time: str = ""
    end_time: str = ""
    hours: int = 0

    @property
    def query(self) -> str:
        if self.hours:
            return urlencode({"hours": self.hours})
        typed = {name: getattr(self, name) for name in TYPED}
        return urlencode({name: value for name, value in typed.items() if value})

    @property
    def while_possible(self) -> str:
        """Seconds of the epoch: from/until, half open."""
        return " ".join(
            f"{int(start.timestamp())}/{int(end.timestamp())}" for start, end in self.possible
        )


def choices(one: Seen, here: Here, now: datetime, locale: str) -> list[Quick]:
    """Those that the tool's rules allow on this day, each always in its place; some are taken."""
    if one.status != ToolStatus.LISTED:
        return []
    lending, busy = one.tool.lending, calendar.blocked(one, here, now)
    today = clock.day_start(clock.local_day(now, here.zone), here.zone)
    hours = _hours(lending, busy, here, now)
    found = [hours] if hours else []
    for name, label, start, end, until in _offered(here, now):
        if lending.notice_hours:
            until = min(until, start - timedelta(hours=lending.notice_hours))
        unhurried = replace(lending, notice_hours=0)
        wrong = choosing.why_not_within(unhurried, start, end, now, here.zone, locale)
        if wrong or until <= today:
            continue
        lower, upper = choosing.blocks(lending, max(start, now), end)
        taken = any(begins < upper and lower < ends for begins, ends in busy)
        found.append(_quick(name, label, (start, end), taken, (today, until), here, locale))
    return found


def _offered(here: Here, now: datetime) -> Iterator[tuple[str, str, datetime, datetime, datetime]]:
    """Name, label, start, end, and until when it is worth choosing."""
    today = clock.local_day(now, here.zone)
    opens, closes, late = (clock.wall(today, at, here.zone) for at in (*EVENING, EVENING_UNTIL))
    yield "evening", "This evening", opens, closes, late
    tomorrow = clock.days(today + timedelta(days=1), today + timedelta(days=1), here.zone)
    yield "tomorrow", "Tomorrow", *tomorrow, tomorrow[0]
    saturday, sunday = _weekend(today)
    weekend = clock.days(saturday, sunday, here.zone)
    yield "weekend", "The weekend", *weekend, clock.days(saturday, saturday, here.zone)[1]


def _hours(lending: Lending, busy: Sequence[Span], here: Here, now: datetime) -> Quick | None:
    """Two hours from the next quarter on, wherever today they fit."""
    length = timedelta(hours=HOURS)
    if lending.notice_hours or lending.shortest_hours > HOURS:
        return None
    today = clock.local_day(now, here.zone)
    opens, closes = clock.day_start(today, here.zone), clock.days(today, today, here.zone)[1]
    last = closes  # from then on it is tomorrow
    if lending.longest_days > 1:  # else it ends with its day
        closes += length
    if lending.windows:
        window = lending.on(today.weekday())
        if window is None:
            return None
        opens = clock.wall(today, window.opens, here.zone)
        closes = clock.wall(today, window.closes, here.zone, last=True)
    taken = [(begins - lending.buffer, ends) for begins, ends in busy]
    free = [
        (begins, min(_this_quarter(ends - length), last))
        for begins, ends in free_ranges(taken, opens, closes)
    ]
    possible = [(begins, until) for begins, until in free if begins < until]
    return Quick("hours", f"{HOURS} hours", "from now on", not possible, possible, hours=HOURS)


def from_now(hours: int, here: Here, now: datetime) -> dict[str, str]:
    """What to fill the form in with for so many hours from the next quarter on."""
    start = _next_quarter(now).astimezone(here.zone)
    end = (start.astimezone(UTC) + timedelta(hours=hours)).astimezone(here.zone)
    said = (start.date().isoformat(), end.date().isoformat(), f"{start:%H:%M}", f"{end:%H:%M}")
    return dict(zip(TYPED, said, strict=True))


def _next_quarter(now: datetime) -> datetime:
    """Quarters of UTC's hours: those of each zone, too, for their offsets are whole quarters."""
    whole = _this_quarter(now)
    return whole if whole == now else whole + QUARTER


def _this_quarter(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0, minute=at.minute - at.minute % 15)


def _weekend(today: date) -> tuple[date, date]:
    """The one that has not begun, or begins today."""
    saturday = today + timedelta(days=(5 - today.weekday()) % 7)
    return saturday, saturday + timedelta(days=1)


def _quick(
    name: str, label: str, dates: Span, taken: bool, possible: Span, here: Here, locale: str
) -> Quick:
    start, end = dates
    when = words.period(start, end, here.zone, locale)
    lower, upper = start.astimezone(here.zone), end.astimezone(here.zone)
    last = clock.local_day(end - choosing.INSTANT, here.zone)
    days = lower.date().isoformat(), last.isoformat()
    if clock.is_midnight(start, here.zone) and clock.is_midnight(end, here.zone):
        return Quick(name, label, when, taken, [possible], *days)
    return Quick(name, label, when, taken, [possible], *days, f"{lower:%H:%M}", f"{upper:%H:%M}")


@dataclass(frozen=True)
class Choice:
    """What stands under the dates once some are chosen: what they cost, and whether they fit."""

    words: str = ""
    price: str = ""
    deposit: str = ""
    why_not: Refusal | None = None
    note: Refusal | None = None  # why they are not held; they can be asked for all the same
    hold_words: str = ""
    hold: Hold | None = None

    @property
    def held(self) -> str:
        """Names the held dates, so that a page frees no others than its own."""
        return f"{self.hold.start.isoformat()}/{self.hold.end.isoformat()}" if self.hold else ""


def choice(
    tool: Tool,
    period: Span | None,
    hold: Hold | None,
    here: Here,
    now: datetime,
    locale: str,
    *,
    why_not: Refusal | None = None,
    note: Refusal | None = None,
) -> Choice:
    held = ""
    if hold is not None:
        ends = max(hold.end - tool.lending.buffer, hold.start + timedelta(minutes=1))
        held = words.period(hold.start, ends, here.zone, locale, now)
    if period is None or why_not is not None:
        return Choice(why_not=why_not, hold=hold, hold_words=held)
    days = words.count(clock.started_days(*period, here.zone), "day", "days")
    price = words.money(rules.price(tool, *period, here), here.currency, locale)
    return Choice(
        words=words.period(*period, here.zone, locale, now),
        price=f"{days}: {price}" if tool.price_cents else f"{days}, free",
        deposit=words.money(tool.deposit_cents, here.currency, locale)
        if tool.deposit_cents
        else "",
        note=note,
        hold=hold,
        hold_words=held,
    )


def typed_period(typed: dict[str, str], here: Here) -> Span | None:
    """None while nothing is chosen. Raises Refusal for what is no period."""
    if not typed.get("start"):
        return None
    start, end, start_time, end_time = (typed.get(name, "") for name in TYPED)
    return periods.period_from(start, end, start_time, end_time, here.zone)
