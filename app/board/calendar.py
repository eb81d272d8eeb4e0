"""When a tool is free: as a grid of days, and as a list in words for everybody else."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.dates import format_date

from app import clock, words
from app.board.queries import Seen
from app.errors import Span
from app.loans.models import Loan
from app.loans.states import State
from app.people.viewer import Here
from app.tools.lending import weekdays_without
from app.tools.models import ToolStatus
from app.tools.occupied import Hold, free_ranges

WEEKS = Calendar(firstweekday=0)
OFFERED = "offered to somebody who waits"
LINES = 6
KINDS = {
    "past": "gone by",
    "far": "too far ahead",
    "busy": "taken",
    "mine": "chosen by you",
    "choosing": "someone is choosing it",
    "partly": "taken for a part of it",
    "asked": "asked for",
    "free": "free",
}


def draw(
    one: Seen,
    here: Here,
    now: datetime,
    locale: str,
    holds: Sequence[Hold] = (),
    whose: int | None = None,
    offered: Collection[Span] = (),
) -> Mapping[str, object]:
    """`choosing`, `busy`, `free` (lines in words) and `months` (the grid) for `tools/_dates.html`.

    Who chooses is named to nobody; `whose` screen this is knows its own hold. `offered`: which of
    the busy ones are kept for somebody who waits.
    """
    if one.status != ToolStatus.LISTED:
        return {"choosing": [], "busy": [], "free": [], "months": []}
    lines = [
        (start, end, "busy", OFFERED if (start, end) in offered else "taken")
        for start, end in one.busy
    ]
    lines += [(loan.start, loan.end, "asked", "asked for") for loan in _asked(one, now)]
    others = [(hold.start, hold.end) for hold in holds if hold.person_id != whose]
    mine = next(((hold.start, hold.end) for hold in holds if hold.person_id == whose), None)
    return {
        "choosing": [_chosen(one, hold, whose, here, now, locale) for hold in holds],
        "busy": [{"kind": "busy", "words": "Taken until it is back"}] * is_late(one, now)
        + [
            {
                "kind": kind,
                "words": f"{words.period(start, end, here.zone, locale, now)}, {how}",
            }
            for start, end, kind, how in sorted(lines)[:LINES]
        ],
        "free": [
            _free_words(one, span, here, now, locale) for span in free(one, here, now)[:LINES]
        ],
        "months": _months(one, others, mine, here, now, locale),
    }


def _asked(one: Seen, now: datetime) -> list[Loan]:
    return [loan for loan in one.loans if loan.state == State.REQUESTED and loan.expires_at > now]


def _chosen(
    one: Seen, hold: Hold, whose: int | None, here: Here, now: datetime, locale: str
) -> dict[str, object]:
    """The end is told as an instant: pages count down by the server's clock."""
    end = max(hold.end - one.tool.lending.buffer, hold.start + timedelta(minutes=1))
    return {
        "mine": hold.person_id == whose,
        "words": words.period(hold.start, end, here.zone, locale, now),
        "until": hold.until,
    }


def is_late(one: Seen, now: datetime) -> bool:
    """Somebody still has the tool past its due time: nobody can say when it will be free."""
    return any(loan.in_hand and loan.end <= now for loan in one.loans)


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
    last = clock.local_day(now, here.zone) + timedelta(days=one.tool.lending.horizon_days + 1)
    return free_ranges(blocked(one, here, now), now, clock.day_start(last, here.zone))


def _free_words(one: Seen, span: Span, here: Here, now: datetime, locale: str) -> str:
    start, end = span
    last = clock.local_day(now, here.zone) + timedelta(days=one.tool.lending.horizon_days)
    if start > now and end <= clock.day_start(last, here.zone):
        return words.period(start, end, here.zone, locale, now)
    began = "now" if start <= now else words.since(start, here.zone, locale, now)
    if end > clock.day_start(last, here.zone):
        return f"From {began}"
    return f"From {began} until {words.until(end, here.zone, locale, now)}"


def _months(
    one: Seen, holds: Sequence[Span], mine: Span | None, here: Here, now: datetime, locale: str
) -> list[dict[str, object]]:
    """From this month to that of the last day one can ask for; weeks begin with Monday."""
    today = clock.local_day(now, here.zone)
    asked = [(loan.start, loan.end) for loan in _asked(one, now)]
    grid = _Grid(
        blocked(one, here, now),
        {"mine": [mine] if mine else [], "choosing": holds, "asked": asked},
        weekdays_without(one.tool.lending.windows),
        today,
        today + timedelta(days=one.tool.lending.horizon_days),
        here,
        locale,
    )
    months: list[dict[str, object]] = []
    first = today.replace(day=1)
    while first <= grid.last:
        months.append(
            {
                "id": first.strftime("%Y-%m"),
                "name": format_date(first, "MMMM y", locale=locale.replace("-", "_")),
                "weeks": [
                    [grid.day(day) if day.month == first.month else None for day in week]
                    for week in WEEKS.monthdatescalendar(first.year, first.month)
                ],
            }
        )
        first = (first + timedelta(days=31)).replace(day=1)
    return months


@dataclass(frozen=True)
class _Grid:
    taken: Sequence[Span]
    marked: Mapping[str, Sequence[Span]]  # what else stands on a day; the first of these wins
    shut: Collection[int]  # weekdays on which nothing can be fetched or brought
    today: date
    last: date
    here: Here
    locale: str

    def day(self, day: date) -> dict[str, object]:
        kind = self._kind(day)
        shut = day.weekday() in self.shut and kind not in ("past", "far", "busy")
        label = [format_date(day, "EEEE d MMMM", locale=self.locale.replace("-", "_"))]
        label += ["today"] if day == self.today else []
        label += [KINDS[kind]] + (["nothing can be fetched or brought"] if shut else [])
        return {
            "iso": day.isoformat(),
            "number": day.day,
            "kind": kind,
            "today": day == self.today,
            "shut": shut,
            "label": ", ".join(label),
        }

    def _kind(self, day: date) -> str:
        if day < self.today:
            return "past"
        if day > self.last:
            return "far"
        start, end = clock.days(day, day, self.here.zone)

        def touches(spans: Sequence[Span]) -> bool:
            return any(lower < end and start < upper for lower, upper in spans)

        if not free_ranges(self.taken, start, end):
            return "busy"
        for kind, spans in self.marked.items():
            if kind != "asked" and touches(spans):
                return kind
        if touches(self.taken):
            return "partly"
        return "asked" if touches(self.marked["asked"]) else "free"
