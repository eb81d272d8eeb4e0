"""A photo of a tool: the row that names its files."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Photo(Base):
    """A picture of a tool, re-encoded by us; `name` is its random file name without ending.

    The tool's `photo_id` is its cover; the others follow by `position`.
    """

    __tablename__ = "photo"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "tool_id"], ["tool.community_id", "tool.id"], use_alter=True
        ),
        Index("ix_photo_tool", "community_id", "tool_id", "position"),
        Index(
            "uq_photo_client",
            "community_id",
            "tool_id",
            "client_id",
            unique=True,
            postgresql_where=text("client_id IS NOT NULL"),
        ),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(unique=True)
    width: Mapped[int]
    height: Mapped[int]
    tool_id: Mapped[int | None]  # None: a cover that the release before has hung up
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    alt: Mapped[str] = mapped_column(default="", server_default="")
    source: Mapped[str] = mapped_column(default="", server_default="")  # its name in a table
    client_id: Mapped[uuid.UUID | None]  # sent again, it is the same photo
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
