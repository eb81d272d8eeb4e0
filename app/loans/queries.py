"""Reading loans: one for a viewer, those of a tool, those that wait for somebody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import joinedload
from sqlalchemy.sql import Select

from app.db import Tx
from app.errors import NotFound
from app.loans.models import KEPT, Loan, LoanEvent
from app.loans.rules import part_of
from app.loans.states import OPEN, POSSESSED, State, Who
from app.people.viewer import Viewer
from app.tools import queries as tool_queries
from app.tools.models import Tool

PARTIES = Who.BORROWER | Who.LENDER | Who.MEDIATOR
"""Whose the room is: the two, and a mediator whom they asked."""
IN_HAND = or_(Loan.state.in_(POSSESSED), and_(Loan.state == State.DISPUTED, Loan.back_at.is_(None)))


def with_all() -> Select[Loan]:
    """A loan with everything its page shows."""
    return select(Loan).options(
        joinedload(Loan.tool).joinedload(Tool.photo),
        joinedload(Loan.tool).joinedload(Tool.category),
        joinedload(Loan.borrower),
        joinedload(Loan.lender),
    )


def of_person(person_id: int) -> ColumnElement[bool]:
    """Loans that this person borrows or lends."""
    return or_(Loan.borrower_id == person_id, lent_by(person_id))


def lent_by(person_id: int) -> ColumnElement[bool]:
    """Loans that this person lends, also as one keeper of several."""
    return or_(Loan.lender_id == person_id, and_(KEPT, Loan.keepers.contains([person_id])))


async def loan_for(tx: Tx, viewer: Viewer, loan_id: int, *, who: Who = PARTIES) -> Loan:
    """A loan for those who play one of the parts `who` in it; NotFound for all others."""
    loan = await tx.scalar(
        with_all().where(Loan.community_id == viewer.community_id, Loan.id == loan_id)
    )
    if loan is None or not part_of(loan, viewer) & who:
        raise NotFound
    return loan


async def locked(tx: Tx, community_id: int, loan_id: int) -> Loan:
    """The loan under its own and its tool's row lock, the tool first: so no act deadlocks."""
    tool_id = await tx.scalar(
        select(Loan.tool_id).where(Loan.community_id == community_id, Loan.id == loan_id)
    )
    if tool_id is None:
        raise NotFound
    await tool_queries.locked(tx, community_id, tool_id)
    loan = await tx.scalar(
        with_all()
        .where(Loan.community_id == community_id, Loan.id == loan_id)
        .with_for_update(of=Loan)
        .execution_options(populate_existing=True)
    )
    if loan is None:
        raise NotFound
    return loan


async def holder(tx: Tx, community_id: int, tool_id: int) -> Loan | None:
    """The loan that has the tool in hand."""
    return await tx.scalar(
        with_all().where(Loan.community_id == community_id, Loan.tool_id == tool_id, IN_HAND)
    )


async def overlapping_requests(tx: Tx, loan: Loan) -> Sequence[Loan]:
    """Other requests that leave no room for this loan, nor for the tool's rest between the two.

    By room, which is the order rooms are bumped in.
    """
    rest = loan.tool.lending.buffer
    near = Range(loan.start - rest, loan.end + rest)
    rows = await tx.scalars(
        with_all()
        .where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.id != loan.id,
            Loan.state == State.REQUESTED,
            Loan.period.op("&&")(near),
        )
        .order_by(Loan.conversation_id)
        .with_for_update(of=Loan)
    )
    return rows.all()


async def superseded_at(tx: Tx, loan: Loan, at: datetime) -> Sequence[Loan]:
    """Those who lost these dates to this loan in that very act."""
    rows = await tx.scalars(
        with_all()
        .where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.state == State.SUPERSEDED,
            Loan.ended_at == at,
            Loan.period.op("&&")(loan.period),
        )
        .order_by(Loan.id)
    )
    return rows.all()


async def shown_with(tx: Tx, tool: Tool, now: datetime) -> Sequence[int]:
    """The tool's loans whose page says something of the tool: open ones, or just ended."""
    rows = await tx.scalars(
        select(Loan.id).where(
            Loan.community_id == tool.community_id,
            Loan.tool_id == tool.id,
            or_(Loan.ended_at.is_(None), Loan.undo_until > now),
        )
    )
    return rows.all()


async def promised(tx: Tx, tool: Tool) -> Sequence[Loan]:
    """The tool's loans that are approved, and not out yet."""
    rows = await tx.scalars(
        with_all()
        .where(
            Loan.community_id == tool.community_id,
            Loan.tool_id == tool.id,
            Loan.state == State.APPROVED,
        )
        .order_by(Loan.id)
    )
    return rows.all()


