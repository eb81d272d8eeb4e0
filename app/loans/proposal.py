"""Other dates for a loan, as one of the two proposed them, and what the other answered."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base
from app.people.models import Person, one_of


class ChangeKind(enum.StrEnum):
    EXTEND = "extend"
    SHORTEN = "shorten"
    EARLY = "early"
    MOVE = "move"


class ChangeState(enum.StrEnum):
    OPEN = "open"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"  # by itself: the loan moved on, or the time came without an answer


class LoanChange(Base):
    """Other dates for a loan, proposed by one of the two. Blocks nothing until it is agreed on."""

    __tablename__ = "loan_change"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "loan_id"], ["loan.community_id", "loan.id"]),
        Index("ix_loan_change_loan", "community_id", "loan_id", "id"),
        Index(
            "uq_loan_change_open",
            "community_id",
            "loan_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        one_of("kind", ChangeKind),
        one_of("state", ChangeState),
        CheckConstraint("NOT isempty(period)", name="period"),
        CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answered"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    loan_id: Mapped[int]
    loan_version: Mapped[int]
    kind: Mapped[str]
    was: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    was_price_cents: Mapped[int]
    price_cents: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default=ChangeState.OPEN)
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    by: Mapped[Person] = relationship(lazy="raise", viewonly=True, foreign_keys=[by_id])

    @property
    def start(self) -> datetime:
        assert self.period.lower is not None, "a proposed period is bounded"
        return self.period.lower

    @property
    def end(self) -> datetime:
        assert self.period.upper is not None, "a proposed period is bounded"
        return self.period.upper

    @property
    def was_span(self) -> tuple[datetime, datetime]:
        assert self.was.lower is not None, "a loan's period is bounded"
        assert self.was.upper is not None, "a loan's period is bounded"
        return self.was.lower, self.was.upper

    @property
    def too_late_at(self) -> datetime:
        """From when on it makes no sense any more: its new start or its end has passed."""
        return self.end if self.was.lower == self.start else min(self.start, self.end)

    def answer(self, state: ChangeState, by_id: int | None, now: datetime) -> None:
        """Once and for all."""
        assert self.state == ChangeState.OPEN, "a proposal is answered once"
        self.state, self.answered_by_id, self.answered_at = state, by_id, now
