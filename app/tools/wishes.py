"""A wish: one person waits for one tool, for certain dates or for any days of a length."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    exists,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Tx
from app.errors import Span
from app.people.models import Membership, Person, one_of


class Outcome(enum.StrEnum):
    OPEN = "open"
    TAKEN = "taken"  # an offer was accepted
    LEFT = "left"
    PASSED = "passed"  # an offer of just these dates was declined or ran out
    OVER = "over"  # the dates have passed
    GONE = "gone"  # the tool or its person went


class Wish(Base):
    """Open until its outcome; one of a person for a tool at a time. `turn` orders a waitlist.

    `offered` is what an occupancy of kind offer keeps for this person until `offered_until`.
    `not_before`: an offer that was not taken is not made again, so what was free then is over.
    """

    __tablename__ = "wish"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        Index(
            "uq_wish_open",
            "community_id",
            "tool_id",
            "person_id",
            unique=True,
            postgresql_where=text("outcome = 'open'"),
        ),
        Index("ix_wish_person", "person_id", postgresql_where=text("outcome = 'open'")),
        one_of("outcome", Outcome),
        CheckConstraint("(period IS NULL) <> (days IS NULL)", name="what"),
        CheckConstraint("(offered IS NULL) = (offered_until IS NULL)", name="offer"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    tool_id: Mapped[int]
    person_id: Mapped[int]
    period: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    days: Mapped[int | None]
    turn: Mapped[int]
    asked_at: Mapped[datetime]
    offered: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    offered_at: Mapped[datetime | None]
    offered_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default=Outcome.OPEN)
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin="foreign(Wish.person_id) == remote(Person.id)",
    )
    standing: Mapped[Membership] = relationship(lazy="raise", viewonly=True)

    @property
    def dates(self) -> Span | None:
        return _span(self.period)

    @property
    def offer(self) -> Span | None:
        return _span(self.offered)


def _span(period: Range[datetime] | None) -> Span | None:
    if period is None:
        return None
    assert period.lower is not None, "a wish is bounded"
    assert period.upper is not None, "a wish is bounded"
    return period.lower, period.upper


async def anyone_waits(tx: Tx, community_id: int, tool_id: int) -> bool:
    found = await tx.scalar(
        select(
            exists().where(
                Wish.community_id == community_id,
                Wish.tool_id == tool_id,
                Wish.outcome == Outcome.OPEN,
            )
        )
    )
    return bool(found)
