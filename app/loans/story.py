"""A loan's story: a line is added for each act, and none is ever rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.db import Tx
from app.loans.models import Loan, LoanEvent
from app.loans.states import Act, State
from app.people.viewer import Viewer

UNDO, CORRECT, INCIDENT, FOUND, UNSAFE = "undo", "correct", "incident", "found", "unsafe"
MEDIATOR, STEPPED_DOWN = "mediator", "stepped_down"
"""What is told beside the acts of the table; the state stays as it is, but for the first two."""
TOLD = {
    Act.APPROVE: "approved the request",
    Act.DECLINE: "declined the request",
    Act.WITHDRAW: "withdrew the request",
    Act.CANCEL: "cancelled the loan",
    Act.HAND_OVER: "handed the tool over",
    Act.CLAIM_RETURN: "brought it back",
    Act.NOT_HERE: "says it is not here",
    Act.TAKE_BACK: "has it back",
    Act.FETCH: "has the tool now",
    Act.GIVE_BACK: "gave it back",
    Act.NO_SHOW: "ended the loan: nobody came",
    Act.CLOSE: "closed the loan",
    Act.CHANGE: "agreed to other dates",
    Act.WAIT: "waits for it",
    Act.FETCHED: "says that it was handed over",
    Act.DISPUTE: "keeps the loan open until it is settled",
    Act.SETTLE: "closed the loan: it is settled",
}
TOLD_BY_ITSELF = {
    Act.APPROVE: "Approved at once, as the lender has set.",
    Act.DECLINE: "The request was declined.",
    Act.SUPERSEDE: "Somebody else got these dates.",
    Act.EXPIRE: "The request ran out without an answer.",
    Act.LAPSE: "Nobody picked it up; the loan has lapsed.",
    Act.CLOSE: "The loan is closed.",
}


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


def line(act: Act, by: Viewer | None, why: str) -> str:
    """What the room reads of an act; `by` None: it came by itself."""
    if by is None:
        return TOLD_BY_ITSELF[act] + (f" {why}" if why else "")
    return f"{by.name} {TOLD[act]}" + (f": {why}" if why else ".")


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
