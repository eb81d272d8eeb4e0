"""Reading what blocks a tool, and what that leaves free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    String,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import Range

from app.db import Tx
from app.errors import Conflict, Span
from app.tools.models import Occupancy, OccupancyKind, Tool, ToolStatus

NOT_HELD = tuple(kind for kind in OccupancyKind if kind != OccupancyKind.HOLD)


def taken() -> Conflict:
    return Conflict(
        "These dates have just been taken.", "Choose other days; the free ones are below."
    )


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


async def busy(
    tx: Tx,
    community_id: int,
    tool_ids: Iterable[int],
    now: datetime,
    *,
    kinds: Iterable[OccupancyKind] = NOT_HELD,
    but_loan: int | None = None,
    not_kept_for: int | None = None,
) -> dict[int, list[Span]]:
    """tool → its blocked periods that end after `now`, in order; what is only held is not.

    Without what `but_loan` blocks, and without what is offered to the person `not_kept_for`.
    """
    theirs = (Occupancy.kind == OccupancyKind.OFFER) & (Occupancy.person_id == not_kept_for)
    rows = await tx.execute(
        select(Occupancy.tool_id, Occupancy.period)
        .where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id.in_(list(tool_ids)),
            Occupancy.kind.in_(list(kinds)),
            Occupancy.period.op("&&")(Range(now, None)),
            or_(Occupancy.expires_at.is_(None), Occupancy.expires_at > now),
            Occupancy.loan_id.is_distinct_from(but_loan or 0),
            ~theirs if not_kept_for is not None else true(),
        )
        .order_by(Occupancy.tool_id, Occupancy.period)
    )
    spans: dict[int, list[Span]] = {}
    for tool_id, period in rows:
        spans.setdefault(tool_id, []).append(_bounds(period))
    return spans


async def of_loan(tx: Tx, community_id: int, loan_id: int) -> Span | None:
    """What a loan blocks, the rest that it was made with included."""
    period = await tx.scalar(
        select(Occupancy.period).where(
            Occupancy.community_id == community_id, Occupancy.loan_id == loan_id
        )
    )
    return _bounds(period) if period is not None else None


def nothing_blocks(start: datetime, end: datetime, now: datetime) -> ColumnElement[bool]:
    """A condition on tools: lent, and free for the whole of these dates, as far as they come."""
    taken = exists().where(
        Occupancy.community_id == Tool.community_id,
        Occupancy.tool_id == Tool.id,
        Occupancy.kind != written(OccupancyKind.HOLD),
        Occupancy.period.op("&&")(Range(max(start, now), end)),
        or_(Occupancy.expires_at.is_(None), Occupancy.expires_at > now),
    )
    return (Tool.status == written(ToolStatus.LISTED)) & ~taken


def written(value: str) -> BindParameter[str]:
    """A constant that stands in the statement itself.

    As a parameter it hides from the planner how common it is: after five searches PostgreSQL then
    keeps a plan that asks tool by tool, a hundred times slower over ten thousand tools.
    """
    return bindparam(None, value, String, unique=True, literal_execute=True)


async def free_between(
    tx: Tx, community_id: int, start: datetime, end: datetime, now: datetime
) -> set[int]:
    """The tools of a community that are free in these dates: one query over all of them."""
    if end <= now:
        return set()
    free = nothing_blocks(start, end, now)
    return set(await tx.scalars(select(Tool.id).where(Tool.community_id == community_id, free)))


def free_ranges(spans: Sequence[Span], start: datetime, until: datetime) -> list[Span]:
    """What `spans` leave free between two instants; half-open, in order."""
    free: list[Span] = []
    at = start
    for lower, upper in sorted(spans):
        if lower > at:
            free.append((at, min(lower, until)))
        at = max(at, upper)
        if at >= until:
            break
    free.append((at, until))
    return [(lower, upper) for lower, upper in free if lower < upper]


def nearest(free: Sequence[Span], start: datetime, end: datetime, count: int = 3) -> list[Span]:
    """The free ranges that could hold the wanted period, the nearest to it first."""
    long_enough = [span for span in free if span[1] - span[0] >= end - start]

    def distance(span: Span) -> timedelta:
        if span[1] <= start:
            return start - (span[1] - (end - start))
        return max(span[0] - start, timedelta())

    return sorted(sorted(long_enough, key=distance)[:count])


def _bounds(period: Range[datetime]) -> Span:
    assert period.lower is not None, "an occupancy is bounded"
    assert period.upper is not None, "an occupancy is bounded"
    return period.lower, period.upper
