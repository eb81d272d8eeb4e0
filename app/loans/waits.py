"""Reading a waitlist: who waits for a tool, in which order, and for what one person waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app import clock
from app.db import Tx
from app.loans import queries
from app.loans.turns import Taken
from app.people.viewer import Here
from app.tools import occupied
from app.tools.models import OccupancyKind, Tool
from app.tools.wishes import Outcome, Wish

BLOCKING = (OccupancyKind.LOAN, OccupancyKind.OFFER, OccupancyKind.BLACKOUT)


async def line(tx: Tx, community_id: int, tool_id: int) -> Sequence[Wish]:
    """Everybody who waits for a tool, in their turn, with their names and memberships."""
    rows = await tx.scalars(
        select(Wish)
        .options(joinedload(Wish.person), joinedload(Wish.standing))
        .where(
            Wish.community_id == community_id,
            Wish.tool_id == tool_id,
            Wish.outcome == Outcome.OPEN,
        )
        .order_by(Wish.turn, Wish.id)
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def wishes_of(tx: Tx, person_id: int, communities: Iterable[int]) -> Sequence[Wish]:
    """What one person waits for, what is offered first."""
    rows = await tx.scalars(
        select(Wish)
        .where(
            Wish.person_id == person_id,
            Wish.community_id.in_(list(communities)),
            Wish.outcome == Outcome.OPEN,
        )
        .order_by(Wish.offered_until, Wish.id)
    )
    return rows.all()


async def offered_to(tx: Tx, people: Iterable[int]) -> Sequence[tuple[int, int]]:
    """The tools that are kept for one of these people just now: (community, tool)."""
    rows = await tx.execute(
        select(Wish.community_id, Wish.tool_id)
        .where(
            Wish.person_id.in_(list(people)),
            Wish.outcome == Outcome.OPEN,
            Wish.offered.is_not(None),
        )
        .distinct()
    )
    return [(community_id, tool_id) for community_id, tool_id in rows]


async def ever(tx: Tx, community_id: int, tool_id: int, person_id: int) -> int:
    """How often this person has waited for this tool: each time is another command."""
    found = await tx.scalar(
        select(func.count())
        .select_from(Wish)
        .where(
            Wish.community_id == community_id,
            Wish.tool_id == tool_id,
            Wish.person_id == person_id,
        )
    )
    return found or 0


async def waited_for(tx: Tx) -> Sequence[tuple[int, int]]:
    """Every tool, anywhere, for which somebody waits: (community, tool)."""
    rows = await tx.execute(
        select(Wish.community_id, Wish.tool_id).where(Wish.outcome == Outcome.OPEN).distinct()
    )
    return [(community_id, tool_id) for community_id, tool_id in rows]


async def taken(tx: Tx, here: Here, tool_id: int, now: datetime) -> Taken:
    """What keeps a tool busy; one that is late counts as taken for the rest of this day."""
    busy = await occupied.busy(tx, here.id, [tool_id], now, kinds=BLOCKING)
    tool = await tx.get_one(Tool, (here.id, tool_id))
    rest = tool.lending.buffer  # a loan before something needs room for the tool's rest
    spans = [(lower - rest, upper) for lower, upper in busy.get(tool_id, [])]
    holder = await queries.holder(tx, here.id, tool_id)
    late = holder is not None and holder.end <= now
    if late:
        today = clock.local_day(now, here.zone)
        spans = sorted([*spans, clock.days(today, today, here.zone)])
    return Taken(spans, in_hand=holder is not None, late=late, rules=tool.lending)
