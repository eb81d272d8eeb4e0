"""A table of tools that somebody has sent, and what became of it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.people.models import one_of


class ImportState(enum.StrEnum):
    LOOKED = "looked"  # nothing has happened yet
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # nothing was imported; `said` has the reason


class ToolImport(Base):
    """`fates` holds a row's {row, fate, name, key, changes, why}; see `trial.Fate`."""

    __tablename__ = "tool_import"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        Index("ix_tool_import_age", "created_at"),
        one_of("state", ImportState),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    person_id: Mapped[int]
    state: Mapped[str] = mapped_column(default=ImportState.LOOKED)
    table_name: Mapped[str]  # of the file, as it was sent
    stored: Mapped[str]  # of the files that we keep until it is over
    with_photos: Mapped[bool]
    warnings: Mapped[list[Any]] = mapped_column(JSONB)
    fates: Mapped[list[Any]] = mapped_column(JSONB)
    staged: Mapped[dict[str, Any]] = mapped_column(JSONB)  # file name in the zip → our picture
    said: Mapped[str] = mapped_column(default="")
    done: Mapped[int] = mapped_column(default=0)
    of: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
