"""Changing what is agreed: other dates are proposed, agreed on, refused or withdrawn.

A proposal blocks nothing. What is agreed on moves loan and occupancy in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import joinedload

from app import queue, topic, words
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import Conflict, Refusal, Span
from app.loans import choosing, commands, kept, news, proposal_words, proposals, queries, rules
from app.loans.models import Loan
from app.loans.proposal import ChangeState, LoanChange
from app.loans.proposals import END
from app.loans.states import Act, State, Who
from app.notices.models import Kind
from app.people.models import PersonId
from app.people.viewer import Here, Viewer
from app.realtime import touch
from app.tools import availability, occupied
from app.tools.models import OccupancyKind

BOTH = Who.BORROWER | Who.LENDER


async def propose(
    tx: Tx,
    loan_id: int,
    by: Viewer,
    now: datetime,
    start: datetime | None,
    end: datetime | None,
    note: str = "",
    version: int | None = None,
) -> LoanChange:
    """Asks the other for other dates; None: as agreed. With a borrower who has no account the
    lender writes down what the two have said.

    Raises Refusal, or Conflict with free periods where somebody else has the tool.
    """
    loan = await commands.locked(tx, loan_id, by, version)
    note, period = rules.check_reason(note), (start or loan.start, end or loan.end)
    going = await _timely(tx, loan, now)
    apart = await kept.between(tx, by.person_id, loan)
    if refusal := proposals.why_not_propose(loan, by, apart, going, now):
        raise refusal
    if refusal := proposals.why_not_period(loan, period, by, now):
        raise refusal
    if refusal := await why_not_free(tx, loan, period, by.here, by.locale, now):
        raise refusal
    change = LoanChange(
        community_id=loan.community_id,
        loan_id=loan.id,
        loan_version=loan.version,
        kind=proposals.kind_of((loan.start, loan.end), period),
        was=loan.period,
        period=Range(*period),
        was_price_cents=loan.price_cents,
        price_cents=proposals.price(loan, period, by.here.zone),
        note=note,
        by_id=by.person_id,
        at=now,
        state=ChangeState.OPEN,
    )
    tx.add(change)
    await tx.flush()
    if loan.borrower_id is None:
        await _agree(tx, loan, change, by, now)
        return change
    said = f"{by.name} asks for other dates: {_words(change, by.here)}"
    room, told = ConversationId(loan.conversation_id), said + (f": {note}" if note else ".")
    await chat.note(tx, loan.community_id, room, told, by.person_id, now, change_id=change.id)
    await _tell(tx, loan, change, Kind.CHANGE_PROPOSED, BOTH, by, now)
    await queue.enqueue(tx, END, commands.key(loan), change.too_late_at, now)
    _show(tx, loan)
    return change


async def agree(tx: Tx, loan_id: int, change_id: int, by: Viewer, now: datetime) -> LoanChange:
    """The loan has the other dates at once; overlapping requests are superseded."""
    loan, change = await _answering(tx, loan_id, change_id, by, ChangeState.AGREED, now)
    apart = await kept.between(tx, by.person_id, loan)
    if refusal := proposals.why_not_propose(loan, by, apart, None, now):
        raise refusal
    await _agree(tx, loan, change, by, now)
    return change


async def refuse(tx: Tx, loan_id: int, change_id: int, by: Viewer, now: datetime) -> LoanChange:
    loan, change = await _answering(tx, loan_id, change_id, by, ChangeState.REFUSED, now)
    await _over(tx, loan, change, ChangeState.REFUSED, by, now)
    await _say(tx, loan, f"{by.name} would rather keep the dates.", by.person_id, now)
    await _tell(tx, loan, change, Kind.CHANGE_REFUSED, BOTH, by, now)
    return change


async def withdraw(tx: Tx, loan_id: int, change_id: int, by: Viewer, now: datetime) -> LoanChange:
    loan, change = await _answering(tx, loan_id, change_id, by, ChangeState.WITHDRAWN, now)
    await _over(tx, loan, change, ChangeState.WITHDRAWN, by, now)
    await _say(tx, loan, f"{by.name} withdrew the other dates.", by.person_id, now)
    await _tell(tx, loan, change, Kind.CHANGE_WITHDRAWN, BOTH, by, now)
    return change


async def run_out(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    """An act of the clock: nobody answered before the new start or end came."""
    loan = await queries.locked(tx, community_id, loan_id)
    await _timely(tx, loan, now)


async def changes_of(tx: Tx, loan: Loan, limit: int = 50) -> Sequence[LoanChange]:
    """What was ever proposed for a loan, the newest first."""
    rows = await tx.scalars(
        select(LoanChange)
        .options(joinedload(LoanChange.by))
        .where(LoanChange.community_id == loan.community_id, LoanChange.loan_id == loan.id)
        .order_by(LoanChange.id.desc())
        .limit(limit)
    )
    return rows.all()


async def why_not_free(
    tx: Tx, loan: Loan, period: Span, here: Here, locale: str, now: datetime
) -> Refusal | None:
    """Whether somebody else has the tool in the loan's new dates; what it can have instead."""
    busy = await occupied.busy(tx, loan.community_id, [loan.tool_id], now, but_loan=loan.id)
    blocks, others = await _blocks(tx, loan, period), busy.get(loan.tool_id, [])
    refusal = proposals.why_not_free(
        loan, period, blocks, others, free_for(loan, period, others, now), here, locale
    )
    if refusal is None and loan.state == State.APPROVED and period[0] <= now < loan.start:
        refusal = rules.why_not_while_out(
            loan, await queries.holder(tx, loan.community_id, loan.tool_id)
        )
    return refusal


