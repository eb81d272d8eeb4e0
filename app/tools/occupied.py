"""Reading what blocks a tool besides loans: dates that are being chosen, days it is not lent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from app.db import Tx
from app.errors import Span
from app.tools.models import Occupancy, OccupancyKind


@dataclass(frozen=True)
class Hold:
    """Dates that somebody is choosing."""

    person_id: int
    start: datetime
    end: datetime
    until: datetime  # it runs out by itself


async def holds(tx: Tx, community_id: int, tool_id: int, now: datetime) -> list[Hold]:
    """The dates of a tool that people are choosing now, in order."""
    rows = await tx.execute(
        select(Occupancy.person_id, Occupancy.period, Occupancy.expires_at)
        .where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id == tool_id,
            Occupancy.kind == OccupancyKind.HOLD,
            Occupancy.expires_at > now,
        )
        .order_by(Occupancy.period)
    )
    return [
        Hold(person, *_bounds(period), until)
        for person, period, until in rows
        if person is not None and until is not None
    ]


async def held_by(tx: Tx, person_id: int, now: datetime) -> int:
    """How many tools a person holds dates of, wherever."""
    found = await tx.scalar(
        select(func.count())
        .select_from(Occupancy)
        .where(
            Occupancy.person_id == person_id,
            Occupancy.kind == OccupancyKind.HOLD,
            Occupancy.expires_at > now,
        )
    )
    return found or 0


async def black_outs(
    tx: Tx, community_id: int, tool_id: int, now: datetime
) -> list[tuple[int, Span]]:
    """(id, period) of the days on which a tool is not lent, as far as they are not over."""
    rows = await tx.execute(
        select(Occupancy.id, Occupancy.period)
        .where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id == tool_id,
            Occupancy.kind == OccupancyKind.BLACKOUT,
            Occupancy.period.op("&&")(Range(now, None)),
        )
        .order_by(Occupancy.period)
    )
    return [(one, _bounds(period)) for one, period in rows]


def _bounds(period: Range[datetime]) -> Span:
    assert period.lower is not None, "an occupancy is bounded"
    assert period.upper is not None, "an occupancy is bounded"
    return period.lower, period.upper
