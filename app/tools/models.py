"""A tool is one physical thing; an occupancy blocks it for a period."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import NewType

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    and_,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote

from app.db import Base
from app.people.models import Person, one_of

ToolId = NewType("ToolId", int)
CategoryId = NewType("CategoryId", int)


class ToolStatus(enum.StrEnum):
    DRAFT = "draft"
    LISTED = "listed"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    MISSING = "missing"
    ARCHIVED = "archived"


class OccupancyKind(enum.StrEnum):
    HOLD = "hold"
    OFFER = "offer"
    LOAN = "loan"
    BLACKOUT = "blackout"


class Category(Base):
    __tablename__ = "category"
    __table_args__ = (
        Index("uq_category_slug", "community_id", "slug", unique=True),
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="slug"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    slug: Mapped[str]
    name: Mapped[str]
    icon: Mapped[str] = mapped_column(default="wrench")
    position: Mapped[int] = mapped_column(default=0)


class Photo(Base):
    """A picture of a tool, re-encoded by us; `name` is its random file name without ending."""

    __tablename__ = "photo"

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(unique=True)
    width: Mapped[int]
    height: Mapped[int]
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]


class Tool(Base):
    __tablename__ = "tool"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "category_id"], ["category.community_id", "category.id"]
        ),
        ForeignKeyConstraint(["community_id", "photo_id"], ["photo.community_id", "photo.id"]),
        ForeignKeyConstraint(
            ["community_id", "owner_id"], ["membership.community_id", "membership.person_id"]
        ),
        Index("ix_tool_owner", "community_id", "owner_id"),
        Index("ix_tool_name", "community_id", "status", "name"),
        one_of("status", ToolStatus),
        CheckConstraint("char_length(name) BETWEEN 1 AND 80", name="name"),
        CheckConstraint("price_cents BETWEEN 0 AND 100000", name="price_cents"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    owner_id: Mapped[int]
    category_id: Mapped[int]
    photo_id: Mapped[int | None]
    name: Mapped[str]
    brand: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    price_cents: Mapped[int] = mapped_column(default=0)
    doorstep: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(default=ToolStatus.LISTED)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    owner: Mapped[Person] = relationship(
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
