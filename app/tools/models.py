"""A tool is one physical thing; an occupancy blocks it for a period."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import Any, NewType

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    and_,
    text,
)
from sqlalchemy.dialects.postgresql import (
    ARRAY,
    JSONB,
    TSTZRANGE,
    TSVECTOR,
    ExcludeConstraint,
    Range,
)
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote

from app.db import Base
from app.people.models import Person, one_of
from app.tools import folded, lending
from app.tools.lending import Lending
from app.tools.photo import Photo
from app.tools.place import District

ToolId = NewType("ToolId", int)
CategoryId = NewType("CategoryId", int)


class ToolStatus(enum.StrEnum):
    DRAFT = "draft"
    LISTED = "listed"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    MISSING = "missing"
    ARCHIVED = "archived"


class Skill(enum.StrEnum):
    """What one should have done before; in this order, each asks for more."""

    ANYONE = "anyone"
    PRACTICE = "some practice"
    EXPERT = "expert"


class OccupancyKind(enum.StrEnum):
    HOLD = "hold"
    OFFER = "offer"
    LOAN = "loan"
    BLACKOUT = "blackout"


def fresh_key() -> str:
    return str(uuid.uuid4())


class Category(Base):
    __tablename__ = "category"
    __table_args__ = (
        Index("uq_category_slug", "community_id", "slug", unique=True),
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="slug"),
        ForeignKeyConstraint(
            ["community_id", "parent_id"], ["category.community_id", "category.id"]
        ),
        CheckConstraint("parent_id <> id", name="parent"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    parent_id: Mapped[int | None]  # two levels: a parent has none
    slug: Mapped[str]
    name: Mapped[str]
    icon: Mapped[str] = mapped_column(default="wrench")
    position: Mapped[int] = mapped_column(default=0)


class Tool(Base):
    __tablename__ = "tool"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "category_id"], ["category.community_id", "category.id"]
        ),
        ForeignKeyConstraint(["community_id", "photo_id"], ["photo.community_id", "photo.id"]),
        ForeignKeyConstraint(
            ["community_id", "district_id"], ["district.community_id", "district.id"]
        ),
        ForeignKeyConstraint(
            ["community_id", "owner_id"], ["membership.community_id", "membership.person_id"]
        ),
        Index("ix_tool_owner", "community_id", "owner_id"),
        Index(
            "ix_tool_keepers",
            "keepers",
            postgresql_using="gin",
            postgresql_where=text("owner_id IS NULL"),
        ),
        Index("ix_tool_name", "community_id", "status", "name"),
        Index("ix_tool_category", "community_id", "category_id"),
        Index("ix_tool_wall", "community_id", "plain_name", "id"),
        Index("ix_tool_words", "words", postgresql_using="gin"),
        Index(
            "ix_tool_letters",
            "plain_name",
            postgresql_using="gin",
            postgresql_ops={"plain_name": "gin_trgm_ops"},
        ),
        Index("ix_tool_key", "community_id", "key"),
        Index(
            "ix_tool_cell",
            "community_id",
            "cell",
            "plain_name",
            postgresql_where=text("cell IS NOT NULL"),
        ),
        one_of("status", ToolStatus),
        one_of("skill", Skill),
        # A member's, or the community's: then somebody always looks after it.
        CheckConstraint("(owner_id IS NULL) = (cardinality(keepers) > 0)", name="keepers"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 80", name="name"),
        CheckConstraint("char_length(key) BETWEEN 1 AND 80", name="key"),
        CheckConstraint("price_cents BETWEEN 0 AND 100000", name="price_cents"),
        CheckConstraint("shortest_hours BETWEEN 0 AND 168", name="shortest_hours"),
        CheckConstraint("longest_days BETWEEN 1 AND 60", name="longest_days"),
        CheckConstraint("notice_hours BETWEEN 0 AND 336", name="notice_hours"),
        CheckConstraint("horizon_days BETWEEN 1 AND 180", name="horizon_days"),
        CheckConstraint("buffer_hours BETWEEN 0 AND 168", name="buffer_hours"),
        CheckConstraint("deposit_cents BETWEEN 0 AND 100000", name="deposit_cents"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    owner_id: Mapped[int | None]  # None: it belongs to the community
    keepers: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)  # who lends that
    category_id: Mapped[int]
    # By what a row of a table is known again; unique only among what one person brings.
    key: Mapped[str] = mapped_column(
        default=fresh_key, server_default=text("gen_random_uuid()::text")
    )
    photo_id: Mapped[int | None]  # its cover
    # Where it is, blurred: all that a wall is asked by. `tools.places` keeps them right.
    cell: Mapped[int | None]
    district_id: Mapped[int | None]
    name: Mapped[str]
    brand: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    # Both by the database itself, to be searched: nobody reads them.
    plain_name: Mapped[str | None] = mapped_column(
        Computed(folded.NAME_AND_BRAND, persisted=True), deferred=True, deferred_raiseload=True
    )
    words: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(folded.WORDS, persisted=True),
        nullable=True,
        deferred=True,
        deferred_raiseload=True,
    )
    skill: Mapped[str] = mapped_column(default=Skill.ANYONE)
    price_cents: Mapped[int] = mapped_column(default=0)
    doorstep: Mapped[bool] = mapped_column(default=True)
    # The lending rules; read them as `lending`.
    shortest_hours: Mapped[int] = mapped_column(default=lending.SHORTEST_HOURS)
    longest_days: Mapped[int] = mapped_column(default=lending.LONGEST_DAYS)
    notice_hours: Mapped[int] = mapped_column(default=lending.NOTICE_HOURS)
    horizon_days: Mapped[int] = mapped_column(default=lending.HORIZON_DAYS)
    buffer_hours: Mapped[int] = mapped_column(default=lending.BUFFER_HOURS)
    windows: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    deposit_cents: Mapped[int] = mapped_column(default=0)
    auto_approve: Mapped[bool] = mapped_column(default=False)
    safety: Mapped[str] = mapped_column(default="")
    parts: Mapped[str] = mapped_column(default="")  # what comes with it, a line each
    self_service: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(default=ToolStatus.LISTED)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    owner: Mapped[Person | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: remote(Person.id) == foreign(Tool.owner_id),
    )
    category: Mapped[Category] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: and_(
            remote(Category.community_id) == Tool.community_id,
            remote(Category.id) == foreign(Tool.category_id),
        ),
    )
    photo: Mapped[Photo | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: and_(
            remote(Photo.community_id) == Tool.community_id,
            remote(Photo.id) == foreign(Tool.photo_id),
        ),
    )

    district: Mapped[District | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: and_(
            remote(District.community_id) == Tool.community_id,
            remote(District.id) == foreign(Tool.district_id),
        ),
    )

    @property
    def lenders(self) -> tuple[int, ...]:
        """Who answers for it: its owner, or the keepers of a community's tool, in their order."""
        return tuple(self.keepers) if self.owner_id is None else (self.owner_id,)

    @property
    def lending(self) -> Lending:
        """Before a tool is in the database it has the defaults."""
        return Lending(
            shortest_hours=self.shortest_hours or lending.SHORTEST_HOURS,
            longest_days=self.longest_days or lending.LONGEST_DAYS,
            notice_hours=self.notice_hours or lending.NOTICE_HOURS,
            horizon_days=self.horizon_days or lending.HORIZON_DAYS,
            buffer_hours=self.buffer_hours or lending.BUFFER_HOURS,
            windows=lending.windows_from(self.windows or ()),
            deposit_cents=self.deposit_cents or 0,
            auto_approve=bool(self.auto_approve),
            safety=self.safety or "",
        )


