"""Deferred work as rows: enqueued in the act's own transaction, so it exists if the act does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Identity, Index, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Tx


class Job(Base):
    """One thing to do at or after `run_at`; `name` and `key` together are unique."""

    __tablename__ = "job"
    __table_args__ = (
        Index("uq_job_name", "name", "key", unique=True),
        Index("ix_job_due", "run_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    key: Mapped[str]
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class ClockMark(Base):
    """Up to which instant the clock task has told the boards that time has passed."""

    __tablename__ = "clock_mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    done_until: Mapped[datetime]


async def enqueue(tx: Tx, name: str, key: str, at: datetime, now: datetime) -> None:
    """Runs `name` with `key` once at `at`; a second call moves the instant."""
    row = insert(Job).values(name=name, key=key, run_at=at, created_at=now)
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=["name", "key"], set_={"run_at": at, "attempts": 0, "last_error": ""}
        )
    )


async def drop(tx: Tx, name: str, key: str) -> None:
    """Forgets work that has become pointless.

    One that is being run is left alone: it waits for the lock we hold, and then finds nothing to
    do. Waiting for it here would be a deadlock.
    """
    idle = select(Job.id).where(Job.name == name, Job.key == key).with_for_update(skip_locked=True)
    await tx.execute(delete(Job).where(Job.id.in_(idle)))