async def why_not_beside_others(
    tx: Tx, loan: Loan, change: LoanChange | None, by: Viewer, now: datetime
) -> Refusal | None:
    """For a button that is drawn: whether another loan has come to stand in a proposal's way.

    A hold or an offer may be gone in a minute, so that only answers who presses.
    """
    if change is None:
        return None
    busy = await occupied.busy(
        tx, loan.community_id, [loan.tool_id], now, kinds=(OccupancyKind.LOAN,), but_loan=loan.id
    )
    period = (change.start, change.end)
    blocks, others = await _blocks(tx, loan, period), busy.get(loan.tool_id, [])
    refusal = proposals.why_not_free(loan, period, blocks, others, [], by.here, by.locale)
    if refusal is not None:
        refusal.way_out = "Refuse this, and propose other dates."
    return refusal


async def _blocks(tx: Tx, loan: Loan, period: Span) -> Span:
    """What the loan takes with other dates: those, and the tool's rest by now.

    An earlier end only frees: it takes no more of what comes after than the loan has already.
    """
    start, rested = choosing.blocks(loan.tool.lending, *period)
    has = await occupied.of_loan(tx, loan.community_id, loan.id)
    if has is not None and period[1] <= loan.end:
        rested = max(period[1], min(rested, has[1]))
    return start, rested


def free_for(loan: Loan, period: Span, others: list[Span], now: datetime) -> list[Span]:
    """As far as the loan itself can stretch, then the free ranges nearest to what is wanted."""
    until = now + timedelta(days=loan.tool.lending.horizon_days)
    rest = loan.tool.lending.buffer  # has to fit before whatever comes next
    others = [(lower - rest, upper) for lower, upper in others]
    free = occupied.free_ranges(others, min(now, loan.start), until)
    stretched = []
    for lower, upper in free:
        if lower <= loan.start and loan.end <= upper:
            first = lower if period[0] < loan.start else loan.start
            last = upper if period[1] > loan.end else loan.end
            if (first, last) != (loan.start, loan.end) and last > now:
                stretched.append((first, last))
    ahead = [(max(lower, now), upper) for lower, upper in free if upper > now]
    near = occupied.nearest(ahead, *period)
    return sorted({*stretched, *(span for span in near if span[0] >= loan.end)})[:3]


