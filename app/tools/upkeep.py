"""What became of a tool beside its loans: broken, missing, repaired, in order again."""

from __future__ import annotations

import enum
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.people.models import one_of

WORDS_LONGEST = 500
COST_HIGHEST = 10_000_000  # cents


class UpkeepKind(enum.StrEnum):
    BROKEN = "broken"
    MISSING = "missing"
    REPAIR = "repair"
    IN_ORDER = "in_order"


class Upkeep(Base):
    """One line of it. Neighbours read the words; the cost only who lends the tool."""

    __tablename__ = "upkeep"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        Index("ix_upkeep_tool", "community_id", "tool_id", "id"),
        one_of("kind", UpkeepKind),
        CheckConstraint(f"cost_cents BETWEEN 0 AND {COST_HIGHEST}", name="cost_cents"),
        CheckConstraint(f"char_length(words) <= {WORDS_LONGEST}", name="words"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    tool_id: Mapped[int]
    kind: Mapped[str]
    day: Mapped[date]  # in the community's zone
    words: Mapped[str] = mapped_column(default="")
    cost_cents: Mapped[int] = mapped_column(default=0)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
