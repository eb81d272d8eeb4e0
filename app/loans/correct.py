"""*Correct*: what a coordinator who is no party sets right, with the reason and the real times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app.db import Tx
from app.errors import Conflict, mistyped
from app.http.log import security
from app.loans import amends, fair, keeping, queries, rules, story
from app.loans.commands import change, free_near, locked
from app.loans.models import Loan
from app.loans.states import FINAL, Act, State
from app.notices.models import Kind
from app.people.viewer import Viewer
from app.tools import availability, occupied, watches
from app.tools.models import ToolStatus

LONGEST = timedelta(days=366)
WAS_OUT = frozenset({State.OUT, State.RETURN_CLAIMED, State.RETURNED, State.DISPUTED, State.CLOSED})
CAME_BACK = frozenset({State.RETURNED, State.DISPUTED, State.CLOSED})


@dataclass(frozen=True)
class Truth:
    """What is really so. None leaves a time as it is known; `back_at` goes where it must."""

    state: State
    reason: str
    start: datetime | None = None
    end: datetime | None = None
    out_at: datetime | None = None
    back_at: datetime | None = None


async def correct(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, truth: Truth, version: int | None = None
) -> Loan:
    """Any state to any that the constraints allow; an event is added, both are told."""
    loan = await locked(tx, loan_id, by, version)
    if refusal := fair.why_not_correct(loan, by):
        raise refusal
    reason = fair.check_words(truth.reason, "why you correct it")
    if State(loan.state) in FINAL and truth.state not in FINAL:
        loan = await keeping.renew(tx, loan, now)
    period, was_end, was_in_hand = _period(loan, truth), loan.end, loan.in_hand
    out_at, back_at = _times(loan, truth, now)
    _refuse_past(truth.state, period, now)
    try:
        async with tx.begin_nested():
            was = loan.correct(truth.state, period, out_at, back_at, now)
            await tx.flush()
    except IntegrityError as error:
        raise Conflict(
            "The tool is out with somebody else.", "Correct that loan first.", code="out"
        ) from error
    if truth.state is State.REQUESTED:
        loan.expires_at = rules.answer_until(loan.start, loan.end, now)
    await _dates(tx, loan, was_end, now)
    if was_in_hand and not loan.in_hand:  # when it was late, no dates were taken that could tell
        await watches.stir(tx, loan.community_id, loan.tool_id, now, now)
    story.record(tx, loan, story.CORRECT, was, by, reason, now)
    if loan.tool.status == ToolStatus.MISSING and back_at is not None:
        await amends.set_tool(tx, loan.tool, ToolStatus.LISTED, now)
    await amends.replan(tx, loan, now)
    security("loan_corrected", person=by.person_id, loan=loan.id, community=loan.community_id)
    note = f"{by.name} corrected this loan: {reason}"
    await amends.tell(tx, loan, by, now, note, kind=Kind.CORRECTED, why=reason)
    return loan


def _period(loan: Loan, truth: Truth) -> Range[datetime]:
    start, end = truth.start or loan.start, truth.end or loan.end
    if end <= start:
        raise mistyped("end", "The end comes before the start.", "Choose a later end.")
    if end - start > LONGEST:
        raise mistyped("end", "That is longer than a year.", "Choose an earlier end.")
    return Range(start, end)


def _times(loan: Loan, truth: Truth, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When it went out and came back, as far as the state says that it did."""
    if truth.state not in WAS_OUT:
        return None, None
    out_at = truth.out_at or loan.out_at
    back_at = (truth.back_at or loan.back_at) if truth.state in CAME_BACK else None
    if out_at is None:
        raise mistyped("out_at", "When did it go out?", "Write down the time as you know it.")
    if out_at > now:
        raise mistyped("out_at", "That time is still to come.", "Write when it really was.")
    if back_at is None:
        if truth.state is State.RETURNED:
            raise mistyped("back_at", "When did it come back?", "Write the time as you know it.")
        return out_at, None
    if back_at > now:
        raise mistyped("back_at", "That time is still to come.", "Write when it really was.")
    if back_at < out_at:
        raise mistyped("back_at", "It came back before it went out?", "Look at the two times.")
    return out_at, back_at


def _refuse_past(state: State, period: Range[datetime], now: datetime) -> None:
    end = period.upper
    if state in (State.REQUESTED, State.APPROVED) and end is not None and end <= now:
        raise mistyped("end", "These dates are over.", "Choose later dates, or another state.")


async def _dates(tx: Tx, loan: Loan, was_end: datetime, now: datetime) -> None:
    """The tool is blocked as the new state says, and who asked for these dates hears it.

    What is past blocks nothing; a tool that is late is taken by whoever has it in hand.
    """
    taken = loan.state == State.APPROVED or loan.in_hand
    if not taken or loan.end <= now:
        await availability.release(tx, loan.community_id, loan.id, now)
        return
    until = loan.end + loan.tool.lending.buffer
    has = await occupied.of_loan(tx, loan.community_id, loan.id)
    if has is not None and loan.end <= was_end:  # an earlier end only frees
        until = max(loan.end, min(until, has[1]))
    try:
        start = now if loan.in_hand else max(loan.start, now)
        await amends.block(tx, loan, start, until, now)
    except Conflict as gone:
        gone.sentence = "Somebody else has the tool in these dates."
        gone.way_out = "Correct that loan first, or choose other dates."
        gone.free = await free_near(tx, loan.tool, loan.start, loan.end, now)
        raise
    for each in await queries.overlapping_requests(tx, loan):
        await change(tx, each, Act.SUPERSEDE, None, now)
