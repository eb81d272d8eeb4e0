"""What hangs on the wall for a search, and in what order: one answer for page and push."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, false

from app import clock
from app.board import calendar, queries
from app.db import Tx
from app.errors import Refusal, mistyped
from app.people.viewer import Here
from app.tools import occupied, rules
from app.tools.lending import HORIZON_DAYS
from app.tools.models import ToolStatus

Q_BYTES, CATEGORY_BYTES = 400, 160  # a hundred and forty of the widest characters
KEY_LENGTH = 800  # what they and two days come to in a topic's name, which has room for 1,000


Days = tuple[date, date]


def _cut(text: str, size: int) -> str:
    """As many whole characters as fit: folding can make more of a text than was typed."""
    return text.encode()[:size].decode(errors="ignore").strip()


def days_from(first: str, last: str) -> Days | None:
    """Two typed days, in order; one alone is both. Raises Refusal that names the field."""
    if not first and not last:
        return None
    try:
        days = date.fromisoformat(first or last), date.fromisoformat(last or first)
    except ValueError:
        raise mistyped("free_from", "That is not a day.", "Write it like 2026-05-31.") from None
    if refusal := why_not_days(*days):
        raise refusal
    return days


def why_not_days(first: date, last: date) -> Refusal | None:
    if last < first:
        return mistyped("free_to", "The last day comes before the first.", "Choose a later day.")
    if last - first > timedelta(days=HORIZON_DAYS):
        return mistyped("free_to", f"Choose up to {HORIZON_DAYS} days.", "Choose fewer days.")
    return None


@dataclass(frozen=True)
class Search:
    """A board's question. Equal questions have equal keys, however they were typed."""

    q: str = ""
    category: str = ""
    free: bool = False
    days: Days | None = None  # free on all of them, first and last included

    @classmethod
    def typed(cls, q: str, category: str, free: bool, days: Days | None = None) -> Search:
        words = rules.clean(q).lower().split()[: queries.WORDS]
        shelf = " ".join(rules.clean(category).split())
        return cls(_cut(" ".join(words), Q_BYTES), _cut(shelf, CATEGORY_BYTES), free, days)

    @property
    def key(self) -> str:
        """For a topic's name; "" asks for everything."""
        lines = (
            *(self.q, self.category, "free" if self.free else ""),
            *(day.isoformat() for day in self.days or ()),
        )
        text = "\n".join(lines).rstrip("\n")
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, key: str) -> Search | None:
        """None for a key that no board of ours has."""
        if len(key) > KEY_LENGTH or not key.isascii():
            return None
        try:
            text = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
        except (binascii.Error, ValueError):
            return None
        q, category, free, first, last, *_ = [*text.split("\n"), "", "", "", "", ""]
        try:
            days = (date.fromisoformat(first), date.fromisoformat(last)) if first else None
        except ValueError:
            return None
        found = cls.typed(q, category, free == "free", days)
        return found if found.key == key else None


async def hanging(
    tx: Tx, here: Here, search: Search, now: datetime, locale: str
) -> Sequence[queries.Seen]:
    """The tools whose words and days fit, each with its state; not yet as anybody sees it."""
    free = free_on(here, search.days, now)
    tools = await queries.on_the_board(
        tx, here, like=search.q, category=search.category, where=free
    )
    found = await queries.seen(tx, here, tools, now, locale)
    return without_late(found, search.days, here, now)


def free_on(here: Here, days: Days | None, now: datetime) -> ColumnElement[bool] | None:
    """A condition on tools: free on all of these days, as far as they are still to come."""
    if days is None:
        return None
    start, end = clock.days(*days, here.zone)
    return occupied.nothing_blocks(start, end, now) if end > now else false()


def without_late(
    found: Sequence[queries.Seen], days: Days | None, here: Here, now: datetime
) -> Sequence[queries.Seen]:
    """Nobody can say when what is late will be back: not on this day, at least."""
    if days is None or clock.local_day(now, here.zone) < days[0]:
        return found
    return [one for one in found if not calendar.is_late(one, now)]


def fits(one: queries.Seen, search: Search) -> bool:
    """As somebody sees it: what stands behind the veil is not lent to them on any day."""
    if search.days and one.status != ToolStatus.LISTED:
        return False
    return one.state.free_now or not search.free


def arrange(
    found: Iterable[queries.Seen], search: Search, apart: Collection[int]
) -> list[queries.Seen]:
    """What one can have now hangs in front, what is handed over at once first of all, by name
    within; `apart`: whose tools are veiled.
    """
    seen = queries.as_seen_by(found, apart)
    shown = [one for one in seen if fits(one, search)]
    return sorted(shown, key=lambda one: (not one.hands_over, not one.state.free_now))
