"""One's own last act, taken back within ten minutes where nobody else has built on it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from app.db import Tx
from app.errors import Conflict, Refusal
from app.loans import amends, fair, keeping, kept, news, queries, story
from app.loans.commands import free_near, locked
from app.loans.models import Loan
from app.loans.states import Act, State, Who
from app.notices.models import Kind
from app.people import blocks
from app.people.viewer import Viewer
from app.tools import availability, occupied

TOOK_BACK = {
    Act.APPROVE: "took the approval back; the request waits for an answer again",
    Act.DECLINE: "took the refusal back; the request waits for an answer again",
    Act.WITHDRAW: "asks again; the request waits for an answer",
    Act.CANCEL: "took the cancellation back; the loan stands",
    Act.HAND_OVER: "took that back: it was not handed over yet",
    Act.NO_SHOW: "took that back; the loan stands",
    Act.CLAIM_RETURN: "took that back: it was not brought back yet",
    Act.TAKE_BACK: "took that back: it is not back yet",
}


async def undo(tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None) -> Loan:
    """The state before; an event is added, nothing rewritten. Conflict where the dates are gone."""
    loan = await locked(tx, loan_id, by, version)
    last = await story.last(tx, loan)
    if refusal := fair.why_not_undo(loan, last, by, now):
        raise refusal
    assert last is not None, "the rule has looked"
    assert last.from_state is not None, "the rule has looked"
    act, was, left = Act(last.act), State(last.from_state), State(loan.state)
    try:
        async with tx.begin_nested():
            loan.undo(act, was)
            await tx.flush()
    except IntegrityError as error:
        raise Conflict("The tool is out with somebody else by now.", code="out") from error
    await _dates(tx, loan, act, last.at, now)
    story.record(tx, loan, story.UNDO, left, by, act, now)
    told = TOOK_BACK[act]
    await amends.replan(tx, loan, now)
    await amends.tell(tx, loan, by, now, f"{by.name} {told}.", kind=Kind.UNDONE, why=told)
    if act is Act.APPROVE:
        for lost in await queries.superseded_at(tx, loan, last.at):
            await news.tell(tx, lost, Kind.FREE_AGAIN, Who.BORROWER, now)
    return loan


async def _dates(tx: Tx, loan: Loan, act: Act, at: datetime, now: datetime) -> None:
    """What the loan blocks again, or no more. Raises Conflict with the free periods left."""
    until = await amends.rested_beside(tx, loan, at)
    try:
        match act:
            case Act.APPROVE:
                await availability.release(tx, loan.community_id, loan.id, now)
            case Act.DECLINE | Act.WITHDRAW:
                await _refuse_gone(tx, loan, now)
            case Act.CANCEL | Act.NO_SHOW:
                await amends.block(tx, loan, loan.start, until, now)
            case Act.HAND_OVER if now < loan.start:  # it had begun early
                await amends.block(tx, loan, loan.start, until, now)
            case Act.TAKE_BACK if now < loan.end:
                await amends.block(tx, loan, loan.out_at or loan.start, until, now)
    except Conflict as gone:
        gone.sentence = "Somebody else has got these dates meanwhile."
        gone.way_out = "Choose other dates; the nearest free ones are below."
        gone.free = await free_near(tx, loan.tool, loan.start, loan.end, now)
        raise


async def _refuse_gone(tx: Tx, loan: Loan, now: datetime) -> None:
    """A request blocks nothing, but for dates that somebody has there is nothing to ask."""
    busy = await occupied.busy(tx, loan.community_id, [loan.tool_id], now)
    taken = busy.get(loan.tool_id, [])
    if any(lower < loan.end and loan.start < upper for lower, upper in taken):
        raise occupied.taken()
    if loan.borrower_id is None:
        return
    if await kept.between(tx, loan.borrower_id, loan):
        raise Refusal("This cannot be taken back any more.", "Look at the loan as it is now.")
    apart = await blocks.apart_from(tx, loan.borrower_id)
    for keeper in loan.lenders:
        if keeper in apart:  # blocked meanwhile: the others go on
            await keeping.step_aside(tx, loan, keeper, keeping.ANOTHER, now)
