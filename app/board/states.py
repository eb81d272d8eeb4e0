"""A tool's state as the database is asked for it; `availability.state_of` says the same of a tool.

For walls of very many tools: what is not shown is not read. A test compares the two.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, DateTime, Select, and_, func, literal, or_, select

from app.db import Tx
from app.loans.models import Loan
from app.loans.states import POSSESSED, State
from app.people.viewer import Here
from app.tools import rules
from app.tools.models import Occupancy, OccupancyKind, Tool, ToolStatus
from app.tools.occupied import written

# Written out, so that the planner knows the index of what is in somebody's hands for it.
IN_HAND = or_(
    Loan.state.in_([written(state) for state in sorted(POSSESSED)]),
    and_(Loan.state == written(State.DISPUTED), Loan.back_at.is_(None)),
)
LISTED = Tool.status == written(ToolStatus.LISTED)


def on_the_board(here: Here) -> ColumnElement[bool]:
    """A condition on tools."""
    hangs = Tool.status.in_([written(status) for status in rules.ON_THE_BOARD])
    return and_(Tool.community_id == here.id, hangs)


def free_at(here: Here, now: datetime) -> ColumnElement[bool]:
    """A condition on tools: one can have it now."""
    blocked = select(Occupancy.tool_id).where(
        Occupancy.community_id == here.id,
        Occupancy.kind != written(OccupancyKind.HOLD),
        Occupancy.period.op("@>")(_instant(now)),
        or_(Occupancy.expires_at.is_(None), Occupancy.expires_at > now),
    )
    return and_(LISTED, Tool.id.not_in(_held(here)), Tool.id.not_in(blocked))


def late_at(here: Here, now: datetime) -> ColumnElement[bool]:
    """A condition on tools: somebody still has it past its due time."""
    return Tool.id.in_(_held(here).where(func.upper(Loan.period) <= now))


def _held(here: Here) -> Select[int]:
    return select(Loan.tool_id).where(Loan.community_id == here.id, IN_HAND)


def _instant(now: datetime) -> ColumnElement[datetime]:
    return literal(now, DateTime(timezone=True))


async def counts(tx: Tx, here: Here, now: datetime) -> dict[str, int]:
    """The whole board in numbers: free (now, asked for or not), asked, out, overdue, total."""
    free, late = free_at(here, now), late_at(here, now)
    claimed = _held(here).where(Loan.state == written(State.RETURN_CLAIMED))
    overdue = and_(LISTED, late, Tool.id.not_in(claimed))
    asked = select(Loan.tool_id).where(
        Loan.community_id == here.id,
        Loan.state == written(State.REQUESTED),
        Loan.ended_at.is_(None),
        Loan.expires_at > now,
    )
    found = await tx.execute(
        select(
            func.count().filter(free),
            func.count().filter(and_(free, Tool.id.in_(asked))),
            func.count().filter(and_(LISTED, Tool.id.in_(_held(here)), ~overdue)),
            func.count().filter(overdue),
            func.count(),
        )
        .select_from(Tool)
        .where(on_the_board(here))
    )
    return dict(zip(("free", "asked", "out", "overdue", "total"), found.one(), strict=True))
