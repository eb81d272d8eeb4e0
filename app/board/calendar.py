"""When a tool is free: as a grid of days, and as a list in words for everybody else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from babel.dates import format_date

from app import clock, words
from app.board.queries import Seen
from app.errors import Span
from app.loans.models import Loan
from app.loans.rules import HORIZON_DAYS
from app.loans.states import POSSESSED, State
from app.people.viewer import Here
from app.tools.availability import free_ranges
from app.tools.models import ToolStatus

WEEKS = 6
OFFERED = "offered to somebody who waits"
LINES = 6


def draw(
    one: Seen, here: Here, now: datetime, locale: str, offered: Collection[Span] = ()
) -> Mapping[str, object]:
    """`busy`, `free` (lines in words) and `weeks` (the grid) for `tools/_dates.html`.

    `offered`: which of the busy ones are kept for somebody who waits.
    """
    asked = [loan for loan in one.loans if loan.state == State.REQUESTED and loan.expires_at > now]
    if one.status != ToolStatus.LISTED:
        return {"busy": [], "free": [], "weeks": []}
    taken = blocked(one, here, now)
    lines = [
        (start, end, "busy", OFFERED if (start, end) in offered else "taken")
        for start, end in one.busy
    ]
    lines += [(loan.start, loan.end, "asked", "asked for") for loan in asked]
    return {
        "busy": [{"kind": "busy", "words": "Taken until it is back"}] * is_late(one, now)
        + [
            {
                "kind": kind,
                "words": f"{words.period(start, end, here.zone, locale, now)}, {how}",
            }
            for start, end, kind, how in sorted(lines)[:LINES]
        ],
        "free": [_free_words(span, here, now, locale) for span in free(one, here, now)[:LINES]],
        "weeks": _grid(taken, asked, here, now, locale),
    }


def is_late(one: Seen, now: datetime) -> bool:
    """Somebody still has the tool past its due time: nobody can say when it will be free."""
    return any(State(loan.state) in POSSESSED and loan.end <= now for loan in one.loans)


def blocked(one: Seen, here: Here, now: datetime) -> list[Span]:
    """The occupied spans; a tool that is late counts as taken for the rest of this day."""
    taken = list(one.busy)
    if is_late(one, now):
        today = clock.local_day(now, here.zone)
        taken.append(clock.days(today, today, here.zone))
    return sorted(taken)


def free(one: Seen, here: Here, now: datetime) -> list[Span]:
    """What is free from now to the horizon; nothing while the tool is not lent."""
    if one.status != ToolStatus.LISTED:
        return []
    last = clock.local_day(now, here.zone) + timedelta(days=HORIZON_DAYS + 1)
    return free_ranges(blocked(one, here, now), now, clock.day_start(last, here.zone))


def _free_words(span: Span, here: Here, now: datetime, locale: str) -> str:
    start, end = span
    last = clock.local_day(now, here.zone) + timedelta(days=HORIZON_DAYS)
    if start > now and end <= clock.day_start(last, here.zone):
        return words.period(start, end, here.zone, locale, now)
    began = "now" if start <= now else words.since(start, here.zone, locale, now)
    if end > clock.day_start(last, here.zone):
        return f"From {began}"
    return f"From {began} until {words.until(end, here.zone, locale, now)}"


def _grid(
    taken: Sequence[Span], asked: Sequence[Loan], here: Here, now: datetime, locale: str
) -> list[list[dict[str, object]]]:
    today = clock.local_day(now, here.zone)
    first = today - timedelta(days=today.weekday())
    wanted = [(loan.start, loan.end) for loan in asked]
    days = [first + timedelta(days=n) for n in range(7 * WEEKS)]
    return [
        [_day(day, today, first, taken, wanted, here, locale) for day in days[at : at + 7]]
        for at in range(0, len(days), 7)
    ]


def _day(
    day: date,
    today: date,
    first: date,
    taken: Sequence[Span],
    wanted: Sequence[Span],
    here: Here,
    locale: str,
) -> dict[str, object]:
    start, end = clock.days(day, day, here.zone)

    def touches(spans: Sequence[Span]) -> bool:
        return any(lower < end and start < upper for lower, upper in spans)

    kind = "past" if day < today else "free"
    if kind == "free" and touches(taken):
        kind = "busy"
    elif kind == "free" and touches(wanted):
        kind = "asked"
    named = day.day == 1 or day == first
    return {
        "iso": day.isoformat(),
        "number": day.day,
        "kind": kind,
        "today": day == today,
        "month": format_date(day, "MMM", locale=locale.replace("-", "_")) if named else "",
    }
