"""Where something is fetched: the exact place, for few eyes; and the districts, for everybody's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

ON_EARTH = "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180"


class District(Base):
    """A part of the neighbourhood, as coordinators name it; its point, if any, is no secret."""

    __tablename__ = "district"
    __table_args__ = (
        Index("uq_district_name", "community_id", "name", unique=True),
        CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),
        CheckConstraint("(lat IS NULL) = (lon IS NULL)", name="both"),
        CheckConstraint(ON_EARTH, name="on_earth"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    name: Mapped[str]
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)


class Place(Base):
    """Where a person's tools are fetched, or one tool that is somewhere else.

    Exact, so nobody reads it by chance: only `tools.places` asks for it. What is told of it stands
    at the tools themselves: their cell and district. `cell`: of its point, else of its district's.
    """

    __tablename__ = "place"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        ForeignKeyConstraint(
            ["community_id", "district_id"], ["district.community_id", "district.id"]
        ),
        Index(
            "uq_place_person",
            "community_id",
            "person_id",
            unique=True,
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        Index(
            "uq_place_tool",
            "community_id",
            "tool_id",
            unique=True,
            postgresql_where=text("tool_id IS NOT NULL"),
        ),
        CheckConstraint("(person_id IS NULL) <> (tool_id IS NULL)", name="whose"),
        CheckConstraint("char_length(address) <= 300", name="address"),
        CheckConstraint("(lat IS NULL) = (lon IS NULL)", name="both"),
        CheckConstraint(ON_EARTH, name="on_earth"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    person_id: Mapped[int | None]
    tool_id: Mapped[int | None]
    address: Mapped[str] = mapped_column(default="")
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    cell: Mapped[int | None] = mapped_column(BigInteger)
    district_id: Mapped[int | None]
    changed_at: Mapped[datetime]
