"""Tools that somebody keeps in mind: for their own eyes, nobody is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKeyConstraint, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app import topic
from app.db import Base, Tx
from app.errors import Refusal
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import queries
from app.tools.models import Tool

MOST = 100


class Saved(Base):
    __tablename__ = "saved"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    tool_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


async def save(tx: Tx, tool_id: int, by: Viewer, now: datetime) -> None:
    """A second time it changes nothing. Raises NotFound for a tool they may not see, Refusal."""
    await people.still_in(tx, by)
    await queries.tool_for(tx, by, tool_id)
    if not await has(tx, tool_id, by) and await _count(tx, by) >= MOST:
        raise Refusal("You keep very many tools in mind.", "Let go of one that you do not need.")
    row = insert(Saved).values(
        community_id=by.community_id, person_id=by.person_id, tool_id=tool_id, at=now
    )
    await tx.execute(row.on_conflict_do_nothing())
    touch(tx, topic.mine(by.community_id, tool_id))


async def let_go(tx: Tx, tool_id: int, by: Viewer) -> None:
    """Also of one that has left the wall. Raises NotFound for what they neither keep nor see."""
    which = (*_mine(by), Saved.tool_id == tool_id)
    if await tx.scalar(delete(Saved).where(*which).returning(Saved.tool_id)) is None:
        await queries.tool_for(tx, by, tool_id)
    touch(tx, topic.mine(by.community_id, tool_id))


async def has(tx: Tx, tool_id: int, by: Viewer) -> bool:
    return await tx.get(Saved, (by.community_id, by.person_id, tool_id)) is not None


async def of_person(tx: Tx, by: Viewer) -> Sequence[Tool]:
    """Here, the newest first."""
    rows = await tx.scalars(
        queries.with_all()
        .join(Saved, (Saved.community_id == Tool.community_id) & (Saved.tool_id == Tool.id))
        .where(*_mine(by))
        .order_by(Saved.at.desc(), Tool.id)
    )
    return rows.all()


async def _count(tx: Tx, by: Viewer) -> int:
    return await tx.scalar(select(func.count()).select_from(Saved).where(*_mine(by))) or 0


def _mine(by: Viewer) -> tuple[ColumnElement[bool], ...]:
    return Saved.community_id == by.community_id, Saved.person_id == by.person_id
