"""Reading somebody's notices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.db import Tx
from app.notices.models import Kind, Notice
from app.people.models import Community
from app.people.viewer import Viewer

SUBJECTS = 100
TOLD_BY_THE_BELL = Notice.kind != Kind.MESSAGE  # rooms count their own lines


async def unseen(tx: Tx, person_id: int) -> int:
    """How many, in all communities."""
    found = await tx.scalar(
        select(func.count())
        .select_from(Notice)
        .where(Notice.person_id == person_id, Notice.seen_at.is_(None), TOLD_BY_THE_BELL)
    )
    return found or 0


async def unseen_subjects(tx: Tx, person_id: int) -> list[tuple[str, str]]:
    """(slug, subject): pages that, while they are looked at, show what the bell would tell."""
    rows = await tx.execute(
        select(Community.slug, Notice.subject)
        .join(Community, Community.id == Notice.community_id)
        .where(Notice.person_id == person_id, Notice.seen_at.is_(None))
        .distinct()
        .order_by(Community.slug, Notice.subject)
        .limit(SUBJECTS)
    )
    return [(slug, subject) for slug, subject in rows]


async def notices_of(tx: Tx, person_id: int, limit: int = 100) -> Sequence[Notice]:
    """The newest, in all communities."""
    rows = await tx.scalars(
        select(Notice)
        .options(joinedload(Notice.by))
        .where(Notice.person_id == person_id, TOLD_BY_THE_BELL)
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
        .where(
            Notice.community_id == viewer.community_id,
            Notice.person_id == viewer.person_id,
            TOLD_BY_THE_BELL,
        )
    )
    if before is not None:
        found = found.where(Notice.id < before)
    rows = await tx.scalars(found.order_by(Notice.id.desc()).limit(limit))
    return rows.all()
