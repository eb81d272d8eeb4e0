"""A loan's story: a line is added for each act, and none is ever rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.db import Tx
from app.loans.models import Loan, LoanEvent
from app.loans.states import State
from app.people.viewer import Viewer

UNDO, CORRECT, INCIDENT, FOUND, UNSAFE = "undo", "correct", "incident", "found", "unsafe"
MEDIATOR, STEPPED_DOWN = "mediator", "stepped_down"
"""What is told beside the acts of the table; the state stays as it is, but for the first two."""


def record(
    tx: Tx,
    loan: Loan,
    act: str,
    was: State | None,
    by: Viewer | None,
    reason: str,
    now: datetime,
) -> None:
    tx.add(
        LoanEvent(
            community_id=loan.community_id,
            loan_id=loan.id,
            act=act,
            from_state=was,
            to_state=loan.state,
            by_id=by.person_id if by else None,
            reason=reason,
            at=now,
        )
    )


async def of_loan(tx: Tx, loan: Loan) -> Sequence[LoanEvent]:
    """From its beginning on."""
    rows = await tx.scalars(
        select(LoanEvent)
        .where(LoanEvent.community_id == loan.community_id, LoanEvent.loan_id == loan.id)
        .order_by(LoanEvent.id)
    )
    return rows.all()


async def last(tx: Tx, loan: Loan) -> LoanEvent | None:
    return await tx.scalar(
        select(LoanEvent)
        .where(LoanEvent.community_id == loan.community_id, LoanEvent.loan_id == loan.id)
        .order_by(LoanEvent.id.desc())
        .limit(1)
    )
