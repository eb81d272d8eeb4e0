"""Asking twice: whoever asked for these dates before is shown what they have, not a second room."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.db import Tx
from app.errors import Conflict, Refusal
from app.loans.models import Loan
from app.loans.states import POSSESSED, State
from app.people.viewer import Viewer

STANDS = (State.REQUESTED, State.APPROVED, *POSSESSED)


async def first_of(tx: Tx, tool_id: int, by: Viewer, start: datetime, end: datetime) -> Loan | None:
    """What the viewer has of this tool for any of these dates, open still."""
    return await tx.scalar(
        select(Loan)
        .where(
            Loan.community_id == by.community_id,
            Loan.borrower_id == by.person_id,
            Loan.tool_id == tool_id,
            Loan.state.in_(STANDS),
            Loan.period.op("&&")(Range(start, end)),
        )
        .order_by(Loan.id)
        .limit(1)
    )


def why_not_again(first: Loan | None, by: Viewer, now: datetime) -> Refusal | None:
    """A request that has run out, or a loan that is late, stands in nobody's way."""
    if first is None or (first.state == State.REQUESTED and first.expires_at <= now):
        return None
    see = f"{by.here.path}/loans/{first.id}"
    if first.state == State.REQUESTED:
        return Conflict(
            "You have asked for these dates already.",
            "Your request stands; withdraw it if you want others.",
            code="asked",
            see=see,
        )
    return Conflict("You have it in these dates already.", "Look at your loan.", see=see)
