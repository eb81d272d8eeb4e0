"""A board's question: what somebody looks for, as it stands in the page's address."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, timedelta

from app.board import meaning
from app.errors import Refusal, mistyped
from app.tools import rules
from app.tools.lending import HORIZON_DAYS

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
    """Equal questions have equal keys, however they were typed."""

    q: str = ""
    category: str = ""
    free: bool = False
    days: Days | None = None  # free on all of them, first and last included

    @classmethod
    def typed(cls, q: str, category: str, free: bool, days: Days | None = None) -> Search:
        words = rules.clean(q).lower().split()[: meaning.MOST]
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
