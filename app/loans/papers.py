"""What is kept of a hand-over: the code that two phones share, the record, and its photos."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.people.models import one_of


class Direction(enum.StrEnum):
    OUT = "out"
    IN = "in"


class Condition(enum.StrEnum):
    UNKNOWN = ""
    AS_BEFORE = "as_before"
    WORN = "worn"
    DAMAGED = "damaged"


class HandoverCode(Base):
    """The newest code of a loan, and only that one: a new one makes the old worthless.

    The digits follow from the nonce under a key of the instance, so that whoever shows them may
    reload the page; what is typed is compared with the hash, which names loan, direction, version.
    """

    __tablename__ = "handover_code"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "loan_id"], ["loan.community_id", "loan.id"]),
        one_of("direction", Direction),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    loan_id: Mapped[int] = mapped_column(primary_key=True)
    direction: Mapped[str]
    shown_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    loan_version: Mapped[int]
    nonce: Mapped[bytes]
    code_hash: Mapped[bytes]
    tries: Mapped[int]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Handover(Base):
    """One of a loan's two: when the button was pressed, when it really was, and what was seen.

    `parts`: {"name", "there"} each, as the tool's list was then.
    """

    __tablename__ = "handover"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "loan_id"], ["loan.community_id", "loan.id"]),
        one_of("direction", Direction),
        one_of("condition", Condition),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    loan_id: Mapped[int] = mapped_column(primary_key=True)
    direction: Mapped[str] = mapped_column(primary_key=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    pressed_at: Mapped[datetime]
    happened_at: Mapped[datetime]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    condition: Mapped[str] = mapped_column(default=Condition.UNKNOWN)
    words: Mapped[str] = mapped_column(default="")
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    noted_at: Mapped[datetime | None]


class HandoverPhoto(Base):
    """For the eyes of the two alone; never deleted."""

    __tablename__ = "handover_photo"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "loan_id", "direction"],
            ["handover.community_id", "handover.loan_id", "handover.direction"],
        ),
        Index("ix_handover_photo_loan", "community_id", "loan_id", "direction"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    loan_id: Mapped[int]
    direction: Mapped[str]
    name: Mapped[str] = mapped_column(unique=True)
    width: Mapped[int]
    height: Mapped[int]
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
