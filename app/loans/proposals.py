"""Other dates for a loan: what may be proposed and answered, and when it ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import queue, words
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.clock import local_day, started_days
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, Span, mistyped
from app.loans import choosing, rules
from app.loans.models import Loan
from app.loans.proposal import ChangeKind, ChangeState, LoanChange
from app.loans.states import Act, State, Who
from app.people import rules as people_rules
from app.people.viewer import Apart, Here, Viewer
from app.tools.lending import hours

END = "changes.end"  # the job that ends what nobody answers
CAN_CHANGE = frozenset({State.APPROVED, State.OUT})
OVER = {
    ChangeState.AGREED: "This has been agreed on already.",
    ChangeState.REFUSED: "The dates stay as they are.",
    ChangeState.WITHDRAWN: "This proposal was withdrawn.",
    ChangeState.ENDED: "It is too late for this proposal.",
}


def kind_of(was: Span, period: Span) -> ChangeKind:
    (start, end), (first, last) = was, period
    if first >= start and last <= end:
        return ChangeKind.SHORTEN
    if first == start:
        return ChangeKind.EXTEND
    return ChangeKind.EARLY if first < start and last == end else ChangeKind.MOVE


def price(loan: Loan, period: Span, zone: ZoneInfo) -> int:
    """At what a day was agreed to cost, whatever the tool costs others by now."""
    a_day = loan.price_cents // started_days(loan.start, loan.end, zone)
    return a_day * started_days(*period, zone)


def why_not_propose(
    loan: Loan, by: Viewer, apart: Apart | None, going: LoanChange | None, now: datetime
) -> Refusal | None:
    """Whether this person may ask for other dates at all; `going`: what is being asked already."""
    if refusal := rules.why_not(Act.CHANGE, loan, by, now):
        return refusal
    if refusal := people_rules.why_not_write_to(apart):
        return refusal
    if going is not None and now < going.too_late_at:
        return Conflict("Other dates are proposed already.", "Answer that first, or withdraw it.")
    return None


def why_not_period(loan: Loan, period: Span, by: Viewer, now: datetime) -> Refusal | None:
    """What can be said without looking at other loans.

    How long and how far ahead bind both; what else the lender wishes binds who asks for it, not
    the lender, who wishes otherwise now.
    """
    (start, end), zone = period, by.here.zone
    if (start, end) == (loan.start, loan.end):
        return mistyped("end", "These dates are agreed on already.", "Choose other ones.")
    if start != loan.start and loan.state == State.OUT:
        return mistyped("start", "The tool is out, so its start stays.", "Choose another end.")
    if start >= end:
        return mistyped("end", "The end comes before the start.", "Choose a later end.")
    if end <= now:
        return mistyped("end", "This end has passed.", "Choose a later one.")
    today = local_day(now, zone)
    if start != loan.start and local_day(start, zone) < today:
        return mistyped("start", "This start has passed.", "Choose today or a later day.")
    lending = loan.tool.lending
    if started_days(start, end, zone) > _days_so_far(loan, now, zone) + lending.longest_days:
        more = words.count(lending.longest_days, "day", "days")
        return mistyped("end", f"A loan can grow by {more} at a time.", "Choose an earlier end.")
    last = local_day(end - timedelta(microseconds=1), zone)
    if end > loan.end and last > today + timedelta(days=lending.horizon_days):
        ahead = words.count(lending.horizon_days, "day", "days")
        return mistyped("end", f"You can plan up to {ahead} ahead.", "Choose earlier dates.")
    return None if lends(loan, by) else _why_not_wished(loan, period, by, now)


def lends(loan: Loan, by: Viewer) -> bool:
    return bool(rules.part_of(loan, by) & Who.LENDER)


def _why_not_wished(loan: Loan, period: Span, by: Viewer, now: datetime) -> Refusal | None:
    was, here = (loan.start, loan.end), by.here
    refusal = choosing.why_not_instead(loan.tool.lending, was, period, now, here.zone, by.locale)
    if refusal is not None and loan.state == State.OUT and period[1] < loan.end:
        refusal.way_out = "It may come back earlier without any asking."
    return refusal


def _days_so_far(loan: Loan, now: datetime, zone: ZoneInfo) -> int:
    """Of a late loan also the days that it is late."""
    end = max(loan.end, now) if loan.state == State.OUT else loan.end
    return started_days(loan.start, end, zone)


def why_not_answer(
    change: LoanChange, loan: Loan, by: Viewer, answer: ChangeState, now: datetime
) -> Refusal | None:
    """Who proposed may withdraw; the other agrees or refuses, even when suspended refuses."""
    if change.state != ChangeState.OPEN:
        return Conflict(OVER[ChangeState(change.state)], "Look at the loan as it is.", code="state")
    if now >= change.too_late_at:
        return Conflict(OVER[ChangeState.ENDED], "Propose other dates.", code="state")
    mine = loan.same_side(change.by_id, by.person_id)
    if not rules.part_of(loan, by) & (Who.BORROWER | Who.LENDER):
        return Refusal("Only the two of the loan can do this.", status=403)
    if mine and answer is not ChangeState.WITHDRAWN:
        return Refusal("You proposed it yourself.", "The other answers.", status=403)
    if not mine and answer is ChangeState.WITHDRAWN:
        return Refusal("The other proposed it.", "You can refuse it.", status=403)
    if answer is ChangeState.AGREED:
        return rules.why_not(Act.CHANGE, loan, by, now)
    return None


def why_not_free(
    loan: Loan,
    period: Span,
    blocks: Span,
    busy: list[Span],
    free: list[Span],
    here: Here,
    locale: str,
) -> Refusal | None:
    """`blocks` is what the loan would take, `busy` what others have: each with its rest."""
    start, rested = blocks
    in_the_way = [span for span in sorted(busy) if span[0] < rested and start < span[1]]
    if not in_the_way:
        return None
    begins = in_the_way[0][0]
    if begins >= loan.end:
        rests = f", and it rests for {hours(loan.tool.lending.buffer_hours)} before"
        sentence = f"The next loan begins {words.since(begins, here.zone, locale)}"
        sentence += f"{rests if begins >= period[1] else ''}."
    else:
        sentence = "Somebody else has the tool in these dates."
    return Conflict(sentence, "Choose other dates; the nearest free ones are below.", free=free)


async def open_of(tx: Tx, loan: Loan) -> LoanChange | None:
    """What is proposed for a loan and not answered yet."""
    return await tx.scalar(
        select(LoanChange)
        .options(joinedload(LoanChange.by))
        .where(
            LoanChange.community_id == loan.community_id,
            LoanChange.loan_id == loan.id,
            LoanChange.state == ChangeState.OPEN,
        )
    )


async def change_of(tx: Tx, loan: Loan, change_id: int) -> LoanChange:
    change = await tx.scalar(
        select(LoanChange)
        .options(joinedload(LoanChange.by))
        .where(
            LoanChange.community_id == loan.community_id,
            LoanChange.loan_id == loan.id,
            LoanChange.id == change_id,
        )
    )
    if change is None:
        raise NotFound
    return change


async def overtaken(tx: Tx, loan: Loan, was: State, now: datetime) -> None:
    """A loan that has moved on takes what was proposed for it along."""
    if loan.state == was or was not in CAN_CHANGE:
        return
    change = await open_of(tx, loan)
    if change is not None:
        change.answer(ChangeState.ENDED, None, now)
        await tx.flush()
        room = ConversationId(loan.conversation_id)
        await chat.renew(tx, loan.community_id, room, change.id)
        await queue.drop(tx, END, f"{loan.community_id}/{loan.id}")
