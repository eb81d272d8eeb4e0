"""Deferred work as rows: enqueued in the act's own transaction, so it exists if the act does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Identity, Index, delete, func, or_, select, update
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


class JobRun(Base):
    """What is known of all jobs of one name: when they last ran, and how that went."""

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(primary_key=True)
    runs: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    last_run_at: Mapped[datetime]
    last_failed_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="")


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


async def drop(tx: Tx, name: str, key: str, *, waits: bool = True) -> bool:
    """Forgets work that has become pointless. What is being run finds nothing to do.

    False if there was none any more, or, unless it `waits`, where somebody else is at it.
    """
    found = select(Job.id).where(Job.name == name, Job.key == key)
    found = found.with_for_update(skip_locked=not waits)
    gone = delete(Job).where(Job.id == found.scalar_subquery()).returning(Job.id)
    return (await tx.scalar(gone)) is not None


async def held(tx: Tx, name: str, key: str) -> bool:
    """True if it is still wanted; until this transaction ends, nobody drops it."""
    found = select(Job.id).where(Job.name == name, Job.key == key).with_for_update()
    return (await tx.scalar(found)) is not None


async def done(tx: Tx, job_id: int, until: datetime) -> None:
    """It has run; unless somebody has enqueued it anew meanwhile, it goes."""
    await tx.execute(delete(Job).where(Job.id == job_id, Job.run_at == until))


async def ensure(tx: Tx, name: str, at: datetime, now: datetime) -> None:
    """What runs on a schedule has one row; the one that is there is left as it is."""
    row = insert(Job).values(name=name, key="", run_at=at, created_at=now)
    await tx.execute(row.on_conflict_do_nothing(index_elements=["name", "key"]))


async def record(tx: Tx, name: str, now: datetime, error: str = "") -> None:
    """A job of this name has run, or failed. Comes last in a transaction: all share its row."""
    failed = 1 if error else 0
    row = insert(JobRun).values(
        name=name,
        runs=1 - failed,
        failures=failed,
        last_run_at=now,
        last_failed_at=now if error else None,
        last_error=error,
    )
    changed: dict[str, object] = {
        "runs": JobRun.runs + 1 - failed,
        "failures": JobRun.failures + failed,
        "last_run_at": now,
    }
    if error:
        changed |= {"last_failed_at": now, "last_error": error}
    await tx.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))


@dataclass(frozen=True)
class Kept:
    """All jobs of one name as far as one community has to do with them."""

    name: str
    run: JobRun | None
    waiting: int
    next_at: datetime | None


def _of(community_id: int) -> ColumnElement[bool]:
    """A community's jobs begin with its id; those of the whole instance have no key."""
    return or_(Job.key.startswith(f"{community_id}/", autoescape=True), Job.key == "")


async def overview(tx: Tx, community_id: int, names: Iterable[str]) -> list[Kept]:
    runs = {run.name: run for run in await tx.scalars(select(JobRun))}
    rows = await tx.execute(
        select(Job.name, func.count(), func.min(Job.run_at))
        .where(_of(community_id))
        .group_by(Job.name)
    )
    waiting = {name: (number, at) for name, number, at in rows}
    return [Kept(name, runs.get(name), *waiting.get(name, (0, None))) for name in names]


async def failing(tx: Tx, community_id: int, limit: int = 50) -> Sequence[Job]:
    """What has failed and will be tried again, the soonest first."""
    rows = await tx.scalars(
        select(Job)
        .where(_of(community_id), Job.attempts > 0)
        .order_by(Job.run_at, Job.id)
        .limit(limit)
    )
    return rows.all()


async def hurry(tx: Tx, community_id: int, job_id: int, now: datetime) -> None:
    """A job that failed is tried at once; one that has gone meanwhile has been done."""
    await tx.execute(
        update(Job)
        .where(Job.id == job_id, _of(community_id), Job.attempts > 0)
        .values(run_at=now)
        .execution_options(synchronize_session=False)
    )
