"""Reading what is wanted, as far as one person may see it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql import Select

from app.db import Tx
from app.errors import NotFound
from app.people import blocks
from app.people.models import Membership, Status
from app.people.viewer import Viewer
from app.tools.models import Tool
from app.tools.rules import ON_THE_BOARD
from app.wanted.models import Wanted, WantedAnswer, WantedState

SHOWN = 100


def _seen_by(viewer: Viewer, apart: Collection[int], now: datetime) -> Select[Wanted]:
    """Open ones of active members; the own ones also when a tool was listed for them."""
    mine = Wanted.person_id == viewer.person_id
    return (
        select(Wanted)
        .join(
            Membership,
            (Membership.community_id == Wanted.community_id)
            & (Membership.person_id == Wanted.person_id),
        )
        .where(
            Wanted.community_id == viewer.community_id,
            Wanted.ended_at.is_(None),
            Wanted.ends_at > now,
            or_(mine, Wanted.state == WantedState.OPEN),
            or_(mine, Membership.status == Status.ACTIVE),
            Wanted.person_id.not_in(apart),
        )
    )


async def seen_by(
    tx: Tx,
    viewer: Viewer,
    now: datetime,
    *,
    before: int | None = None,
    only: int | None = None,
    limit: int = SHOWN,
) -> Sequence[Wanted]:
    """The newest first, each with its answers; nothing of those whom a block keeps away."""
    apart = await blocks.apart_from(tx, viewer.person_id)
    found = _seen_by(viewer, apart, now).options(
        joinedload(Wanted.person),
        joinedload(Wanted.category),
        selectinload(
            Wanted.answers.and_(
                WantedAnswer.person_id.not_in(apart),
                WantedAnswer.person_id.in_(_active(viewer.community_id)),
            )
        ).options(joinedload(WantedAnswer.person), joinedload(WantedAnswer.tool)),
    )
    if before is not None:
        found = found.where(Wanted.id < before)
    if only is not None:
        found = found.where(Wanted.id == only)
    rows = await tx.scalars(
        found.order_by(Wanted.id.desc()).limit(limit).execution_options(populate_existing=True)
    )
    return rows.all()


def _active(community_id: int) -> Select[int]:
    return select(Membership.person_id).where(
        Membership.community_id == community_id, Membership.status == Status.ACTIVE
    )


async def one_for(tx: Tx, viewer: Viewer, wanted_id: int, now: datetime) -> Wanted | None:
    found = await seen_by(tx, viewer, now, only=wanted_id)
    return found[0] if found else None


async def locked(tx: Tx, by: Viewer, wanted_id: int) -> Wanted:
    """Held until the transaction ends. Raises NotFound, also where a block stands between."""
    found = await tx.scalar(
        select(Wanted)
        .where(Wanted.community_id == by.community_id, Wanted.id == wanted_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None or await blocks.between(tx, by.person_id, [found.person_id]):
        raise NotFound
    return found


async def open_of(tx: Tx, community_id: int, person_id: int) -> int:
    """How many things somebody asks for."""
    found = await tx.scalar(
        select(func.count()).where(
            Wanted.community_id == community_id,
            Wanted.person_id == person_id,
            Wanted.state == WantedState.OPEN,
        )
    )
    return found or 0


async def answers_to(tx: Tx, wanted: Wanted) -> Sequence[WantedAnswer]:
    rows = await tx.scalars(
        select(WantedAnswer)
        .where(
            WantedAnswer.community_id == wanted.community_id, WantedAnswer.wanted_id == wanted.id
        )
        .order_by(WantedAnswer.id)
    )
    return rows.all()


async def answered_by(tx: Tx, by: Viewer, answer_id: int) -> tuple[WantedAnswer, Wanted] | None:
    """Somebody's own answer, and to what."""
    row = await tx.execute(
        select(WantedAnswer, Wanted)
        .join(
            Wanted,
            (Wanted.community_id == WantedAnswer.community_id)
            & (Wanted.id == WantedAnswer.wanted_id),
        )
        .options(joinedload(Wanted.category))
        .where(
            WantedAnswer.community_id == by.community_id,
            WantedAnswer.id == answer_id,
            WantedAnswer.person_id == by.person_id,
        )
    )
    found = row.first()
    return (found[0], found[1]) if found else None


def newest_tool(wanted: Wanted) -> Tool | None:
    """What was last listed for it, of what is still on the board."""
    listed = (one.tool for one in reversed(wanted.answers) if one.tool)
    return next((tool for tool in listed if tool.status in ON_THE_BOARD), None)
