"""Who keeps whom away: reading blocks. They are made and ended in `members.blocks`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from app.db import Tx
from app.people.models import Block, Community, Membership, Person
from app.people.queries import IN_IT
from app.people.viewer import Apart


async def between(tx: Tx, me: int, others: Iterable[int | None]) -> Apart | None:
    """The block that stands between `me` and one of these; my own one first."""
    ids = [other for other in others if other is not None and other != me]
    if not ids:
        return None
    rows = await tx.execute(
        select(Person.name, Block.blocker_id == me)
        .join(
            Block,
            or_(
                and_(Block.blocker_id == me, Block.blocked_id == Person.id),
                and_(Block.blocked_id == me, Block.blocker_id == Person.id),
            ),
        )
        .where(Person.id.in_(ids))
        .order_by((Block.blocker_id == me).desc())
        .limit(1)
    )
    row = rows.first()
    return Apart(*row) if row else None


async def from_each(tx: Tx, me: int, others: Iterable[int | None]) -> Apart | None:
    """The block between `me` and these where each of them is kept apart: else one is left."""
    found = None
    for other in others:
        if other != me and (found := await between(tx, me, [other])) is None:
            return None
    return found


async def apart_from(tx: Tx, person_id: int) -> frozenset[int]:
    """Everybody whom a block keeps from this person, whoever of the two made it."""
    other = case((Block.blocker_id == person_id, Block.blocked_id), else_=Block.blocker_id)
    pairs = or_(Block.blocker_id == person_id, Block.blocked_id == person_id)
    return frozenset(await tx.scalars(select(other).where(pairs)))


async def apart_of(tx: Tx, people: Collection[int]) -> dict[int, frozenset[int]]:
    """For those of these people whom a block keeps from somebody: from whom."""
    rows = await tx.execute(
        select(Block.blocker_id, Block.blocked_id).where(
            or_(Block.blocker_id.in_(people), Block.blocked_id.in_(people))
        )
    )
    return {
        one: frozenset(others)
        for one, others in _both_ways((one, other) for one, other in rows).items()
    }


def _both_ways(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


async def pairs_in(tx: Tx, community_id: int) -> dict[int, set[int]]:
    """For each member of a community whom a block keeps from somebody: from whom."""
    both = select(Membership.person_id).where(
        Membership.community_id == community_id, Membership.status.in_(IN_IT)
    )
    rows = await tx.execute(
        select(Block.blocker_id, Block.blocked_id).where(
            Block.blocker_id.in_(both), Block.blocked_id.in_(both)
        )
    )
    return _both_ways((one, other) for one, other in rows)


async def blocks_of(
    tx: Tx, person_id: int, *, after: int = 0, limit: int | None = None
) -> Sequence[tuple[Block, Person]]:
    """Those whom this person blocked, with the block; `after` pages by their id."""
    rows = await tx.execute(
        select(Block, Person)
        .join(Person, Person.id == Block.blocked_id)
        .where(Block.blocker_id == person_id, Block.blocked_id > after)
        .order_by(Block.blocked_id)
        .limit(limit)
    )
    return [(block, person) for block, person in rows]


async def share_a_community(tx: Tx, one: int, other: int) -> bool:
    """Both are in it, suspended or not."""
    mine, theirs = aliased(Membership), aliased(Membership)
    shared = await tx.scalar(
        select(func.count())
        .select_from(mine)
        .join(theirs, theirs.community_id == mine.community_id)
        .where(
            mine.person_id == one,
            theirs.person_id == other,
            mine.status.in_(IN_IT),
            theirs.status.in_(IN_IT),
        )
    )
    return bool(shared)


async def hold_both(tx: Tx, one: int, other: int) -> None:
    """Until the end of the transaction, neither of the two asks, lists or decides anything.

    Whoever acts holds their own membership (`still_in`) before any tool; so does this, and the
    communities come first, as with everybody who holds somebody else's.
    """
    both = Membership.person_id.in_((one, other))
    where = select(Membership.community_id).where(both)
    await tx.execute(
        select(Community.id)
        .where(Community.id.in_(where))
        .order_by(Community.id)
        .with_for_update(key_share=True)
    )
    await tx.execute(
        select(Membership.community_id)
        .where(both)
        .order_by(Membership.community_id, Membership.person_id)
        .with_for_update(key_share=True)
    )
