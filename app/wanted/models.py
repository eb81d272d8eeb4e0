"""What somebody asks all neighbours for, and the lines that answer it."""

from __future__ import annotations

import enum
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base
from app.people.models import Person, one_of
from app.tools.models import Category, Tool


class WantedState(enum.StrEnum):
    OPEN = "open"
    ANSWERED = "answered"  # a tool was listed for it; only its asker still sees it
    TAKEN_BACK = "taken_back"
    OVER = "over"
    REMOVED = "removed"  # by a coordinator


class Wanted(Base):
    """Ends by itself at `ends_at`; `ended_at`: when it did, or was ended. Deleted a while later."""

    __tablename__ = "wanted"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(
            ["community_id", "category_id"], ["category.community_id", "category.id"]
        ),
        Index("ix_wanted_open", "community_id", "id", postgresql_where=text("ended_at IS NULL")),
        one_of("state", WantedState),
        CheckConstraint("char_length(words) BETWEEN 1 AND 140", name="words"),
        CheckConstraint("(first_day IS NULL) = (last_day IS NULL)", name="both_days"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("(ended_at IS NULL) = (state IN ('open', 'answered'))", name="ended"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    person_id: Mapped[int]
    words: Mapped[str]
    category_id: Mapped[int | None]
    first_day: Mapped[date | None]  # both inclusive, in the community's zone
    last_day: Mapped[date | None]
    state: Mapped[str] = mapped_column(default=WantedState.OPEN)
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin="foreign(Wanted.person_id) == remote(Person.id)",
    )
    category: Mapped[Category | None] = relationship(lazy="raise", viewonly=True)
    answers: Mapped[list[WantedAnswer]] = relationship(
        lazy="raise", viewonly=True, order_by="WantedAnswer.id"
    )


class WantedAnswer(Base):
    """A neighbour's line, one each; `tool_id`: what they have listed for it."""

    __tablename__ = "wanted_answer"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "wanted_id"], ["wanted.community_id", "wanted.id"]),
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        Index("uq_wanted_answer_one", "community_id", "wanted_id", "person_id", unique=True),
        CheckConstraint("char_length(words) BETWEEN 1 AND 140", name="words"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    wanted_id: Mapped[int]
    person_id: Mapped[int]
    words: Mapped[str]
    tool_id: Mapped[int | None]
    created_at: Mapped[datetime]

    person: Mapped[Person] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin="foreign(WantedAnswer.person_id) == remote(Person.id)",
    )
    tool: Mapped[Tool | None] = relationship(lazy="raise", viewonly=True)
