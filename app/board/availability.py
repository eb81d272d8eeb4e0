"""What a tool's state is now: derived from its status, its loans and the clock, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from app import clock, words
from app.errors import Span
from app.loans.models import Loan
from app.loans.states import State
from app.people.viewer import Here
from app.tools.models import Tool, ToolStatus

SOON_DAYS = 7
ICONS = {
    "free": "circle-check",
    "asked": "hand",
    "reserved": "calendar-clock",
    "out": "package-open",
    "overdue": "clock-alert",
    "paused": "circle-pause",
    "maintenance": "wrench",
}


@dataclass(frozen=True)
class Now:
    """A tool's state at one instant. `next_free` is None while nobody can say."""

    kind: str
    words: str
    when: str = ""
    at: datetime | None = None
    free_now: bool = False
    next_free: datetime | None = None

    @property
    def icon(self) -> str:
        return ICONS[self.kind]


PAUSED = Now("paused", "Paused")


def of_all(states: Sequence[Now]) -> Now:
    """Of identical tools: how many of them are free, else when the first will be."""
    free, count = sum(one.free_now for one in states), len(states)
    if free:
        return Now("free", f"{free} of {count} free now", free_now=True)
    if all(one == states[0] for one in states):
        return states[0]
    known = [(one.next_free, n) for n, one in enumerate(states) if one.next_free]
    soonest = states[min(known)[1] if known else 0]
    when = f"{soonest.words.lower()} {soonest.when}".strip()
    return replace(soonest, words=f"None of {count} free", when=when)


def state_of(
    tool: Tool, loans: Sequence[Loan], busy: Sequence[Span], here: Here, now: datetime, locale: str
) -> Now:
    """`loans`: the open ones of this tool, by start; `busy`: its occupied spans from now on."""
    if tool.status != ToolStatus.LISTED:
        return _off(tool)
    holder = next((loan for loan in loans if loan.in_hand), None)
    if holder is not None:
        return _with_somebody(holder, busy, here, now, locale)
    current = _run(busy, now)
    if current is not None:
        when = f"until {words.until(current, here.zone, locale, now)}"
        return Now("reserved", "Reserved", when, current, next_free=current)
    asked = [loan for loan in loans if loan.state == State.REQUESTED and loan.expires_at > now]
    if asked:
        first = asked[0]
        when = words.period(first.start, first.end, here.zone, locale, now)
        more = f", and {len(asked) - 1} more" if len(asked) > 1 else ""
        return Now("asked", "Asked for", when + more, first.start, True, now)
    return _free(busy, here, now, locale)


def _off(tool: Tool) -> Now:
    if tool.status == ToolStatus.MAINTENANCE:
        return Now("maintenance", "Being repaired")
    if tool.status == ToolStatus.MISSING:
        return Now("paused", "Missing")
    return Now("paused", "Archived") if tool.status == ToolStatus.ARCHIVED else PAUSED


def _with_somebody(loan: Loan, busy: Sequence[Span], here: Here, now: datetime, locale: str) -> Now:
    if loan.state == State.RETURN_CLAIMED:
        return Now("out", "On its way back")
    if now >= loan.end:
        # A whole day that ended at this midnight was due yesterday, as people say it.
        due = clock.local_day(loan.end - timedelta(microseconds=1), here.zone)
        late = (clock.local_day(now, here.zone) - due).days
        when = {0: f"since {words.clock_time(loan.end, here.zone)}", 1: "since yesterday"}.get(
            late, f"by {late} days"
        )
        return Now("overdue", "Overdue", when, loan.end)
    free = _run(busy, now) or loan.end
    when = f"until {words.until(loan.end, here.zone, locale, now)}"
    return Now("out", "Out", when, loan.end, next_free=free)


def _free(busy: Sequence[Span], here: Here, now: datetime, locale: str) -> Now:
    if not busy:
        return Now("free", "Free now", free_now=True, next_free=now)
    start = busy[0][0]
    when = words.since(start, here.zone, locale, now)
    days = (clock.local_day(start, here.zone) - clock.local_day(now, here.zone)).days
    if days <= SOON_DAYS:
        return Now("reserved", "Reserved", f"from {when}", start, True, now)
    return Now("free", "Free now", f"reserved from {when}", start, True, now)


def _run(busy: Sequence[Span], now: datetime) -> datetime | None:
    """The end of the unbroken run of blocked spans that covers `now`, if one does."""
    if not busy or busy[0][0] > now:
        return None
    end = busy[0][1]
    for _, (lower, upper) in pairwise(busy):
        if lower > end:
            break
        end = upper
    return end
