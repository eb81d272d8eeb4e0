"""What a borrower says while nothing can be handed over: "I wait", and "I have it"."""

from __future__ import annotations

from datetime import datetime

from app.db import Tx
from app.loans import commands, queries, ripple, rules
from app.loans.models import Loan
from app.loans.states import Act
from app.people.viewer import Viewer


async def wait(tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None) -> Loan:
    """The tool is late, and the borrower waits: the lender knows, and nothing is cancelled.

    Raises Conflict where the tool is not late any more.
    """
    loan = await commands.locked(tx, loan_id, by, version)
    if refusal := rules.why_not(Act.WAIT, loan, by, now):
        raise refusal
    holder = await queries.holder(tx, loan.community_id, loan.tool_id)
    if refusal := ripple.why_not_wait(loan, holder, now):
        raise refusal
    await commands.change(tx, loan, Act.WAIT, by, now)
    return loan


async def fetched(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The time is over, and nobody has said yet that the tool changed hands: the borrower does.

    The lender is asked; until the answer the loan does not lapse.
    """
    loan = await commands.locked(tx, loan_id, by, version)
    await commands.change(tx, loan, Act.FETCHED, by, now)
    return loan
