"""Finding what was said, in one's own rooms alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from app.chat.models import Message, MessageKind, Participant
from app.db import Tx
from app.people.viewer import Viewer

LONGEST = 100
MOST_WORDS = 6
PAGE = 30
AROUND = 60  # letters on either side of what was found


def words_of(asked: str) -> list[str]:
    """What is looked for: each of these must be somewhere in a message."""
    words = asked.replace("\x00", "")[:LONGEST].split()
    return list(dict.fromkeys(words))[:MOST_WORDS]


@dataclass(frozen=True)
class Found:
    """A message with what was looked for; `words` is escaped, with marks around it."""

    message: Message
    words: Markup


async def found(
    tx: Tx, viewer: Viewer, asked: str, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Found]:
    """The newest first; at most `limit` + 1, so that one sees whether there are more.

    Letters are compared without their case, anywhere in a word: that fits every language.
    """
    words = words_of(asked)
    if not words:
        return []
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .join(
            Participant,
            and_(
                Participant.community_id == Message.community_id,
                Participant.conversation_id == Message.conversation_id,
                Participant.person_id == viewer.person_id,
            ),
        )
        .where(
            Message.community_id == viewer.community_id,
            Message.kind != MessageKind.NOTE,
            Message.removed_at.is_(None),
            *(Message.body.icontains(word, autoescape=True) for word in words),
            *([Message.id < before] if before is not None else []),
        )
        .order_by(Message.id.desc())
        .limit(limit + 1)
    )
    return [Found(message, marked(message.body, words)) for message in rows]


def marked(text: str, words: Sequence[str]) -> Markup:
    """A piece of the text around the first that was found, with every find marked."""
    wanted = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    first = wanted.search(text)
    start = max(0, first.start() - AROUND) if first else 0
    end = (first.end() if first else 0) + AROUND
    piece = text[start:end]
    parts, last = [escape("…" if start else "")], 0
    for one in wanted.finditer(piece):
        parts += [escape(piece[last : one.start()]), Markup("<mark>{}</mark>").format(one[0])]
        last = one.end()
    parts += [escape(piece[last:]), escape("…" if end < len(text) else "")]
    return Markup("").join(parts)
