"""Whoever holds a tool may call it unsafe: it is taken off at once, and its bookings are told."""

from __future__ import annotations

from datetime import datetime

from app.db import Tx
from app.loans import amends, fair, off, story
from app.loans.commands import locked
from app.loans.models import Loan
from app.loans.states import Who
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
    await amends.tell_promised(tx, loan.tool, Kind.UNSAFE, by, now)
    return loan
