"""Letters that a person asked for: to prove an address, for a new password, to invite somebody.

Only that one is wanted is written down, with the address that was typed. Whether anybody is there,
and the secret of the link, come up when it is sent (`links`): asking takes as long for an unknown
address as for a known one, and no secret lies in the database.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, delete, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Tx
from app.outgoing import Outgoing, Sending
from app.people.models import one_of

KEPT = timedelta(days=7)


class LetterKind(enum.StrEnum):
    CONFIRM = "confirm"
    RESET = "reset"
    INVITATION = "invitation"


class Letter(Outgoing, Base):
    __tablename__ = "letter"
    __table_args__ = (
        one_of("kind", LetterKind),
        one_of("sending", Sending),
        Index("ix_letter_ready", "send_at", postgresql_where=text("sending = 'ready'")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    address: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("community.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


async def write(
    tx: Tx,
    kind: LetterKind,
    address: str,
    now: datetime,
    *,
    person_id: int | None = None,
    community_id: int | None = None,
    facts: Mapping[str, object] | None = None,
) -> Letter:
    """It goes out after the commit."""
    letter = Letter(
        kind=kind,
        address=address,
        person_id=person_id,
        community_id=community_id,
        facts=dict(facts or {}),
        created_at=now,
        send_at=now,
    )
    tx.add(letter)
    await tx.flush()
    return letter


async def forget_old(tx: Tx, now: datetime) -> None:
    """Addresses are not kept longer than somebody may ask what became of a letter."""
    await tx.execute(delete(Letter).where(Letter.created_at <= now - KEPT))
