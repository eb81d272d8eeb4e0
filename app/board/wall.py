"""What hangs on the wall for a search, and in what order: one answer for page and push."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlencode

from app.board import queries
from app.db import Tx
from app.people.viewer import Here
from app.tools import rules

Q_LENGTH, CATEGORY_LENGTH = 100, 40
KEY_LENGTH = 800  # what the two and their encoding can come to


@dataclass(frozen=True)
class Search:
    """A board's question. Equal questions have equal keys, however they were typed."""

    q: str = ""
    category: str = ""
    free: bool = False

    @classmethod
    def typed(cls, q: str, category: str, free: bool) -> Search:
        words = rules.clean(q).lower().split()[: queries.WORDS]
        return cls(" ".join(words), rules.clean(category), free)

    @property
    def key(self) -> str:
        """For a topic's name; "" asks for everything."""
        asked = {"q": self.q, "category": self.category, "free": "1" if self.free else ""}
        text = urlencode({name: value for name, value in asked.items() if value})
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, key: str) -> Search | None:
        """None for a key that no board of ours has."""
        if len(key) > KEY_LENGTH or not key.isascii():
            return None
        try:
            text = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
            asked = parse_qs(text, keep_blank_values=True)
        except (binascii.Error, ValueError):
            return None
        found = cls.typed(
            asked.get("q", [""])[0][:Q_LENGTH],
            asked.get("category", [""])[0][:CATEGORY_LENGTH],
            asked.get("free") == ["1"],
        )
        return found if found.key == key else None


async def hanging(
    tx: Tx, here: Here, search: Search, now: datetime, locale: str
) -> Sequence[queries.Seen]:
    """The tools whose words fit, each with its state; not yet as anybody in particular sees it."""
    tools = await queries.on_the_board(tx, here, like=search.q, category=search.category)
    return await queries.seen(tx, here, tools, now, locale)


def arrange(
    found: Iterable[queries.Seen], search: Search, apart: Collection[int]
) -> list[queries.Seen]:
    """What one can have now hangs in front, by name within; `apart`: whose tools are veiled."""
    seen = queries.as_seen_by(found, apart)
    shown = [one for one in seen if one.state.free_now or not search.free]
    return sorted(shown, key=lambda one: not one.state.free_now)
