"""Reading somebody's notices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.db import Tx
from app.notices.models import Notice
from app.people.viewer import Viewer


async def unseen(tx: Tx, person_id: int) -> int:
    """How many, in all communities."""
    found = await tx.scalar(
        select(func.count())
        .select_from(Notice)
        .where(Notice.person_id == person_id, Notice.seen_at.is_(None))
    )
    return found or 0


async def notices_of(tx: Tx, person_id: int, limit: int = 100) -> Sequence[Notice]:
    """The newest, in all communities."""
    rows = await tx.scalars(
        select(Notice)
        .options(joinedload(Notice.by))
        .where(Notice.person_id == person_id)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    return rows.all()


async def notices_here(
    tx: Tx, viewer: Viewer, *, before: int | None = None, limit: int = 50
) -> Sequence[Notice]:
    """Those of this community, the newest first; `before` pages by id."""
    found = (
        select(Notice)
        .options(joinedload(Notice.by))
        .where(Notice.community_id == viewer.community_id, Notice.person_id == viewer.person_id)
    )
    if before is not None:
        found = found.where(Notice.id < before)
    rows = await tx.scalars(found.order_by(Notice.id.desc()).limit(limit))
    return rows.all()
