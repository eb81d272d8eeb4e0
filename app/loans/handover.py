"""The physical half of a loan: handing over, bringing back, taking back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from app import queue
from app.db import Tx
from app.errors import Conflict, mistyped
from app.loans import fair, incidents, queries, records, rules
from app.loans.commands import change, key, locked
from app.loans.dates import come_free, why_not_unheld
from app.loans.models import Loan
from app.loans.papers import Direction
from app.loans.states import Act
from app.people.viewer import Viewer
from app.tools import availability
from app.tools.photos import Stored

PLACE_LONGEST = 200
NOT_CONFIRMED = "The return of the loan before is not confirmed yet."


async def hand_over(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The tool changes hands; the real time is kept.

    A claimed return of the loan before is confirmed by this: whoever hands a tool on has it.
    Raises Conflict while somebody else has the tool.
    """
    loan = await locked(tx, loan_id, by, version)
    await go_out(tx, loan, Act.HAND_OVER, by, now)
    return loan


async def go_out(tx: Tx, loan: Loan, act: Act, by: Viewer, now: datetime) -> None:
    """Out of the lender's hands, by the lender (HAND_OVER) or the borrower (FETCH); is locked."""
    if refusal := rules.why_not(act, loan, by, now):
        raise refusal
    before = await queries.holder(tx, loan.community_id, loan.tool_id)
    if refusal := rules.why_not_while_out(loan, before):
        raise refusal
    if before is not None:
        if act is Act.FETCH:  # only whoever has it can say that it is back
            raise Conflict(NOT_CONFIRMED, "The lender can confirm it.", "the lender", code="out")
        await come_back(tx, before, Act.TAKE_BACK, by, now)
    if now < loan.start:
        if held := await why_not_unheld(tx, loan.tool, now, loan.start, loan.borrower_id, now):
            raise held
        try:
            await availability.start_early(tx, loan.community_id, loan.tool_id, loan.id, now)
        except Conflict as taken:
            taken.sentence = "Somebody else has the tool until then."
            taken.way_out = "Hand it over when the agreed time begins."
            raise
    try:
        async with tx.begin_nested():
            await change(tx, loan, act, by, now)
    except IntegrityError as error:
        raise Conflict("The tool is out with somebody else.", code="out") from error
    await records.pressed(tx, loan, Direction.OUT, by.person_id, now, now)


async def come_back(tx: Tx, loan: Loan, act: Act, by: Viewer, now: datetime) -> None:
    """Back, by the lender's word (TAKE_BACK) or the borrower's with proof (GIVE_BACK)."""
    await change(tx, loan, act, by, now)
    await incidents.found(tx, loan, by, now)
    await come_free(tx, loan, now)
    await queue.enqueue(tx, "loans.close", key(loan), now + rules.CLOSE_AFTER, now)
    await records.pressed(tx, loan, Direction.IN, by.person_id, now, now)


async def claim_return(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, place: str = "", version: int | None = None
) -> Loan:
    """The borrower says that it is back, and where; the tool stays taken until confirmed."""
    loan = await locked(tx, loan_id, by, version)
    place = rules.check_reason(place)[:PLACE_LONGEST]
    if place and (refusal := fair.why_not_leave(loan)):
        raise refusal
    await change(tx, loan, Act.CLAIM_RETURN, by, now, note=place)
    loan.place = place
    return loan


async def leave(
    tx: Tx,
    loan_id: int,
    by: Viewer,
    now: datetime,
    place: str,
    picture: Stored | None = None,
    version: int | None = None,
) -> Loan:
    """A claim with the place where it stands now, and how it looked there."""
    if not place.strip():
        raise mistyped("place", "Say where you left it.", "For example: behind the blue door.")
    loan = await claim_return(tx, loan_id, by, now, place, version)
    if picture is not None:
        await incidents.keep_picture(tx, loan, by, picture, now)
    return loan


async def not_here(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The lender has not found it: out again, late again if it was, and an incident is open."""
    loan = await locked(tx, loan_id, by, version)
    await change(tx, loan, Act.NOT_HERE, by, now)
    await incidents.not_here(tx, loan, by, now)
    loan.place = ""
    return loan


async def take_back(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The lender has it: the rest of the period is free at once."""
    loan = await locked(tx, loan_id, by, version)
    await come_back(tx, loan, Act.TAKE_BACK, by, now)
    return loan


async def no_show(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """Nobody came to pick it up; the dates are free."""
    loan = await locked(tx, loan_id, by, version)
    await change(tx, loan, Act.NO_SHOW, by, now)
    await availability.release(tx, loan.community_id, loan.id, now)
    return loan
