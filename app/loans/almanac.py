"""What a calendar shows: loans as events, in words that may stand on anybody's screen.

Nothing private is in it: no note, no chat, no address, no code. Programs keep copies of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import Range

from app.db import Tx
from app.errors import Span
from app.loans import queries
from app.loans.feed import FeedKind
from app.loans.feeds import Asked
from app.loans.models import Loan, LoanEvent
from app.loans.states import FINAL, State
from app.people import blocks
from app.tools import keepers, rules
from app.tools import queries as tools
from app.tools.models import Occupancy, OccupancyKind, Tool, ToolStatus

OVER_FOR = timedelta(days=90)  # so long does a program still hear that something is off
MOST = 1000
WORDS = {
    State.REQUESTED: "Asked for",
    State.APPROVED: "Promised",
    State.OUT: "Handed over",
    State.RETURN_CLAIMED: "Said to be back",
    State.RETURNED: "Back",
    State.DISPUTED: "To be settled",
    State.CLOSED: "Closed",
    State.DECLINED: "Declined",
    State.WITHDRAWN: "Not needed any more",
    State.EXPIRED: "Ran out without an answer",
    State.SUPERSEDED: "Somebody else got these dates",
    State.CANCELLED: "Cancelled",
    State.LAPSED: "Never picked up",
    State.NO_SHOW: "Nobody came",
}
OFF = FINAL - {State.CLOSED}
ONCE_PROMISED = (State.CANCELLED, State.LAPSED, State.NO_SHOW)


@dataclass(frozen=True)
class Entry:
    """One event; `sequence` grows with each change of its times or its state."""

    uid: str
    sequence: int
    start: datetime
    end: datetime
    changed_at: datetime
    summary: str
    status: str  # of RFC 5545
    words: str = ""
    path: str = ""
    busy: bool = False


@dataclass(frozen=True)
class Shown:
    """A calendar: its name, what is in it, and when that changed last."""

    name: str
    entries: Sequence[Entry]
    changed_at: datetime


async def shown(tx: Tx, asked: Asked, now: datetime) -> Shown:
    """Raises NotFound for the calendar of a tool that they may not see any more."""
    if asked.feed.kind == FeedKind.TOOL:
        return await _of_tool(tx, asked, now)
    here, me = asked.viewer.here, asked.viewer.person_id
    lends = asked.feed.kind == FeedKind.TOOLS
    theirs = queries.lent_by(me) if lends else Loan.borrower_id == me
    loans = await _loans(tx, asked.community.id, theirs, now)
    found = [_entry(loan, asked, at, lends) for loan, at in loans]
    name = f"{here.name}: what I {'lend' if lends else 'borrow'}"
    return _made(name, found, asked, *(loan.tool.changed_at for loan, _ in loans))


async def _of_tool(tx: Tx, asked: Asked, now: datetime) -> Shown:
    """When one tool is taken. Nothing while it is off: that tells nobody when it comes back."""
    assert asked.feed.tool_id is not None, "the table has seen to it"
    tool = await tools.tool_for(tx, asked.viewer, asked.feed.tool_id)
    me = asked.viewer.person_id
    apart = await blocks.apart_from(tx, me)
    off = tool.status != ToolStatus.LISTED and not rules.may_change(tool, asked.viewer)
    found: list[Entry] = []
    if not off and not keepers.hidden_from(tool, apart):
        found = [*await _taken(tx, asked, tool, now), *await _closed(tx, asked, tool)]
    return _made(f"{tool.name}: when it is taken", found, asked, tool.changed_at)


def _made(name: str, found: Sequence[Entry], asked: Asked, *also: datetime) -> Shown:
    """`also`: when what the events name has changed."""
    changed_at = max((asked.feed.created_at, *also, *(one.changed_at for one in found)))
    return Shown(name, sorted(found, key=lambda one: (one.start, one.uid)), changed_at)


async def _loans(
    tx: Tx, community_id: int, which: ColumnElement[bool], now: datetime
) -> list[tuple[Loan, datetime]]:
    """Open loans and those that ended lately, each with the instant of its last change."""
    changed = (
        select(func.max(LoanEvent.at))
        .where(LoanEvent.community_id == Loan.community_id, LoanEvent.loan_id == Loan.id)
        .scalar_subquery()
    )
    rows = await tx.execute(
        queries.with_all()
        .add_columns(func.coalesce(changed, Loan.requested_at))
        .where(
            Loan.community_id == community_id,
            which,
            or_(Loan.ended_at.is_(None), Loan.ended_at > now - OVER_FOR),
        )
        .order_by(Loan.id.desc())
        .limit(MOST)
    )
    return [(loan, at) for loan, at in rows]


def _entry(loan: Loan, asked: Asked, changed_at: datetime, lends: bool) -> Entry:
    state = State(loan.state)
    start, end = _really(loan)
    status = "CONFIRMED"
    if state in OFF:
        status = "CANCELLED"
    elif state is State.REQUESTED:
        status = "TENTATIVE"
    borrower = loan.borrower.name if loan.borrower else loan.borrower_name or ""
    who = f"to {_first(borrower)}" if lends else f"from {_first(loan.lender.name)}"
    return Entry(
        uid=_uid(asked, "loan", loan.id),
        sequence=loan.version,
        start=start,
        end=end,
        changed_at=changed_at,
        summary=f"{loan.tool.name} {who}",
        status=status,
        words=WORDS[state],
        path=f"{asked.viewer.here.path}/loans/{loan.id}",
    )


def _first(name: str) -> str:
    return (name.split() or ["a neighbour"])[0]


def _really(loan: Loan) -> Span:
    """As planned; fetched earlier or back earlier, as it was."""
    start = min(loan.start, loan.out_at or loan.start)
    end = min(loan.end, loan.back_at) if loan.back_at and loan.back_at > start else loan.end
    return start, end


async def _taken(tx: Tx, asked: Asked, tool: Tool, now: datetime) -> list[Entry]:
    """Its loans, as what they block: the rest that a tool needs after one is part of it."""
    once = or_(Loan.ended_at.is_(None), Loan.state.in_((State.CLOSED, *ONCE_PROMISED)))
    which = and_(Loan.tool_id == tool.id, Loan.state != State.REQUESTED, once)
    found = await _loans(tx, tool.community_id, which, now)
    rows = await tx.execute(
        select(Occupancy.loan_id, Occupancy.period).where(
            Occupancy.community_id == tool.community_id,
            Occupancy.tool_id == tool.id,
            Occupancy.kind == OccupancyKind.LOAN,
        )
    )
    blocked: dict[int, Range[datetime]] = {one: period for one, period in rows if one is not None}
    made = []
    for loan, changed_at in found:
        start, end = _really(loan)
        if (period := blocked.get(loan.id)) and period.lower and period.upper:
            start, end = period.lower, period.upper
        off = loan.state in ONCE_PROMISED
        made.append(
            Entry(
                uid=_uid(asked, "taken", loan.id),
                sequence=loan.version,
                start=start,
                end=end,
                changed_at=changed_at,
                summary=f"{tool.name} is taken",
                status="CANCELLED" if off else "CONFIRMED",
                path=f"{asked.viewer.here.path}/tools/{tool.id}",
                busy=not off,
            )
        )
    return made


async def _closed(tx: Tx, asked: Asked, tool: Tool) -> list[Entry]:
    """Days on which it is not lent, in the same words: why is nobody's business."""
    rows = await tx.execute(
        select(Occupancy.id, Occupancy.period).where(
            Occupancy.community_id == tool.community_id,
            Occupancy.tool_id == tool.id,
            Occupancy.kind == OccupancyKind.BLACKOUT,
        )
    )
    return [
        Entry(
            uid=_uid(asked, "closed", one),
            sequence=1,
            start=period.lower,
            end=period.upper,
            changed_at=tool.changed_at,
            summary=f"{tool.name} is taken",
            status="CONFIRMED",
            path=f"{asked.viewer.here.path}/tools/{tool.id}",
            busy=True,
        )
        for one, period in rows
        if period.lower is not None and period.upper is not None
    ]


def _uid(asked: Asked, kind: str, number: int) -> str:
    """The same for ever, whatever the address of the instance; another one in another instance."""
    founded = asked.community.created_at.isoformat()
    name = f"toolshare/{founded}/{asked.community.id}/{kind}/{number}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))
