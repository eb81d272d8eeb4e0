"""What anybody may try at the door, for a street on which anything may happen."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from app import db
from app.loans import alone, codes, lend_now, noting
from app.loans.lend_now import Somebody
from app.loans.models import Loan
from app.loans.noting import Noted
from app.loans.papers import Direction, HandoverCode
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.photos import Stored
from tests.loans.outside import CODE, PLACE

OF_A_LOAN = ("show", "show", "type", "type", "guess", "take", "bring", "note")


async def at_the_door(tx: db.Tx, act: str, loan_id: int, by: Viewer, now: datetime) -> None:
    way = Direction.OUT
    match act:
        case "show":
            await codes.show(tx, loan_id, by, now)
        case "type" | "guess":
            row = await tx.get(HandoverCode, (by.community_id, loan_id), populate_existing=True)
            digits = codes._digits(row.nonce) if row else "0000"
            typed = digits if act == "type" else f"{(int(digits) + 1) % 10_000:04}"
            wrong = await codes.use(tx, loan_id, typed, by, now)
            assert wrong or act == "type", "a wrong code has opened a hand-over"
        case "take":
            await alone.take(tx, loan_id, by, now, shot())
        case "bring":
            await alone.bring(tx, loan_id, by, now, shot())
        case "note":
            loan = await tx.get(Loan, (by.community_id, loan_id))
            way = Direction.IN if loan and loan.back_at else way
            noted = Noted(condition="worn", words="A scratch.", repair=False)
            await noting.note(tx, loan_id, way, noted, [shot()], by, now)


async def lends(tx: db.Tx, tool_id: int, by: Viewer, to: Viewer, hours: int, now: datetime) -> None:
    """With an odd number of hours to a bare name."""
    whom = Somebody(name="Grete") if hours % 2 else Somebody(to.person_id)
    await lend_now.lend(tx, tool_id, whom, now + timedelta(hours=hours), by, now)


async def opens_a_shed(tx: db.Tx, tool_id: int, by: Viewer, now: datetime) -> None:
    await tools.edit(tx, tool_id, ToolText(self_service=True), by, now)
    await alone.change_box(tx, tool_id, PLACE, CODE, by, now)


def shot() -> Stored:
    return Stored(secrets.token_hex(16), 60, 40)
