"""The physical half of a loan: handing over, bringing back, taking back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from app import queue
from app.db import Tx
from app.errors import Conflict
from app.loans import queries, rules
from app.loans.commands import change, key, locked
from app.loans.models import Loan
from app.loans.states import Act
from app.people.viewer import Viewer
from app.tools import availability

PLACE_LONGEST = 200


async def hand_over(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The tool changes hands; the real time is kept.

    A claimed return of the loan before is confirmed by this: whoever hands a tool on has it.
    Raises Conflict while somebody else has the tool.
    """
    loan = await locked(tx, loan_id, by, version)
    if refusal := rules.why_not(Act.HAND_OVER, loan, by, now):
        raise refusal
    before = await queries.holder(tx, loan.community_id, loan.tool_id)
    if refusal := rules.why_not_while_out(loan, before):
        raise refusal
    if before is not None:
        await _back(tx, before, by, now)
    if now < loan.start:
        try:
            await availability.start_early(tx, loan.community_id, loan.id, loan.end, now)
        except Conflict as taken:
            taken.sentence = "Somebody else has the tool until then."
            taken.way_out = "Hand it over when the agreed time begins."
            raise
    try:
        async with tx.begin_nested():
            await change(tx, loan, Act.HAND_OVER, by, now)
    except IntegrityError as error:
        raise Conflict("The tool is out with somebody else.", code="out") from error
    return loan


async def claim_return(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, place: str = "", version: int | None = None
) -> Loan:
    """The borrower says that it is back, and where; the tool stays taken until confirmed."""
    loan = await locked(tx, loan_id, by, version)
    place = rules.check_reason(place)[:PLACE_LONGEST]
    await change(tx, loan, Act.CLAIM_RETURN, by, now, note=place)
    loan.place = place
    return loan


async def not_here(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The lender has not found it: the loan is out again, and late again if it was."""
    loan = await locked(tx, loan_id, by, version)
    await change(tx, loan, Act.NOT_HERE, by, now)
    loan.place = ""
    return loan


async def take_back(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The lender has it: the rest of the period is free at once."""
    loan = await locked(tx, loan_id, by, version)
    await _back(tx, loan, by, now)
    return loan


async def no_show(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """Nobody came to pick it up; the dates are free."""
    loan = await locked(tx, loan_id, by, version)
    await change(tx, loan, Act.NO_SHOW, by, now)
    await availability.release(tx, loan.community_id, loan.id, now)
    return loan


async def _back(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> None:
    await change(tx, loan, Act.TAKE_BACK, by, now)
    await availability.cut(tx, loan.community_id, loan.id, now)
    await queue.enqueue(tx, "loans.close", key(loan), now + rules.CLOSE_AFTER, now)
