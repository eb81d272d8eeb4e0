"""Who belongs to a community, and what would keep somebody in it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import contains_eager

from app.db import Tx
from app.errors import NotFound
from app.loans.models import KEPT, Loan
from app.loans.queries import of_person, with_all
from app.loans.states import OPEN, State
from app.people.models import Community, Membership, Person, Role, Status
from app.people.queries import community_by_slug, standing
from app.tools import keepers
from app.tools.models import Tool, ToolStatus


async def members_of(tx: Tx, community_id: int) -> Sequence[Membership]:
    """Everybody who is in or waits, with their person; by name."""
    found = await tx.scalars(
        select(Membership)
        .join(Membership.person)
        .options(contains_eager(Membership.person))
        .where(Membership.community_id == community_id, Membership.status != Status.LEFT)
        .order_by(func.lower(Person.name), Person.id)
    )
    return found.all()


async def count_members(tx: Tx, community_id: int) -> int:
    active = select(func.count()).where(
        Membership.community_id == community_id, Membership.status == Status.ACTIVE
    )
    return await tx.scalar(active) or 0


async def count_tools(tx: Tx, community_id: int) -> int:
    listed = select(func.count()).where(
        Tool.community_id == community_id, Tool.status == ToolStatus.LISTED
    )
    return await tx.scalar(listed) or 0


async def locked_roll(tx: Tx, community_id: int) -> Sequence[int]:
    """The ids of the active admins; until the end of the transaction nobody else changes roles."""
    await tx.execute(
        select(Community.id).where(Community.id == community_id).with_for_update(key_share=True)
    )
    admins = await tx.scalars(
        select(Membership.person_id).where(
            Membership.community_id == community_id,
            Membership.status == Status.ACTIVE,
            Membership.role == Role.ADMIN,
        )
    )
    return admins.all()


async def locked_member(tx: Tx, community_id: int, person_id: int) -> Membership:
    """Raises NotFound for who was never here."""
    found = await tx.scalar(
        select(Membership)
        .join(Membership.person)
        .options(contains_eager(Membership.person))
        .where(Membership.community_id == community_id, Membership.person_id == person_id)
        .with_for_update(of=Membership, key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


async def open_loans_of(tx: Tx, community_id: int, person_id: int) -> Sequence[Loan]:
    """What this person borrows or lends here and is not over; in the order rooms are bumped in."""
    found = await tx.scalars(
        with_all()
        .where(
            Loan.community_id == community_id,
            of_person(person_id),
            Loan.state.in_(OPEN),
        )
        .order_by(Loan.conversation_id)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def requests_between(tx: Tx, one: int, other: int) -> Sequence[Loan]:
    """What the two have asked each other for, everywhere; in the order rooms are bumped in."""
    found = await tx.scalars(
        with_all()
        .where(_between(one, other), Loan.state == State.REQUESTED)
        .order_by(Loan.conversation_id)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def loans_between(tx: Tx, one: int, other: int) -> list[tuple[int, int]]:
    """(community, loan) of all there ever were between the two."""
    rows = await tx.execute(select(Loan.community_id, Loan.id).where(_between(one, other)))
    return [(community_id, loan_id) for community_id, loan_id in rows]


def _between(one: int, other: int) -> ColumnElement[bool]:
    return or_(
        and_(Loan.borrower_id == one, Loan.lender_id == other),
        and_(Loan.borrower_id == other, Loan.lender_id == one),
        and_(KEPT, Loan.borrower_id == one, Loan.keepers.contains([other])),
        and_(KEPT, Loan.borrower_id == other, Loan.keepers.contains([one])),
    )


async def loans_ever(tx: Tx, person_id: int) -> Sequence[Loan]:
    """All loans, everywhere, that name this person."""
    found = await tx.scalars(
        select(Loan).where(or_(of_person(person_id), Loan.mediator_id == person_id))
    )
    return found.all()


async def tools_of(tx: Tx, person_id: int, community_id: int | None = None) -> Sequence[Tool]:
    """In the order in which tools are locked."""
    found = select(Tool).where(Tool.owner_id == person_id).order_by(Tool.community_id, Tool.id)
    if community_id is not None:
        found = found.where(Tool.community_id == community_id)
    return (await tx.scalars(found)).all()


async def lent_by(tx: Tx, person_id: int, community_id: int | None = None) -> Sequence[Tool]:
    """Own tools and those of a community that this person keeps, in the order of locks."""
    found = select(Tool).where(keepers.lent_by(person_id)).order_by(Tool.community_id, Tool.id)
    if community_id is not None:
        found = found.where(Tool.community_id == community_id)
    return (await tx.scalars(found)).all()


async def communities_of(tx: Tx, person_id: int) -> Sequence[int]:
    found = await tx.scalars(
        select(Membership.community_id).where(
            Membership.person_id == person_id, Membership.status != Status.LEFT
        )
    )
    return found.all()


async def own_standing(tx: Tx, slug: str, person_id: int) -> tuple[Community, Membership]:
    """Raises NotFound for who never had to do with the community."""
    community = await community_by_slug(tx, slug)
    found = await standing(tx, community.id, person_id)
    if found is None:
        raise NotFound
    return community, found


async def path_of(tx: Tx, standing: Membership) -> str:
    community = await tx.get_one(Community, standing.community_id)
    return f"/c/{community.slug}"
