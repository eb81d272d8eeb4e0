"""Asking for a tool and answering: request, withdraw, approve, decline, cancel.

Every change of a loan goes through `change`: lock, rule, move, story, screens.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app import queue, topic, words
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import (
    asked,
    choosing,
    kept,
    news,
    proposals,
    queries,
    questions,
    ripple,
    rules,
    screens,
    story,
    trust,
    twice,
)
from app.loans.dates import free_near as free_near
from app.loans.dates import plan_pass, refuse_taken, why_not_unheld
from app.loans.models import Loan
from app.loans.states import FINAL, Act, State, Who
from app.notices.models import Kind
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import availability, keepers
from app.tools import queries as tool_queries

# What the clock would have done with a loan that nobody had moved on from this state.
WAITED_FOR = {State.REQUESTED: "loans.expire", State.APPROVED: "loans.lapse"}


async def request(
    tx: Tx,
    tool_id: int,
    start: datetime,
    end: datetime,
    by: Viewer,
    now: datetime,
    message: str = "",
    *,
    accept_safety: bool = False,
    offered: bool = False,
) -> Loan:
    """Asks for a tool for a half-open period. Blocks no dates; several may ask for the same.

    Where the lender has said so, whom they trust has it at once, if nobody else wants the dates.
    `offered`: these dates are kept for who waited for them, and stay so until the answer.
    Raises NotFound for a tool the viewer may not see, Refusal or Conflict (with free periods).
    """
    tool = await tool_queries.tool_for(tx, by, tool_id)
    await people.still_in(tx, by)
    await tool_queries.locked(tx, by.community_id, tool_id)
    apart = await keepers.between(tx, by.person_id, tool)
    unsafe = choosing.why_not_unsafe(tool.lending, accept_safety)
    if offered:  # within the rules as they were then
        wrong = rules.why_not_ask(tool, by, apart)
    else:
        wrong = rules.why_not_request(tool, start, end, by, apart, now)
    if refusal := wrong or unsafe:
        raise refusal
    first = await twice.first_of(tx, tool_id, by, start, end)
    if refusal := twice.why_not_again(first, by, now):
        raise refusal
    theirs = by.person_id if offered else None
    await refuse_taken(tx, tool, start, end, now, not_kept_for=theirs)
    lender_id, others = await kept.lenders_for(tx, tool, by.person_id)
    room = (by.person_id, lender_id, *others)
    conversation_id = await questions.room_for(tx, tool, by.person_id, room, now)
    loan = Loan(
        community_id=by.community_id,
        tool_id=tool.id,
        borrower_id=by.person_id,
        lender_id=lender_id,
        keepers=others,
        conversation_id=conversation_id,
        period=Range(start, end),
        price_cents=rules.price(tool, start, end, by.here),
        deposit_cents=tool.deposit_cents,
        safety=tool.safety,
        state=State.REQUESTED,
        requested_at=now,
        expires_at=rules.answer_until(start, end, now),
    )
    tx.add(loan)
    await tx.flush()
    await asked.goes_on(tx, loan, now)
    if offered:
        await availability.keep_offered(
            tx, tool.community_id, tool.id, by.person_id, loan_id=loan.id, until=loan.expires_at
        )
    story.record(tx, loan, "request", None, by, "", now)
    wanted = f"{by.name} asked for {words.period(start, end, by.here.zone, by.here.locale)}."
    await chat.note(tx, loan.community_id, conversation_id, wanted, by.person_id, now)
    if message.strip():
        await chat.say(
            tx, loan.community_id, conversation_id, by.person_id, message, uuid.uuid4(), now
        )
    await queue.enqueue(tx, "loans.expire", key(loan), loan.expires_at, now)
    loan = await queries.locked(tx, loan.community_id, loan.id)  # with the names of all
    at_once = await _approve_at_once(tx, loan, by, now)
    told = Kind.APPROVED_AT_ONCE if at_once else Kind.REQUESTED
    await news.tell(tx, loan, told, Who.LENDER, now, by=by)
    await availability.let_go(tx, loan.community_id, loan.tool_id, by.person_id, now)
    await news.plan(tx, loan, now)
    touch(tx, topic.writing(loan.community_id, loan.id))
    touch(tx, topic.delivered(loan.community_id, loan.id))
    screens.show(tx, loan)
    return loan


async def approve(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The borrower gets the dates; every overlapping request of the same tool is superseded."""
    loan = await locked(tx, loan_id, by, None)
    outdated = rules.why_not_outdated(loan, version)
    if refusal := outdated or rules.why_not(Act.APPROVE, loan, by, now):
        if loan.state == State.SUPERSEDED:  # the race is lost: say what is left
            refusal.free = await free_near(tx, loan.tool, loan.start, loan.end, now)
        raise refusal
    await refuse_taken(tx, loan.tool, loan.start, loan.end, now, but_loan=loan.id)
    if held := await why_not_unheld(tx, loan.tool, loan.start, loan.end, loan.borrower_id, now):
        raise held
    await _promise(tx, loan, by, now)
    return loan


