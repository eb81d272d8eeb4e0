"""What of loans looks different only because it is later: what the clock tells screens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Date, Integer, Time, and_, cast, func, or_, select

from app.db import Tx
from app.loans.models import Loan
from app.loans.rules import EARLY_PICK_UP, NO_SHOW_AFTER, NOT_HERE_WITHIN, STUCK_AFTER
from app.loans.states import State
from app.people.models import Community
from app.tools.models import Tool

BOX_EARLY = timedelta(minutes=15)  # a key box opens then, see loans.alone
DAYS = [timedelta(hours=hours) for hours in (23, 23.5, 24, 24.5, 25)]  # as long as clocks make them
A_DAY = DAYS[-1]  # no window closes later than this after a loan of that day began
starts, ends = func.lower(Loan.period), func.upper(Loan.period)


async def of_loans(tx: Tx, since: datetime, until: datetime) -> Sequence[Loan]:
    """Open loans of which something changes by itself within (since, until]."""
    none = timedelta()
    boundaries = (
        (starts, -EARLY_PICK_UP),
        (starts, -BOX_EARLY),
        (starts, none),
        (starts, NO_SHOW_AFTER),
        (ends, none),
        (ends, STUCK_AFTER),
        (Loan.expires_at, none),
        (Loan.claimed_at, NOT_HERE_WITHIN),
    )
    passed = [and_(at > since - later, at <= until - later) for at, later in boundaries]
    passed += [_given_up(since, until), _not_come_all_day(since, until)]
    rows = await tx.scalars(select(Loan).where(Loan.ended_at.is_(None), or_(*passed)))
    return rows.all()


def _not_come_all_day(since: datetime, until: datetime) -> ColumnElement[bool]:
    """Loans that may be called a no-show after their first day, or their end, where no hour is
    named; as long as that day may have been.
    """
    could = [(starts, day) for day in DAYS] + [(ends, timedelta())]
    passed = [
        and_(at > since - later - NO_SHOW_AFTER, at <= until - later - NO_SHOW_AFTER)
        for at, later in could
    ]
    return and_(Loan.state == State.APPROVED, or_(*passed))


def _given_up(since: datetime, until: datetime) -> ColumnElement[bool]:
    """Loans that may be called a no-show from within (since, until], where a tool has hours.

    The same as `rules.no_show_from`: an hour that comes twice is the last of the two here, too.
    """
    local = func.timezone(Community.zone, starts)
    windows = func.jsonb_array_elements(Tool.windows).table_valued("value", name="hours")
    hours = windows.c.value
    closes = func.timezone(Community.zone, cast(local, Date) + cast(hours.op("->>")(2), Time))
    said = func.least(func.greatest(starts, closes), ends)
    return (
        select(hours)
        .select_from(Tool, Community, windows)
        .where(
            Loan.state == State.APPROVED,
            starts > since - NO_SHOW_AFTER - A_DAY,
            starts <= until,
            Tool.community_id == Loan.community_id,
            Tool.id == Loan.tool_id,
            Community.id == Loan.community_id,
            cast(hours.op("->>")(0), Integer) == func.extract("isodow", local) - 1,
            said > since - NO_SHOW_AFTER,
            said <= until - NO_SHOW_AFTER,
        )
        .correlate(Loan)
        .exists()
    )


async def not_undone(tx: Tx, since: datetime, until: datetime) -> list[tuple[int, int]]:
    """(community, loan) of those whose last act could be undone until within (since, until]."""
    rows = await tx.execute(
        select(Loan.community_id, Loan.id).where(Loan.undo_until > since, Loan.undo_until <= until)
    )
    return [(community_id, loan_id) for community_id, loan_id in rows]


async def told_by_days(tx: Tx, community_id: int, since: datetime) -> Sequence[Loan]:
    """Loans whose page said "today" or "yesterday" then: open ones, those of the days before."""
    rows = await tx.scalars(
        select(Loan).where(
            Loan.community_id == community_id,
            or_(Loan.ended_at.is_(None), func.upper(Loan.period) > since - timedelta(days=3)),
        )
    )
    return rows.all()
