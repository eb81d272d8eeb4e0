"""What went wrong with a loan: incidents, their evidence, and sums between the two people.

Nothing of this is ever deleted. ToolShare moves no money: a sum is what the two say about it.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import NewType

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.people.models import one_of

IncidentId = NewType("IncidentId", int)
CENTS_HIGHEST = 1_000_000


class IncidentKind(enum.StrEnum):
    LATE = "late"
    DAMAGE = "damage"
    LOSS = "loss"
    NO_SHOW = "no_show"
    NOT_HERE = "not_here"


class Payer(enum.StrEnum):
    BORROWER = "borrower"
    LENDER = "lender"


class Purpose(enum.StrEnum):
    DEPOSIT = "deposit"
    DAMAGE = "damage"


def _of_a_loan() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["community_id", "loan_id"], ["loan.community_id", "loan.id"])


def _of_an_incident() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["community_id", "incident_id"], ["incident.community_id", "incident.id"]
    )


class Incident(Base):
    """Open until `settled_at`. `offer_…` is what one of the two proposes, not yet agreed."""

    __tablename__ = "incident"
    __table_args__ = (
        _of_a_loan(),
        Index("ix_incident_loan", "community_id", "loan_id"),
        Index("ix_incident_open", "community_id", postgresql_where=text("settled_at IS NULL")),
        one_of("kind", IncidentKind),
        one_of("offer_payer", Payer),
        CheckConstraint(f"offer_cents BETWEEN 0 AND {CENTS_HIGHEST}", name="offer_cents"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    loan_id: Mapped[int]
    kind: Mapped[str]
    opened_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    offer_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    offer_words: Mapped[str] = mapped_column(default="")
    offer_cents: Mapped[int] = mapped_column(default=0)
    offer_payer: Mapped[str] = mapped_column(default=Payer.BORROWER)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    result: Mapped[str] = mapped_column(default="")


class Evidence(Base):
    """Words, a picture or both; without an incident where a borrower left the tool somewhere."""

    __tablename__ = "evidence"
    __table_args__ = (
        _of_a_loan(),
        _of_an_incident(),
        Index("ix_evidence_loan", "community_id", "loan_id"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    loan_id: Mapped[int]
    incident_id: Mapped[int | None]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    words: Mapped[str] = mapped_column(default="")
    photo_name: Mapped[str | None] = mapped_column(unique=True)
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]


class Amount(Base):
    """A sum that one owes the other. Agreed by the other, paid and given back as people say."""

    __tablename__ = "amount"
    __table_args__ = (
        _of_a_loan(),
        _of_an_incident(),
        Index("ix_amount_loan", "community_id", "loan_id"),
        one_of("purpose", Purpose),
        one_of("payer", Payer),
        CheckConstraint(f"cents BETWEEN 1 AND {CENTS_HIGHEST}", name="cents"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    loan_id: Mapped[int]
    incident_id: Mapped[int | None]
    purpose: Mapped[str]
    payer: Mapped[str]
    cents: Mapped[int]
    noted_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    noted_at: Mapped[datetime]
    agreed_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    back_at: Mapped[datetime | None]