async def _answering(
    tx: Tx, loan_id: int, change_id: int, by: Viewer, answer: ChangeState, now: datetime
) -> tuple[Loan, LoanChange]:
    loan = await commands.locked(tx, loan_id, by, None)
    change = await proposals.change_of(tx, loan, change_id)
    if refusal := proposals.why_not_answer(change, loan, by, answer, now):
        raise refusal
    return loan, change


async def _agree(tx: Tx, loan: Loan, change: LoanChange, by: Viewer, now: datetime) -> None:
    period = (change.start, change.end)
    if refusal := await why_not_free(tx, loan, period, by.here, by.locale, now):
        raise refusal
    moved = change.start if change.start != loan.start else None
    try:
        _, until = await _blocks(tx, loan, period)
        await availability.move(tx, loan.community_id, loan.tool_id, loan.id, until, now, moved)
    except Conflict as taken:
        busy = await occupied.busy(tx, loan.community_id, [loan.tool_id], now, but_loan=loan.id)
        taken.free = free_for(loan, period, busy.get(loan.tool_id, []), now)
        raise
    loan.period, loan.price_cents = change.period, change.price_cents
    await _over(tx, loan, change, ChangeState.AGREED, by, now)
    losers = await queries.overlapping_requests(tx, loan)
    # Rooms are bumped in id order, as in `commands.approve`.
    for each in sorted((*losers, loan), key=lambda one: one.conversation_id):
        if each is loan:
            await commands.change(tx, loan, Act.CHANGE, by, now, note=_words(change, by.here))
        else:
            await commands.change(tx, each, Act.SUPERSEDE, None, now)
    if loan.state == State.APPROVED:
        await queue.enqueue(
            tx, "loans.lapse", commands.key(loan), loan.end + rules.LAPSE_AFTER, now
        )


async def _timely(tx: Tx, loan: Loan, now: datetime) -> LoanChange | None:
    """The open proposal; one whose time has come is ended by this."""
    change = await proposals.open_of(tx, loan)
    if change is None or now < change.too_late_at:
        return change
    await _over(tx, loan, change, ChangeState.ENDED, None, now)
    await _say(tx, loan, "Nobody answered in time: the dates stay.", None, now)
    whom = Who.BORROWER if change.by_id == loan.borrower_id else Who.LENDER
    await _tell(tx, loan, change, Kind.CHANGE_ENDED, whom, None, now)
    return None


async def _over(
    tx: Tx, loan: Loan, change: LoanChange, state: ChangeState, by: Viewer | None, now: datetime
) -> None:
    change.answer(state, by.person_id if by else None, now)
    await tx.flush()
    await chat.renew(tx, loan.community_id, ConversationId(loan.conversation_id), change.id)
    await queue.drop(tx, END, commands.key(loan))
    _show(tx, loan)


async def _say(tx: Tx, loan: Loan, text: str, by_id: PersonId | None, now: datetime) -> None:
    room = ConversationId(loan.conversation_id)
    await chat.note(tx, loan.community_id, room, text, by_id, now)


async def _tell(
    tx: Tx,
    loan: Loan,
    change: LoanChange,
    kind: Kind,
    whom: Who,
    by: Viewer | None,
    now: datetime,
) -> None:
    dates = {"start": change.start.isoformat(), "end": change.end.isoformat()}
    await news.tell(tx, loan, kind, whom, now, by=by, more=dates)


def _words(change: LoanChange, here: Here) -> str:
    when = words.period(change.start, change.end, here.zone, here.locale)
    cost = proposal_words.price_words(change.was_price_cents, change.price_cents, here, here.locale)
    return f"{when}, {cost}" if cost else when


def _show(tx: Tx, loan: Loan) -> None:
    """A proposal is seen by the two only: the board stays as it is."""
    touch(tx, topic.loan(loan.community_id, loan.id), topic.mine(loan.community_id, loan.tool_id))
    for person_id in loan.parties:
        touch(tx, topic.things(person_id), topic.waiting(person_id))