class KeyBox(Base):
    """Where the key of a self-service tool is; apart, so that nobody reads it by chance."""

    __tablename__ = "key_box"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    tool_id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(default="")
    code: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime]


class Occupancy(Base):
    """A row that blocks a tool for a period: the only thing the overlap rule looks at."""

    __tablename__ = "occupancy"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        ForeignKeyConstraint(["community_id", "loan_id"], ["loan.community_id", "loan.id"]),
        ExcludeConstraint(
            ("community_id", "="),
            ("tool_id", "="),
            ("period", "&&"),
            using="gist",
            name="ex_occupancy_overlap",
        ),
        Index(
            "uq_occupancy_loan",
            "community_id",
            "loan_id",
            unique=True,
            postgresql_where=text("loan_id IS NOT NULL"),
        ),
        # One hold for each person and tool; a person's are counted.
        Index(
            "uq_occupancy_hold",
            "person_id",
            "community_id",
            "tool_id",
            unique=True,
            postgresql_where=text("kind = 'hold'"),
        ),
        # What is free on certain days: the overlap rule's index is sorted by tools first.
        Index("ix_occupancy_when", "community_id", "period", postgresql_using="gist"),
        one_of("kind", OccupancyKind),
        CheckConstraint("NOT isempty(period)", name="period"),
        CheckConstraint("(kind IN ('hold', 'offer')) = (expires_at IS NOT NULL)", name="expiry"),
        CheckConstraint("kind <> 'loan' OR loan_id IS NOT NULL", name="loan"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    tool_id: Mapped[int]
    kind: Mapped[str]
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    loan_id: Mapped[int | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime | None]


class HoldTurn(Base):
    """Until when somebody may hold dates of a tool: letting go and choosing anew is one turn."""

    __tablename__ = "hold_turn"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        Index("ix_hold_turn_person", "person_id", "ends_at"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    tool_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    ends_at: Mapped[datetime]
    let_go: Mapped[bool] = mapped_column(default=False)
