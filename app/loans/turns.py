"""Whose turn it is: which free dates fit a wish, what somebody can count on, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from app import clock
from app.errors import Conflict, Refusal, Span, mistyped
from app.loans import choosing, quiet
from app.people.viewer import Here, Viewer
from app.tools.lending import Lending, hours, windows_words
from app.tools.models import Tool
from app.tools.occupied import free_ranges
from app.tools.wishes import Wish

SOON_DAYS = 7  # any days that begin within so many are offered: further off, everybody can ask
LEAST = timedelta(hours=1)  # what is left of wished dates must be worth the way


@dataclass(frozen=True)
class Taken:
    """What keeps a tool busy, without the holds of people who are choosing dates just now.

    `in_hand`: somebody has it; `late`: past its due time, so nobody can say when it will be free.
    `rules`: how it is lent; what is offered can be asked for.
    """

    spans: Sequence[Span]
    in_hand: bool = False
    late: bool = False
    rules: Lending = field(default_factory=Lending)

    def and_also(self, span: Span) -> Taken:
        return replace(self, spans=sorted([*self.spans, span]))


def fitting(wish: Wish, taken: Taken, here: Here, now: datetime, soon: bool = True) -> Span | None:
    """The first dates that are free and fit, as the tool is lent; any days begin tomorrow at the
    earliest.

    `soon`: only what is worth an offer by now; else whatever is in sight.
    """
    if wish.dates is not None:
        return _wished_dates(wish, taken, here, now, soon)
    assert wish.days is not None, "a wish has dates or a length"
    if taken.late:
        return None
    first = clock.local_day(max(now, wish.not_before or now), here.zone) + timedelta(days=1)
    first = max(first, _first_whole_day(earliest(taken.rules, here, now, soon), here))
    last = _soon(taken, here, now)
    if not soon:
        last = clock.local_day(now, here.zone) + timedelta(days=taken.rules.horizon_days)
    while first <= last:
        span = clock.days(first, first + timedelta(days=wish.days - 1), here.zone)
        blocking = [end for start, end in taken.spans if start < span[1] and span[0] < end]
        if not blocking:
            if _why_not_lent(taken.rules, span, here, now) is None:
                return span
            first += timedelta(days=1)
            continue
        # A day that is taken in part is no whole day.
        after = clock.local_day(max(blocking) - timedelta(microseconds=1), here.zone)
        first = max(first, after) + timedelta(days=1)
    return None


def earliest(rules: Lending, here: Here, now: datetime, offered: bool = False) -> datetime:
    """From when on dates can still be asked for. Whoever is `offered` them has time to answer."""
    if not rules.notice_hours:
        return now
    asked = quiet.runs_out(now, here.zone, LEAST) if offered else now
    return asked + timedelta(hours=rules.notice_hours)


def answer_by(span: Span, taken: Taken, here: Here, now: datetime) -> datetime:
    """How long an offer of these dates is kept: the lender wants to know some time before."""
    until = min(quiet.runs_out(now, here.zone), span[1])
    notice = timedelta(hours=taken.rules.notice_hours)
    return min(until, span[0] - notice) if notice else until


def why_not_lent(wish: Wish, taken: Taken, here: Here, now: datetime) -> Refusal | None:
    """Whether the way in which the tool is lent by now is what stands in a wish's way."""
    if wish.dates is None:
        return why_not_days(wish.days or 0, taken.rules, here, now)
    said = as_said(wish, _still(wish, taken, here, now, False), here)
    return _why_not_lent(taken.rules, said, here, now)


def is_over(wish: Wish, taken: Taken, here: Here, now: datetime) -> bool:
    """Too little is left of the wished dates to be offered."""
    if wish.dates is None:
        return False
    start, end = _still(wish, taken, here, now, True)
    return end - start < LEAST


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
    far = max(now, span[1]) + timedelta(days=taken.rules.horizon_days)
    around = (one for one in free_ranges(others, now, far) if one[0] < span[1] and span[0] < one[1])
    return next(around, span)


def why_not_wait(
    wish: Wish, before: Sequence[Wish], taken: Taken, here: Here, now: datetime
) -> Refusal | None:
    """Nobody waits for what they can ask for; `before`: who waits already."""
    found = estimate(wish, before, taken, here, now)
    if found is None and is_over(wish, taken, here, now):
        return mistyped("start", "It is too late to wait for these days.", "Choose later ones.")
    if found is None:
        return None
    if wish.days is not None and clock.local_day(found[0], here.zone) > _soon(taken, here, now):
        return None
    return Refusal(
        "You need not wait: it is free.", "Ask for these dates.", free=[found], code="free"
    )


def why_not_days(days: int, rules: Lending, here: Here, now: datetime) -> Refusal | None:
    """Whether any days of such a length can ever be had, as the tool is lent."""
    least, most = least_days(rules), rules.longest_days
    if days > most or days < 1:
        return mistyped("days", f"Choose {least} to {most} days.", "A loan may not be longer.")
    if days < least:
        said = f"This is lent for at least {hours(rules.shortest_hours)}."
        return mistyped("days", said, "Choose more days.")
    today = clock.local_day(now, here.zone)
    for first in (today + timedelta(days=n) for n in range(7)):
        start, end = clock.days(first, first + timedelta(days=days - 1), here.zone)
        fetched = choosing.fetched_at(rules, start, here.zone)
        if fetched and choosing.brought_at(rules, end, here.zone):
            return None
    when = windows_words(rules.windows)
    return mistyped(
        "days", f"It can be fetched and brought back {when}.", "Choose another number of days."
    )


def least_days(rules: Lending) -> int:
    """The shortest loan in whole days."""
    return max(1, -(-rules.shortest_hours // 24))


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


def _wished_dates(
    wish: Wish, taken: Taken, here: Here, now: datetime, offered: bool
) -> Span | None:
    start, end = _still(wish, taken, here, now, offered)
    if end - start < LEAST or (taken.in_hand and start <= now):
        return None
    if any(lower < end and start < upper for lower, upper in taken.spans):
        return None
    said = as_said(wish, (start, end), here)
    return None if _why_not_lent(taken.rules, said, here, now) else (start, end)


def _still(wish: Wish, taken: Taken, here: Here, now: datetime, offered: bool) -> Span:
    """What is left of wished dates. Where the lender wants notice, whole days stay whole."""
    assert wish.dates is not None, "it is for certain dates"
    start, end = wish.dates
    first = earliest(taken.rules, here, now, offered)
    if first <= start:
        return start, end
    if taken.rules.notice_hours and clock.is_midnight(end, here.zone):
        return clock.day_start(_first_whole_day(first, here), here.zone), end
    return first, end


def _first_whole_day(at: datetime, here: Here) -> date:
    day = clock.local_day(at, here.zone)
    return day if clock.is_midnight(at, here.zone) else day + timedelta(days=1)


def _soon(taken: Taken, here: Here, now: datetime) -> date:
    """The last day on which what is offered may begin."""
    return clock.local_day(earliest(taken.rules, here, now), here.zone) + timedelta(days=SOON_DAYS)


def _why_not_lent(rules: Lending, span: Span, here: Here, now: datetime) -> Refusal | None:
    return choosing.why_not_within(rules, *span, now, here.zone, here.locale)
