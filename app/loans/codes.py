"""Hand-over on two phones: one shows four digits, the other types them; then both have confirmed.

A code is good for ten minutes, five tries and one use, for one loan in one direction and version,
and for the other one of the two: who shows it cannot type it. A new one makes the old worthless.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app import topic
from app.db import Tx
from app.errors import Conflict, Refusal, mistyped
from app.loans import handover, rules
from app.loans.commands import locked
from app.loans.models import Loan
from app.loans.papers import Direction, HandoverCode
from app.loans.states import POSSESSED, Act, State, Who
from app.people.viewer import Viewer
from app.realtime import touch
from app.settings import settings

LASTS = timedelta(minutes=10)
TRIES = 5
DIGITS = 4
ACTS = {
    (Direction.OUT, Who.LENDER): Act.HAND_OVER,
    (Direction.OUT, Who.BORROWER): Act.FETCH,
    (Direction.IN, Who.LENDER): Act.TAKE_BACK,
    (Direction.IN, Who.BORROWER): Act.GIVE_BACK,
}


@dataclass(frozen=True)
class Shown:
    """A code that can be used now. `digits` are for whoever shows it: empty for the other."""

    direction: Direction
    mine: bool
    digits: str
    expires_at: datetime
    mark: str


def direction_of(loan: Loan) -> Direction | None:
    """Which way the tool would go next."""
    state = State(loan.state)
    if state is State.APPROVED:
        return Direction.OUT
    return Direction.IN if state in POSSESSED else None


def why_not_code(loan: Loan, by: Viewer, now: datetime) -> Refusal | None:
    """Whether a code makes sense between these two now; the same for showing and for typing."""
    direction, part = direction_of(loan), rules.part_of(loan, by)
    if direction is None:
        return Conflict(rules.DONE[State(loan.state)], code="state")
    if (direction, part) not in ACTS:
        return Refusal("Only the two of the loan can do this.", status=403)
    if loan.borrower_id is None:
        return Refusal("There is no second phone here.", "Press the button yourself.")
    return rules.why_not(ACTS[direction, part], loan, by, now)


async def show(tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None) -> Loan:
    """A new code on this person's phone; whatever code there was is worthless."""
    loan = await locked(tx, loan_id, by, version)
    if refusal := why_not_code(loan, by, now):
        raise refusal
    direction, nonce = direction_of(loan), secrets.token_bytes(16)
    assert direction is not None, "the rule has refused this"
    row = {
        "direction": direction,
        "shown_by": by.person_id,
        "loan_version": loan.version,
        "nonce": nonce,
        "code_hash": _hash(loan, direction, loan.version, nonce, _digits(nonce)),
        "tries": 0,
        "made_at": now,
        "expires_at": now + LASTS,
    }
    key = {"community_id": loan.community_id, "loan_id": loan.id}
    await tx.execute(
        insert(HandoverCode)
        .values(**key, **row)
        .on_conflict_do_update(index_elements=list(key), set_=row)
    )
    touch(tx, topic.loan(loan.community_id, loan.id))
    return loan


async def use(
    tx: Tx, loan_id: int, typed: str, by: Viewer, now: datetime, version: int | None = None
) -> Refusal | None:
    """The tool changes hands if these are the digits on the other's phone.

    Answers a wrong try instead of raising it: the transaction has to commit, for it counts.
    """
    loan = await locked(tx, loan_id, by, version)
    if refusal := why_not_code(loan, by, now):
        raise refusal
    digits = "".join(typed.split())
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdecimal():
        raise mistyped("digits", f"A code has {DIGITS} digits.", "Type the ones you see.")
    code = await _good(tx, loan, now, lock=True)
    if code is None:
        return Refusal("There is no code that is good now.", "Ask the other to show a new one.")
    if loan.same_side(code.shown_by, by.person_id):
        raise Refusal("This is the code on your own phone.", "The other one types it.", status=403)
    direction = Direction(code.direction)
    right = _hash(loan, direction, code.loan_version, code.nonce, digits)
    if not hmac.compare_digest(right, code.code_hash):
        return await _count(tx, loan, code)
    await tx.delete(code)
    await tx.flush()
    act = ACTS[direction, rules.part_of(loan, by)]
    go = handover.go_out if direction is Direction.OUT else handover.come_back
    await go(tx, loan, act, by, now)
    return None


async def shown(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> Shown | None:
    """The code that is good now, as this one of the two may see it."""
    code = await _good(tx, loan, now)
    if code is None:
        return None
    mine = loan.same_side(code.shown_by, by.person_id)
    return Shown(
        Direction(code.direction),
        mine,
        _digits(code.nonce) if mine else "",
        code.expires_at,
        code.nonce.hex()[:12],
    )


async def running_out(tx: Tx, since: datetime, until: datetime) -> Sequence[tuple[int, int]]:
    """(community, loan) whose code ceased to be good within (since, until]."""
    rows = await tx.execute(
        select(HandoverCode.community_id, HandoverCode.loan_id).where(
            HandoverCode.expires_at > since, HandoverCode.expires_at <= until
        )
    )
    return [(community_id, loan_id) for community_id, loan_id in rows]


async def forget_old(tx: Tx, now: datetime) -> None:
    await tx.execute(delete(HandoverCode).where(HandoverCode.expires_at <= now - LASTS))


async def _count(tx: Tx, loan: Loan, code: HandoverCode) -> Refusal:
    code.tries += 1
    await tx.flush()
    left = TRIES - code.tries
    if left <= 0:
        touch(tx, topic.loan(loan.community_id, loan.id))
        way_out = "That was too often: ask the other to show a new one."
    else:
        way_out = f"Look again: {left} {'tries are' if left > 1 else 'try is'} left."
    return Refusal("That is not the code.", way_out, status=422, code="code", field_name="digits")


async def _good(tx: Tx, loan: Loan, now: datetime, *, lock: bool = False) -> HandoverCode | None:
    """The loan's code, if it has not run out, been guessed at too often or been overtaken."""
    asked = select(HandoverCode).where(
        HandoverCode.community_id == loan.community_id, HandoverCode.loan_id == loan.id
    )
    asked = asked.execution_options(populate_existing=True)
    code = await tx.scalar(asked.with_for_update() if lock else asked)
    if code is None or code.loan_version != loan.version or code.direction != direction_of(loan):
        return None
    return code if now < code.expires_at and code.tries < TRIES else None


def _digits(nonce: bytes) -> str:
    mac = hmac.new(settings.key_for("hand-over code"), nonce, hashlib.sha256).digest()
    return f"{int.from_bytes(mac[:8]) % 10**DIGITS:0{DIGITS}}"


def _hash(loan: Loan, direction: Direction, version: int, nonce: bytes, digits: str) -> bytes:
    """Under a key: of four digits a bare hash would be tried out in no time."""
    bound = f"{loan.community_id}/{loan.id}/{direction}/{version}/{nonce.hex()}/{digits}"
    return hmac.new(settings.key_for("hand-over hash"), bound.encode(), hashlib.sha256).digest()
