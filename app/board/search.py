"""A board's question: what somebody looks for, as it stands in the page's address."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import date, timedelta

from app.board import meaning
from app.errors import Refusal, mistyped
from app.tools import grid, rules
from app.tools.lending import HORIZON_DAYS
from app.tools.models import Skill

Q_BYTES, CATEGORY_BYTES = 400, 160  # a hundred and forty of the widest characters
KEY_LENGTH = 950  # what they and the rest come to in a topic's name, which has room for 1,000
HIGHEST = 2**62  # above every id
PAGES_MOST = 20  # of a wall; whoever scrolls further had better search


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


def distance_from(typed: str, near: int | None) -> int:
    """Metres; 0 if nothing was chosen. `near`: the asker's cell. Raises Refusal with the field."""
    if not typed:
        return 0
    if typed not in map(str, grid.WITHIN):
        raise mistyped("distance", "That is no distance to choose.", "Choose one of the list.")
    if refusal := why_not_near(int(typed), near):
        raise refusal
    return int(typed)


def why_not_near(distance: int, near: int | None) -> Refusal | None:
    if distance and near is None:
        way_out = "Say where you are under My things, or choose a district."
        return mistyped("distance", "You have not said where you are.", way_out)
    return None


def price_from(typed: str) -> int | None:
    """Cents; None if nothing was typed. Raises Refusal that names the field."""
    if not typed.strip():
        return None
    try:
        return rules.price_from(typed)
    except Refusal as refusal:
        raise replace(refusal, field_name="price_to") from refusal


@dataclass(frozen=True)
class Search:
    """Equal questions have equal keys, however they were typed."""

    q: str = ""
    category: str = ""
    free: bool = False
    days: Days | None = None  # free on all of them, first and last included
    price: int | None = None  # cents a day, at most
    skill: str = ""  # no tool that asks for more than this
    lender: int = 0  # a person's id
    pages: int = 1  # of the wall
    district: int = 0  # its id
    near: int | None = None  # the cell from which distances count: never typed, but the viewer's
    distance: int = 0  # metres from there, at most
    alike: int = 0  # only what hangs on one hook with the tool of this id, each by itself

    @classmethod
    def typed(
        cls,
        q: str,
        category: str,
        free: bool,
        days: Days | None = None,
        *,
        price: int | None = None,
        skill: str = "",
        lender: int = 0,
        pages: int = 1,
        district: int = 0,
        near: int | None = None,
        distance: int = 0,
        alike: int = 0,
    ) -> Search:
        """What nobody can have chosen counts as not chosen."""
        words = rules.clean(q).lower().split()[: meaning.MOST]
        shelf = " ".join(rules.clean(category).split())
        return cls(
            _cut(" ".join(words), Q_BYTES),
            _cut(shelf, CATEGORY_BYTES),
            free,
            days,
            price if price is not None and 0 <= price < rules.PRICE_HIGHEST else None,
            skill if skill in tuple(Skill)[:-1] else "",
            lender if 0 < lender < HIGHEST else 0,
            min(max(pages, 1), PAGES_MOST),
            district if 0 < district < HIGHEST else 0,
            near if near is not None and grid.is_cell(near) else None,
            distance if near is not None and distance in grid.WITHIN else 0,
            alike if 0 < alike < HIGHEST else 0,
        )

    @property
    def narrowed(self) -> bool:
        """Whether it asks for less than all."""
        return replace(self, pages=1, near=None) != Search()

    @property
    def key(self) -> str:
        """For a topic's name; "" asks for everything."""
        first, last = self.days or ("", "")
        lines = (
            *(self.q, self.category, "free" if self.free else "", first, last),
            "" if self.price is None else self.price,
            *(self.skill, self.lender or "", self.pages if self.pages > 1 else ""),
            *(self.district or "", "" if self.near is None else self.near, self.distance or ""),
            self.alike or "",
        )
        text = "\n".join(map(str, lines)).rstrip("\n")
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, key: str) -> Search | None:
        """None for a key that no board of ours has."""
        if len(key) > KEY_LENGTH or not key.isascii():
            return None
        try:
            text = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
            parts = (*text.split("\n"), *[""] * 13)
            q, category, free, first, last, price, skill, lender, pages = parts[:9]
            district, near, distance, alike = parts[9:13]
            found = cls.typed(
                *(q, category, free == "free"),
                (date.fromisoformat(first), date.fromisoformat(last)) if first else None,
                price=int(price) if price else None,
                skill=skill,
                lender=int(lender or 0),
                pages=int(pages or 1),
                district=int(district or 0),
                near=int(near) if near else None,
                distance=int(distance or 0),
                alike=int(alike or 0),
            )
        except (binascii.Error, ValueError):
            return None
        return found if found.key == key else None
