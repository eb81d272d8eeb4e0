"""A watch: somebody wants to be told when a tool that fits a search is listed, or comes free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app import queue
from app.db import Base, Tx

LOOK = "watches.look"


class Watch(Base):
    """The words and category of a board's search. `told_on`: the local day of its last notice."""

    __tablename__ = "watch"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        Index("uq_watch_search", "community_id", "person_id", "words", "category", unique=True),
        CheckConstraint("words <> '' OR category <> ''", name="something"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    person_id: Mapped[int]
    words: Mapped[str]
    category: Mapped[str]  # its slug, as in a board's address
    told_on: Mapped[date | None]
    created_at: Mapped[datetime]


async def stir(tx: Tx, community_id: int, tool_id: int, at: datetime, now: datetime) -> None:
    """The tool may be new, or free, from `at` on: a job asks then whom that is to be told.

    Instants are part of the key: to look now must not put off the look after its rest.
    """
    if await _anybody(tx, community_id):
        await _look(tx, community_id, tool_id, at, now)


async def stir_all(
    tx: Tx, community_id: int, tool_ids: Iterable[int], now: datetime, *, apart: timedelta
) -> None:
    """Many that are new at once. `apart`: between their looks, so that other work has its turn."""
    if await _anybody(tx, community_id):
        for number, tool_id in enumerate(tool_ids):
            await _look(tx, community_id, tool_id, now + number * apart, now)


async def _anybody(tx: Tx, community_id: int) -> bool:
    return bool(await tx.scalar(select(exists().where(Watch.community_id == community_id))))


async def _look(tx: Tx, community_id: int, tool_id: int, at: datetime, now: datetime) -> None:
    key = f"{community_id}/{tool_id}/{int(at.timestamp() * 1000)}/0"
    await queue.enqueue(tx, LOOK, key, at, now)


async def watchers(tx: Tx, community_id: int, slug: str) -> Sequence[int]:
    """Who watches this category: its name stands on their things."""
    rows = await tx.scalars(
        select(Watch.person_id).where(Watch.community_id == community_id, Watch.category == slug)
    )
    return rows.all()


async def rehang(tx: Tx, community_id: int, slug: str, into: str | None) -> Sequence[int]:
    """A category goes: its watches go along into another, or end. Answers whose they are.

    Who watches the same words there already has one watch of them, not two.
    """
    here = Watch.community_id == community_id, Watch.category == slug
    other = aliased(Watch)
    ends = delete(Watch).where(*here)
    if into is not None:
        ends = ends.where(
            exists().where(
                other.community_id == community_id,
                other.person_id == Watch.person_id,
                other.words == Watch.words,
                other.category == into,
            )
        )
    whose = list(await tx.scalars(ends.returning(Watch.person_id)))
    if into is not None:
        moved = update(Watch).where(*here).values(category=into).returning(Watch.person_id)
        whose += await tx.scalars(moved)
    return whose
