"""A calendar that a program fetches by an address with a secret in it."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.people.models import one_of


class FeedKind(enum.StrEnum):
    LOANS = "loans"  # what I borrow
    TOOLS = "tools"  # what I lend
    TOOL = "tool"  # when one tool is taken, without names


class Feed(Base):
    """One address of one person. Derived from SECRET_KEY and the nonce, looked up by hash."""

    __tablename__ = "feed"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        Index(
            "uq_feed_person",
            "community_id",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=text("tool_id IS NULL"),
        ),
        Index(
            "uq_feed_tool",
            "community_id",
            "person_id",
            "tool_id",
            unique=True,
            postgresql_where=text("tool_id IS NOT NULL"),
        ),
        one_of("kind", FeedKind),
        CheckConstraint("(kind = 'tool') = (tool_id IS NOT NULL)", name="tool"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    person_id: Mapped[int]
    kind: Mapped[str]
    tool_id: Mapped[int | None]
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
