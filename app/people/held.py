"""Memberships as they are until the commit: whoever acts on somebody else holds both."""

from __future__ import annotations

from sqlalchemy import select

from app.db import Tx
from app.errors import NotFound
from app.people.models import Membership
from app.people.queries import IN_IT
from app.people.viewer import Viewer


async def both(tx: Tx, person_id: int | None, by: Viewer) -> Membership | None:
    """The viewer's and this person's, in one order, before any tool's lock; answers theirs.

    Raises NotFound where the viewer is in the community no more.
    """
    ids = {by.person_id} | ({person_id} if person_id is not None else set())
    rows = await tx.scalars(
        select(Membership)
        .where(Membership.community_id == by.community_id, Membership.person_id.in_(ids))
        .order_by(Membership.person_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    found = {row.person_id: row for row in rows}
    if by.person_id not in found or found[by.person_id].status not in IN_IT:
        raise NotFound
    return found.get(person_id) if person_id is not None else None
