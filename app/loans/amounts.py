"""Sums between the two: a deposit, a damage. Each says what is theirs to say; no money moves."""

from __future__ import annotations

from datetime import datetime

from app import words
from app.db import Tx
from app.errors import mistyped
from app.loans import amends, cases, fair
from app.loans.commands import locked
from app.loans.incident import Amount, Payer, Purpose
from app.loans.models import Loan
from app.notices.models import Kind
from app.people.viewer import Viewer

SAID = {"agreed": "agreed to", "paid": "got", "back": "got back"}


async def note(
    tx: Tx,
    loan_id: int,
    by: Viewer,
    now: datetime,
    cents: int,
    purpose: Purpose = Purpose.DEPOSIT,
    payer: Payer = Payer.BORROWER,
) -> Amount:
    """One writes down what the two have said; the other agrees."""
    loan = await locked(tx, loan_id, by, None)
    if refusal := fair.why_not_note_amount(loan, by):
        raise refusal
    if not fair.check_cents(cents):
        raise mistyped("amount", "Write an amount.", "For example 20.")
    row = Amount(
        community_id=loan.community_id,
        loan_id=loan.id,
        purpose=purpose,
        payer=payer,
        cents=cents,
        noted_by=by.person_id,
        noted_at=now,
        agreed_at=None if loan.borrower_id else now,
    )
    tx.add(row)
    await _tell(tx, loan, row, by, "noted", now)
    return row


async def step(tx: Tx, loan_id: int, amount_id: int, by: Viewer, now: datetime, to: str) -> Amount:
    """`to`: agreed, paid or back; each is said by the one who can know."""
    loan = await locked(tx, loan_id, by, None)
    row = await cases.amount(tx, loan, amount_id)
    if refusal := fair.why_not_amount(row, to, loan, by):
        raise refusal
    setattr(row, f"{to}_at", now)
    await _tell(tx, loan, row, by, SAID[to], now)
    return row


async def _tell(tx: Tx, loan: Loan, row: Amount, by: Viewer, verb: str, now: datetime) -> None:
    here = by.here
    told = f"{verb} {words.money(row.cents, here.currency, here.locale)} ({row.purpose})"
    await amends.tell(tx, loan, by, now, f"{by.name} {told}.", kind=Kind.AMOUNT, why=told)