async def _approve_at_once(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> bool:
    """The tool's own yes. Where others ask for these dates or choose them, the lender decides."""
    tool = loan.tool
    if not tool.auto_approve:
        return False
    if not await trust.trusts(tx, loan, by.person_id, now):
        return False
    if await queries.overlapping_requests(tx, loan):
        return False
    if await why_not_unheld(tx, tool, loan.start, loan.end, by.person_id, now):
        return False
    await _promise(tx, loan, None, now)
    return True


async def _promise(tx: Tx, loan: Loan, by: Viewer | None, now: datetime) -> None:
    """Claims the dates, for the loan and the tool's rest after it. Raises Conflict."""
    start, end = choosing.blocks(loan.tool.lending, loan.start, loan.end)
    try:
        await availability.claim(
            tx,
            loan.community_id,
            loan.tool_id,
            Range(start, end),
            loan_id=loan.id,
            now=now,
            person_id=loan.borrower_id,
        )
    except Conflict as taken:
        taken.free = await free_near(tx, loan.tool, loan.start, loan.end, now)
        raise
    losers = await queries.overlapping_requests(tx, loan)
    # Rooms are bumped in id order, the winner's among them: two approvals never deadlock.
    for each in sorted((*losers, loan), key=lambda one: one.conversation_id):
        if each is loan:
            await change(tx, loan, Act.APPROVE, by, now)
        else:
            await change(tx, each, Act.SUPERSEDE, None, now)
    await queue.enqueue(tx, "loans.lapse", key(loan), loan.end + rules.LAPSE_AFTER, now)
    if end > loan.end:
        await plan_pass(tx, loan.tool, end, now)


async def decline(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, reason: str = "", version: int | None = None
) -> Loan:
    loan = await locked(tx, loan_id, by, version)
    await change(tx, loan, Act.DECLINE, by, now, reason=rules.check_reason(reason))
    return loan


async def withdraw(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    loan = await locked(tx, loan_id, by, version)
    await change(tx, loan, Act.WITHDRAW, by, now)
    return loan


async def cancel(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, reason: str = "", version: int | None = None
) -> Loan:
    """Before the hand-over; a lender says why. The dates are free at once."""
    loan = await locked(tx, loan_id, by, version)
    reason = rules.check_reason(reason)
    if refusal := rules.why_not(Act.CANCEL, loan, by, now):
        raise refusal
    if by.person_id != loan.borrower_id and not reason:
        raise Refusal(
            "The borrower counts on it: say why you cancel.",
            "Write a sentence as the reason.",
            status=422,
            field_name="reason",
        )
    await change(tx, loan, Act.CANCEL, by, now, reason=reason)
    await availability.release(tx, loan.community_id, loan.id, now)
    return loan


async def by_itself(
    tx: Tx, community_id: int, loan_id: int, act: Act, now: datetime
) -> Loan | None:
    """An act of the clock: done if it still fits, else None (somebody was faster)."""
    loan = await queries.locked(tx, community_id, loan_id)
    if rules.why_not(act, loan, None, now):
        return None
    await change(tx, loan, act, None, now)
    return loan


async def locked(tx: Tx, loan_id: int, by: Viewer, version: int | None) -> Loan:
    """The loan under lock, for somebody with a part in it; NotFound for all others.

    `version` is what the page showed: if the loan has moved on, Conflict says so.
    """
    await people.still_in(tx, by)
    loan = await queries.locked(tx, by.community_id, loan_id)
    if not rules.part_of(loan, by):
        raise NotFound
    if refusal := rules.why_not_outdated(loan, version):
        raise refusal
    return loan


async def change(
    tx: Tx,
    loan: Loan,
    act: Act,
    by: Viewer | None,
    now: datetime,
    *,
    reason: str = "",
    note: str = "",
) -> None:
    """The one door: rule, move, story, a line in the room, and every screen concerned.

    `reason` stays with the loan; `note` only goes into its story.
    """
    if refusal := rules.why_not(act, loan, by, now):
        raise refusal
    was = loan.move(act, now)
    if reason:
        loan.reason = reason
    if State(loan.state) in FINAL:
        touch(tx, topic.writing(loan.community_id, loan.id))  # who is suspended cannot any more
    if was in WAITED_FOR:
        await queue.drop(tx, WAITED_FOR[was], key(loan))
    await proposals.overtaken(tx, loan, was, now)
    if was is State.REQUESTED and State(loan.state) in FINAL:  # what an offer had kept for it
        await availability.release(tx, loan.community_id, loan.id, now)
    why = reason or note
    story.record(tx, loan, act, was, by, why, now)
    await tx.flush()
    await chat.note(
        tx,
        loan.community_id,
        ConversationId(loan.conversation_id),
        story.line(act, by, why),
        by.person_id if by else None,
        now,
    )
    await news.of_act(tx, loan, act, by, now)
    await ripple.of_act(tx, loan, act, now)
    screens.show(tx, loan)


def key(loan: Loan) -> str:
    """How a job names a loan."""
    return f"{loan.community_id}/{loan.id}"
