"""How a waitlist is told: to who waits, to who might, to the lender, in My things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock, words
from app.db import Tx
from app.errors import Span
from app.loans import queries, quiet, rules, turns, waits
from app.loans.states import POSSESSED, State
from app.people.viewer import Here, Viewer
from app.tools import keepers
from app.tools import queries as tool_queries
from app.tools.models import Tool
from app.tools.wishes import Wish, anyone_waits

NOT_LENT = "It is not lent at the moment."
NTH = ("next", "2nd", "3rd")


@dataclass(frozen=True)
class Offer:
    """Dates that are kept for somebody. `nights`: when the countdown stands still."""

    when: str
    until: datetime
    until_words: str
    nights: str
    key: str
    passes: str  # what happens to the place when it is declined
    safety: str  # what to have read before one takes it


@dataclass(frozen=True)
class Place:
    """One in the line, as its lender sees it."""

    person_id: int
    name: str
    wanted: str
    offered: str
    place: int


@dataclass(frozen=True)
class Wait:
    """What one person waits for, as they see it."""

    tool_id: int
    tool_name: str
    path: str
    wanted: str
    place: int
    length: int
    sentence: str
    offer: Offer | None

    @property
    def place_words(self) -> str:
        if self.length == 1:
            return "You are next"
        nth = NTH[self.place - 1] if self.place <= len(NTH) else f"{self.place}th"
        return f"You are {nth} of {self.length}"


async def of_tool(tx: Tx, viewer: Viewer, tool: Tool, now: datetime) -> Mapping[str, object]:
    """For `loans/_waitlist.html`."""
    here, me = viewer.here, viewer.person_id
    line = await waits.line(tx, here.id, tool.id)
    apart = await keepers.between(tx, me, tool)
    sees_names = turns.why_not_see_names(tool, viewer) is None
    holder = await queries.holder(tx, here.id, tool.id)
    why_not = rules.why_not_ask(tool, viewer, apart)
    today = clock.local_day(now, here.zone)
    mine = next((wish for wish in line if wish.person_id == me), None)
    return {
        "tool_id": tool.id,
        "path": f"{here.path}/tools/{tool.id}/waitlist",
        "own": me in tool.lenders,
        # Who is kept away by a block is told no more than anybody is of a paused tool.
        "length": len(line) if why_not is None or mine or sees_names else 0,
        "wait": mine and await _wait(tx, mine, line, tool, viewer, paused=why_not is not None),
        "can_wait": why_not is None,
        "line": _places(line, here, now, viewer.locale) if sees_names else [],
        "may_move": viewer.is_coordinator and mine is None,
        "wanted_by_others": holder is not None and holder.borrower_id == me and bool(line),
        "key": f"{tool.id}-{await waits.ever(tx, here.id, tool.id, me)}-{_revision(line)}",
        "today": today.isoformat(),
        "horizon": (today + timedelta(days=tool.lending.horizon_days)).isoformat(),
        "lengths": range(turns.least_days(tool.lending), tool.lending.longest_days + 1),
        "zone": here.zone,
    }


async def of_person(
    tx: Tx, viewer: Viewer, places: Mapping[int, Here], now: datetime
) -> list[Wait]:
    """What somebody waits for in all their communities, offers first; for My things."""
    found = []
    for wish in await waits.wishes_of(tx, viewer.person_id, places):
        tool = await tool_queries.tool(tx, wish.community_id, wish.tool_id)
        assert tool is not None, "a wish is for a tool that there is"
        line = await waits.line(tx, wish.community_id, wish.tool_id)
        here = places[wish.community_id]
        found.append(_told(wish, line, tool, here, viewer.locale, now))
    return found


async def wanted(tx: Tx, community_id: int, tool_id: int, state: str) -> bool:
    """Whether somebody waits for what a borrower has in hand; never who."""
    return State(state) in POSSESSED and await anyone_waits(tx, community_id, tool_id)


def wish_words(wish: Wish, here: Here, locale: str, now: datetime | None = None) -> str:
    if wish.dates is not None:
        return words.period(*wish.dates, here.zone, locale, now)
    return "any day" if wish.days == 1 else f"any {wish.days} days"


def offer_words(wish: Wish, offer: Span, here: Here, locale: str, now: datetime) -> str:
    return words.period(*turns.as_said(wish, offer, here), here.zone, locale, now)


def outlook(
    wish: Wish, line: Sequence[Wish], taken: turns.Taken, here: Here, now: datetime, locale: str
) -> tuple[Span | None, str]:
    """An estimate, if there can be one, and the sentence that goes with it."""
    before = line[: line.index(wish)]
    found = turns.estimate(wish, before, taken, here, now)
    if taken.late:
        return None, "Nobody can say when: it is overdue. You hear as soon as it is back."
    if found is None and (rule := turns.why_not_lent(wish, taken, here, now)):
        return None, f"As it is lent now, it cannot be kept for you. {rule.sentence}"
    if wish.dates is not None:
        if found is None:
            return None, "Nobody can say: it is taken then. You hear at once if it comes free."
        return found, "As it looks now, it is free for you then."
    if found is None:
        ahead = f"the next {taken.rules.horizon_days} days"
        return None, f"Nobody can say when: nothing that long is free in {ahead}."
    return found, f"Probably from {words.since(found[0], here.zone, locale, now)}."


async def _wait(
    tx: Tx, wish: Wish, line: Sequence[Wish], tool: Tool, viewer: Viewer, *, paused: bool
) -> Wait:
    here, now, locale = viewer.here, clock.now(), viewer.locale
    if paused:
        return _told(wish, line, tool, here, locale, now, NOT_LENT)
    taken = await waits.taken(tx, here, tool.id, now)
    _, sentence = outlook(wish, line, taken, here, now, locale)
    return _told(wish, line, tool, here, locale, now, sentence)


def _told(
    wish: Wish,
    line: Sequence[Wish],
    tool: Tool,
    here: Here,
    locale: str,
    now: datetime,
    sentence: str = "",
) -> Wait:
    return Wait(
        tool_id=tool.id,
        tool_name=tool.name,
        path=f"{here.path}/tools/{tool.id}",
        wanted=wish_words(wish, here, locale, now),
        place=next(n for n, one in enumerate(line, 1) if one.id == wish.id),
        length=len(line),
        sentence=sentence,
        offer=_offer(wish, here, locale, now, tool.safety),
    )


def _offer(wish: Wish, here: Here, locale: str, now: datetime, safety: str) -> Offer | None:
    if wish.offer is None or wish.offered_until is None or wish.offered_at is None:
        return None
    nights = quiet.within(wish.offered_at, wish.offered_until, here.zone)
    return Offer(
        when=offer_words(wish, wish.offer, here, locale, now),
        until=wish.offered_until,
        until_words=words.moment(wish.offered_until, here.zone, locale, now),
        nights=" ".join(f"{start.isoformat()}/{end.isoformat()}" for start, end in nights),
        key=f"{wish.id}-{int(wish.offered_at.timestamp() * 1000)}",
        passes="You keep your place for other days."
        if wish.days
        else "You wait no more: these were your dates.",
        safety=safety,
    )


def _places(line: Sequence[Wish], here: Here, now: datetime, locale: str) -> list[Place]:
    return [
        Place(
            person_id=wish.person_id,
            name=wish.person.name,
            wanted=wish_words(wish, here, locale, now),
            offered=offer_words(wish, wish.offer, here, locale, now) if wish.offer else "",
            place=place,
        )
        for place, wish in enumerate(line, 1)
    ]


def _revision(line: Sequence[Wish]) -> str:
    """Another order makes another button."""
    return "-".join(str(wish.id) for wish in line[:20])
