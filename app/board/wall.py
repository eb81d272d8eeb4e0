"""What hangs on the wall for a search, and in what order: one answer for page and push."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.board import queries
from app.db import Tx
from app.people.viewer import Here
from app.tools import rules

Q_BYTES, CATEGORY_BYTES = 400, 160  # a hundred and forty of the widest characters
KEY_LENGTH = 800  # what the two come to in a topic's name, which has room for 1,000


def _cut(text: str, size: int) -> str:
    """As many whole characters as fit: folding can make more of a text than was typed."""
    return text.encode()[:size].decode(errors="ignore").strip()


@dataclass(frozen=True)
class Search:
    """A board's question. Equal questions have equal keys, however they were typed."""

    q: str = ""
    category: str = ""
    free: bool = False

    @classmethod
    def typed(cls, q: str, category: str, free: bool) -> Search:
        words = rules.clean(q).lower().split()[: queries.WORDS]
        shelf = " ".join(rules.clean(category).split())
        return cls(_cut(" ".join(words), Q_BYTES), _cut(shelf, CATEGORY_BYTES), free)

    @property
    def key(self) -> str:
        """For a topic's name; "" asks for everything."""
        lines = (self.q, self.category, "free" if self.free else "")
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
        q, category, free, *_ = [*text.split("\n"), "", "", ""]
        found = cls.typed(q, category, free == "free")
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
