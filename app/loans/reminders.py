"""What a loan reminds people of, and when: derived from its state and instants, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from app import clock
from app.loans.models import Loan
from app.loans.rules import NOT_HERE_WITHIN
from app.loans.states import State, Who
from app.notices.models import Kind

BEFORE = timedelta(hours=24)
STUCK_DAYS = 8  # days overdue, after which a coordinator is asked to help
BOTH = Who.BORROWER | Who.LENDER


@dataclass(frozen=True)
class Reminder:
    kind: Kind
    due_at: datetime
    whom: Who


def between(loan: Loan, after: datetime, until: datetime, zone: ZoneInfo) -> list[Reminder]:
    """What falls due within (after, until] if the loan stays as it is, in that order."""
    since = max(after, entered(loan))
    return [one for one in _until(loan, until, zone) if since < one.due_at]


def following(loan: Loan, after: datetime, zone: ZoneInfo) -> Reminder | None:
    """The first that falls due after this instant."""
    since = max(after, entered(loan))
    until = max(since, loan.end) + timedelta(days=30)
    return min(between(loan, since, until, zone), key=lambda one: one.due_at, default=None)


def entered(loan: Loan) -> datetime:
    """Since when the loan is in its state; what was due earlier is not caught up on."""
    at = {
        State.REQUESTED: loan.requested_at,
        State.APPROVED: loan.decided_at,
        State.OUT: loan.out_at,
        State.RETURN_CLAIMED: loan.claimed_at,
    }.get(State(loan.state))
    return at or loan.requested_at


def _until(loan: Loan, until: datetime, zone: ZoneInfo) -> list[Reminder]:
    found = []
    for one in _of(loan, zone):
        if one.kind is Kind.LATE and one.due_at > until:
            break
        if one.due_at <= until:
            found.append(one)
    return sorted(found, key=lambda one: one.due_at)


def _of(loan: Loan, zone: ZoneInfo) -> Iterator[Reminder]:
    """All of them; an overdue loan has no last one, so those come last and in order."""
    match State(loan.state):
        case State.REQUESTED:
            half = loan.requested_at + (loan.expires_at - loan.requested_at) / 2
            yield Reminder(Kind.ANSWER_SOON, half, Who.LENDER)
        case State.APPROVED:
            yield Reminder(Kind.STARTS_SOON, loan.start - BEFORE, BOTH)
            yield Reminder(Kind.WAS_IT_FETCHED, loan.end, BOTH)
            if loan.fetched_said_at is not None:  # and the lender says nothing
                stuck = loan.fetched_said_at + NOT_HERE_WITHIN
                yield Reminder(Kind.STUCK, stuck, Who.COORDINATOR)
        case State.OUT:
            yield Reminder(Kind.DUE_SOON, loan.end - BEFORE, Who.BORROWER)
            yield Reminder(Kind.DUE, loan.end, Who.BORROWER)
            stuck = clock.days_later(loan.end, STUCK_DAYS, zone)
            yield Reminder(Kind.STUCK, stuck, Who.COORDINATOR)
            for week in count():
                yield Reminder(Kind.LATE, clock.days_later(loan.end, 1 + 7 * week, zone), BOTH)
        case State.RETURN_CLAIMED if loan.claimed_at is not None:
            yield Reminder(Kind.CONFIRM_RETURN, loan.claimed_at + BEFORE, Who.LENDER)
            yield Reminder(Kind.STUCK, loan.claimed_at + NOT_HERE_WITHIN, Who.COORDINATOR)
