"""Whoever holds a tool may call it unsafe: it is taken off at once, and its bookings are told."""

from __future__ import annotations

from datetime import datetime

from app.db import Tx
from app.loans import amends, fair, news, off, queries, story
from app.loans.commands import locked
from app.loans.models import Loan
from app.loans.states import State, Who
from app.notices.models import Kind
from app.people.viewer import Viewer
from app.tools.models import ToolStatus


async def mark(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, reason: str = "", version: int | None = None
) -> Loan:
    """What was asked for is declined. What is promised is not cancelled by itself: the lender
    repairs it, or cancels.
    """
    loan = await locked(tx, loan_id, by, version)
    if refusal := fair.why_not_unsafe(loan, by):
        raise refusal
    why = fair.check_words(reason, "what is not safe")
    await off.take_off(tx, loan.tool, ToolStatus.MAINTENANCE, by, now, off.UNSAFE)
    amends.record(tx, loan, story.UNSAFE, by, "", now)
    note = f"{by.name} says that it is not safe: {why}"
    lender = Who.NOBODY if loan.lent_by(by.person_id) else Who.LENDER
    await amends.tell(tx, loan, by, now, note, kind=Kind.TOOL_UNSAFE, whom=lender, why=why)
    await tell_bookings(tx, loan, by, Kind.UNSAFE, now)
    return loan


async def tell_bookings(tx: Tx, loan: Loan, by: Viewer, kind: Kind, now: datetime) -> None:
    """Everybody else who is to get this tool."""
    rows = await tx.scalars(
        queries.with_all()
        .where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.id != loan.id,
            Loan.state == State.APPROVED,
        )
        .order_by(Loan.id)
    )
    for each in rows.all():
        await news.tell(tx, each, kind, Who.BORROWER, now, by=by)
