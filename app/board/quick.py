"""The quick choices of a tool's page, and what a choice comes to: its words, price and deposit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from app import clock, words
from app.errors import Refusal, Span
from app.loans import choosing, periods, rules
from app.people.viewer import Here
from app.tools.models import Tool
from app.tools.occupied import Hold

QUARTER = timedelta(minutes=15)
EVENING = (time(18), time(22))
EVENING_UNTIL = time(20)  # later than this there is too little left of it
TYPED = ("start", "end", "start_time", "end_time")


@dataclass(frozen=True)
class Quick:
    """A link that fills the form in: two days, and times where it is a part of a day."""

    label: str
    when: str
    start: str
    end: str
    start_time: str = ""
    end_time: str = ""

    @property
    def query(self) -> str:
        typed = {name: getattr(self, name) for name in TYPED}
        return urlencode({name: value for name, value in typed.items() if value})


def choices(
    tool: Tool, free: Sequence[Span], here: Here, now: datetime, locale: str
) -> list[Quick]:
    """Those that fit the tool's rules and are free."""
    found = []
    for label, start, end in _offered(here, now):
        lower, upper = choosing.blocks(tool.lending, max(start, now), end)
        if not any(begins <= lower and upper <= ends for begins, ends in free):
            continue
        if choosing.why_not_within(tool.lending, start, end, now, here.zone, locale):
            continue
        found.append(_quick(label, start, end, here, now, locale))
    return found


def _offered(here: Here, now: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    today = clock.local_day(now, here.zone)
    begins = _next_quarter(now)
    yield "2 hours", begins, begins + timedelta(hours=2)
    opens, closes = (datetime.combine(today, at, tzinfo=here.zone) for at in EVENING)
    if now.astimezone(here.zone).time() <= EVENING_UNTIL:
        yield "This evening", max(opens, begins), closes
    tomorrow = today + timedelta(days=1)
    yield "Tomorrow", *clock.days(tomorrow, tomorrow, here.zone)
    yield "The weekend", *clock.days(*_weekend(today), here.zone)


def _next_quarter(now: datetime) -> datetime:
    """Quarters of UTC's hours: those of each zone, too, for their offsets are whole quarters."""
    whole = now.replace(second=0, microsecond=0, minute=now.minute - now.minute % 15)
    return whole if whole == now else whole + QUARTER


def _weekend(today: date) -> tuple[date, date]:
    """The one that has not begun, or begins today."""
    saturday = today + timedelta(days=(5 - today.weekday()) % 7)
    return saturday, saturday + timedelta(days=1)


def _quick(
    label: str, start: datetime, end: datetime, here: Here, now: datetime, locale: str
) -> Quick:
    lower, upper = start.astimezone(here.zone), end.astimezone(here.zone)
    when = words.period(start, end, here.zone, locale)
    if clock.is_midnight(start, here.zone) and clock.is_midnight(end, here.zone):
        last = clock.local_day(end - choosing.INSTANT, here.zone)
        return Quick(label, when, lower.date().isoformat(), last.isoformat())
    at = f"{lower:%H:%M}", f"{upper:%H:%M}"
    return Quick(label, when, lower.date().isoformat(), upper.date().isoformat(), *at)


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
