"""Whose turn it is: which free dates fit a wish, what somebody can count on, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock
from app.errors import Conflict, Refusal, Span, mistyped
from app.people.viewer import Here, Viewer
from app.tools.availability import free_ranges
from app.tools.lending import HORIZON_DAYS, LONGEST_DAYS
from app.tools.models import Tool
from app.tools.wishes import Wish

SOON_DAYS = 7  # any days that begin within so many are offered: further off, everybody can ask
LEAST = timedelta(hours=1)  # what is left of wished dates must be worth the way


@dataclass(frozen=True)
class Taken:
    """What keeps a tool busy, without the holds of people who are choosing dates just now.

    `in_hand`: somebody has it; `late`: past its due time, so nobody can say when it will be free.
    """

    spans: Sequence[Span]
    in_hand: bool = False
    late: bool = False

    def and_also(self, span: Span) -> Taken:
        return Taken(sorted([*self.spans, span]), self.in_hand, self.late)


def fitting(wish: Wish, taken: Taken, here: Here, now: datetime, soon: bool = True) -> Span | None:
    """The first dates that are free and fit; any days begin tomorrow at the earliest.

    `soon`: only what is worth an offer by now; else whatever is in sight.
    """
    if wish.dates is not None:
        return _wished_dates(wish.dates, taken, now)
    assert wish.days is not None, "a wish has dates or a length"
    if taken.late:
        return None
    first = clock.local_day(max(now, wish.not_before or now), here.zone) + timedelta(days=1)
    ahead = SOON_DAYS if soon else HORIZON_DAYS
    last = clock.local_day(now, here.zone) + timedelta(days=ahead)
    while first <= last:
        span = clock.days(first, first + timedelta(days=wish.days - 1), here.zone)
        blocking = [end for start, end in taken.spans if start < span[1] and span[0] < end]
        if not blocking:
            return span
        # A day that is taken in part is no whole day.
        after = clock.local_day(max(blocking) - timedelta(microseconds=1), here.zone)
        first = max(first, after) + timedelta(days=1)
    return None


def estimate(
    wish: Wish, before: Sequence[Wish], taken: Taken, here: Here, now: datetime
) -> Span | None:
    """The first dates that are left once everybody before has had theirs; None: nobody can say."""
    if taken.late:
        return None
    for other in before:
        theirs = other.offer or fitting(other, taken, here, now, soon=False)
        if theirs is not None:
            taken = taken.and_also(theirs)
    return fitting(wish, taken, here, now, soon=False)


def as_said(wish: Wish, offer: Span, here: Here) -> Span:
    """An offer of wished days that begins in the middle of one: from that day on, as people say."""
    start, end = offer
    if wish.dates is None or not clock.is_midnight(end, here.zone):
        return offer
    return max(wish.dates[0], clock.day_start(clock.local_day(start, here.zone), here.zone)), end


def gap_around(span: Span, taken: Taken, now: datetime) -> Span:
    """The whole free stretch in which an offer lay."""
    others = [one for one in taken.spans if not (one[0] < span[1] and span[0] < one[1])]
    far = max(now, span[1]) + timedelta(days=HORIZON_DAYS)
    around = (one for one in free_ranges(others, now, far) if one[0] < span[1] and span[0] < one[1])
    return next(around, span)


def why_not_wait(
    wish: Wish, before: Sequence[Wish], taken: Taken, here: Here, now: datetime
) -> Refusal | None:
    """Nobody waits for what they can ask for; `before`: who waits already."""
    found = estimate(wish, before, taken, here, now)
    if found is None:
        return None
    soon = clock.local_day(now, here.zone) + timedelta(days=SOON_DAYS)
    if wish.days is not None and clock.local_day(found[0], here.zone) > soon:
        return None
    return Refusal(
        "You need not wait: it is free.", "Ask for these dates.", free=[found], code="free"
    )


def why_not_days(days: int) -> Refusal | None:
    if 1 <= days <= LONGEST_DAYS:
        return None
    return mistyped("days", f"Choose 1 to {LONGEST_DAYS} days.", "A loan may not be longer.")


def why_not_offered(wish: Wish | None, now: datetime) -> Refusal | None:
    """Whether this person has an offer to answer."""
    if wish is None:
        return Conflict("You do not wait for this tool.", "Ask for it, or wait.", code="state")
    if wish.offered_until is None or wish.offered_until <= now:
        return Conflict("This offer has run out.", "It goes to the next who waits.", code="state")
    return None


def why_not_see_names(tool: Tool, by: Viewer) -> Refusal | None:
    """Order and names are the lender's; a coordinator needs them to help."""
    if by.suspended or not (by.is_coordinator or by.person_id in tool.lenders):
        return Refusal(
            "Only the lender and a coordinator see who waits.",
            lifted_by="a coordinator",
            status=403,
        )
    return None


def why_not_move(wishes: Sequence[Wish], person_id: int, by: Viewer) -> Refusal | None:
    """A coordinator may, but not where they are in the line themselves."""
    if not by.is_coordinator:
        return Refusal(
            "Only a coordinator can change the order.", lifted_by="a coordinator", status=403
        )
    if any(wish.person_id == by.person_id for wish in wishes):
        return Refusal(
            "You wait in this line yourself.", "Ask another coordinator.", "another coordinator"
        )
    if all(wish.person_id != person_id for wish in wishes):
        return Conflict("They do not wait any more.", "Look at it as it is now.", code="state")
    return None


def _wished_dates(dates: Span, taken: Taken, now: datetime) -> Span | None:
    start, end = max(dates[0], now), dates[1]
    if end - start < LEAST or (taken.in_hand and start <= now):
        return None
    if any(lower < end and start < upper for lower, upper in taken.spans):
        return None
    return start, end
