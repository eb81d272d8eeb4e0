"""What random neighbours do besides: choose dates, wait, take back, put right, fall out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from app.db import Tx
from app.errors import NotFound
from app.loans import holds, incidents, keeping, waitlist
from app.loans.correct import Truth, correct
from app.loans.incident import Incident, Payer
from app.loans.states import State
from app.loans.undo import undo
from app.people.viewer import Viewer

WAITING = ("join", "join", "accept", "accept", "decline", "leave")
TROUBLE = ("damage", "loss", "late", "here", "propose", "agree")


async def chooses(tx: Tx, tool_id: int, by: Viewer, start: int, hours: int, now: datetime) -> None:
    if not hours:
        await holds.let_go(tx, tool_id, by, now)
        return
    begins = now.replace(minute=0) + timedelta(hours=start)
    await holds.hold(tx, tool_id, begins, begins + timedelta(hours=hours), by, now)


async def waits(tx: Tx, tool_id: int, by: Viewer, what: str, days: int, now: datetime) -> None:
    match what:
        case "join":
            await waitlist.join(tx, tool_id, by, now, days=days)
        case "accept":
            await waitlist.accept(tx, tool_id, by, now)
        case "decline":
            await waitlist.decline(tx, tool_id, by, now)
        case _:
            await waitlist.leave(tx, tool_id, by, now)


async def takes_back(tx: Tx, loan_id: int, by: Viewer, now: datetime) -> None:
    await undo(tx, loan_id, by, now)


async def keeps(
    tx: Tx, tool_id: int, by: Viewer, whom: Viewer, looks_after: bool, now: datetime
) -> None:
    act = keeping.name if looks_after else keeping.release
    await act(tx, tool_id, whom.person_id, by, now)


async def puts_right(tx: Tx, loan_id: int, by: Viewer, state: State, now: datetime) -> None:
    await correct(tx, loan_id, by, now, Truth(state, "So it was."))


async def falls_out(tx: Tx, loan_id: int, by: Viewer, what: str, now: datetime) -> None:
    match what:
        case "here":
            await incidents.is_here(tx, loan_id, by, now)
        case "propose":
            terms = incidents.Terms("We share it.", 500, Payer.BORROWER)
            await incidents.offer(tx, loan_id, await _open(tx, loan_id), by, now, terms)
        case "agree":
            await incidents.accept(tx, loan_id, await _open(tx, loan_id), by, now)
        case kind:
            await incidents.open_incident(
                tx, loan_id, by, now, kind, "Look at it.", dispute=kind != "late"
            )


async def _open(tx: Tx, loan_id: int) -> int:
    found = await tx.scalar(
        select(Incident.id).where(Incident.loan_id == loan_id, Incident.settled_at.is_(None))
    )
    if found is None:
        raise NotFound
    return found