async def next_promised(tx: Tx, loan: Loan, at: datetime) -> datetime | None:
    """When the first loan after this one begins, of those that somebody had by an instant."""
    first: datetime | None = await tx.scalar(
        select(func.min(func.lower(Loan.period))).where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.id != loan.id,
            Loan.state == State.APPROVED,
            Loan.decided_at <= at,
            func.lower(Loan.period) >= loan.end,
        )
    )
    return first


async def requests_of(tx: Tx, community_id: int, tool_id: int) -> Sequence[Loan]:
    """What waits for an answer about a tool, by room, which is the order rooms are bumped in."""
    rows = await tx.scalars(
        with_all()
        .where(
            Loan.community_id == community_id,
            Loan.tool_id == tool_id,
            Loan.state == State.REQUESTED,
        )
        .order_by(Loan.conversation_id)
        .with_for_update(of=Loan)
    )
    return rows.all()


async def open_of_tools(tx: Tx, community_id: int, tool_ids: Iterable[int]) -> Sequence[Loan]:
    """Loans that are neither final nor back, of these tools, in the order of their start."""
    wanted = or_(Loan.state.in_((State.REQUESTED, State.APPROVED)), IN_HAND)
    rows = await tx.scalars(
        select(Loan)
        .where(
            Loan.community_id == community_id,
            Loan.tool_id.in_(list(tool_ids)),
            wanted,
        )
        .order_by(Loan.period, Loan.id)
    )
    return rows.all()


async def loans_of(
    tx: Tx,
    viewer: Viewer,
    *,
    states: Iterable[State] | None = None,
    tool_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Loan]:
    """Loans in which the viewer borrows or lends here, the newest first; `before` pages by id."""
    found = with_all().where(
        Loan.community_id == viewer.community_id,
        of_person(viewer.person_id),
    )
    if states is not None:
        found = found.where(Loan.state.in_(list(states)))
    if tool_id is not None:
        found = found.where(Loan.tool_id == tool_id)
    if before is not None:
        found = found.where(Loan.id < before)
    rows = await tx.scalars(found.order_by(Loan.id.desc()).limit(limit))
    return rows.all()


async def open_loans_everywhere(tx: Tx, person_id: int) -> Sequence[Loan]:
    """Every open loan of a person, in all their communities, by the instant that presses most."""
    rows = await tx.scalars(
        with_all()
        .where(
            of_person(person_id),
            Loan.state.in_(OPEN),
        )
        .order_by(Loan.period, Loan.id)
    )
    return rows.all()


async def loans_in_rooms(
    tx: Tx, person_id: int, *, before: int | None = None, limit: int = 200
) -> Sequence[Loan]:
    """The loans of a person in their newest rooms, in all communities; `before` pages by room."""
    rows = await tx.scalars(
        with_all()
        .where(
            or_(of_person(person_id), Loan.mediator_id == person_id),
            *([Loan.conversation_id < before] if before is not None else []),
        )
        .order_by(Loan.conversation_id.desc())
        .limit(limit)
    )
    return rows.all()


def of_its_lender(loan: Loan) -> ColumnElement[bool]:
    """Loans of what its lender answers for: all their own tools, or this one of the community.

    A keeper's own tools have nothing to do with those that they keep for all.
    """
    if loan.tool.owner_id is None:
        return Loan.tool_id == loan.tool_id
    own = select(Tool.id).where(
        Tool.community_id == loan.community_id, Tool.owner_id == loan.tool.owner_id
    )
    return Loan.tool_id.in_(own)


async def silent(tx: Tx, loan: Loan, times: int) -> bool:
    """Whether the last so many requests that this lender could have answered all ran out."""
    answered = (State.WITHDRAWN, State.SUPERSEDED, State.REQUESTED)
    last = await tx.scalars(
        select(Loan.state)
        .where(
            Loan.community_id == loan.community_id,
            of_its_lender(loan),
            Loan.state.not_in(answered),
        )
        .order_by(Loan.id.desc())
        .limit(times)
    )
    found = last.all()
    return len(found) == times and set(found) == {State.EXPIRED}


async def events(tx: Tx, community_id: int, limit: int) -> Sequence[LoanEvent]:
    """The newest events of a community."""
    rows = await tx.scalars(
        select(LoanEvent)
        .where(LoanEvent.community_id == community_id)
        .order_by(LoanEvent.at.desc(), LoanEvent.id.desc())
        .limit(limit)
    )
    return rows.all()
