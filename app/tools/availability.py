"""The only writer of Occupancy: claim, release, cut, and what is left free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app.db import Tx
from app.errors import Conflict, Span
from app.tools.models import Occupancy, OccupancyKind

HORIZON = timedelta(days=90)
OVERLAP = "23P01"  # SQLSTATE exclusion_violation


def taken() -> Conflict:
    return Conflict(
        "These dates have just been taken.", "Choose other days; the free ones are below."
    )


async def claim(
    tx: Tx,
    community_id: int,
    tool_id: int,
    period: Range[datetime],
    *,
    loan_id: int,
    now: datetime,
) -> None:
    """Blocks the tool for what is still to come of a loan. Raises Conflict if it is taken.

    What has passed of today may have been another neighbour's. The database decides, not a look
    beforehand: no other transaction can come in between. Exclusion constraints cannot read the
    clock, so what has expired is deleted first.
    """
    await drop_expired(tx, community_id, tool_id, now)
    try:
        async with tx.begin_nested():
            tx.add(
                Occupancy(
                    community_id=community_id,
                    tool_id=tool_id,
                    kind=OccupancyKind.LOAN,
                    period=Range(max(period.lower or now, now), period.upper),
                    loan_id=loan_id,
                )
            )
            await tx.flush()
    except IntegrityError as error:
        raise _or_conflict(error) from error


async def hold(
    tx: Tx,
    community_id: int,
    tool_id: int,
    period: Range[datetime],
    *,
    loan_id: int,
    now: datetime,
) -> None:
    """The loan blocks exactly this, whatever it blocked before. Raises Conflict if it is taken.

    Never by way of `release`: what is free for a moment might be gone.
    """
    await drop_expired(tx, community_id, tool_id, now)
    try:
        async with tx.begin_nested():
            moved = await tx.execute(
                update(Occupancy)
                .where(Occupancy.community_id == community_id, Occupancy.loan_id == loan_id)
                .values(period=period)
                .returning(Occupancy.id)
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:
        raise _or_conflict(error) from error
    if moved.first() is None:
        await claim(tx, community_id, tool_id, period, loan_id=loan_id, now=now)


async def start_early(
    tx: Tx, community_id: int, loan_id: int, end: datetime, now: datetime
) -> None:
    """The loan begins now instead of later. Raises Conflict if somebody has the tool before."""
    try:
        async with tx.begin_nested():
            await tx.execute(
                update(Occupancy)
                .where(Occupancy.community_id == community_id, Occupancy.loan_id == loan_id)
                .values(period=Range(now, end))
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:
        raise _or_conflict(error) from error


async def cut(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    """The tool is back: the rest of what it blocked is free at once."""
    began = func.lower(Occupancy.period)
    mine = (Occupancy.community_id == community_id, Occupancy.loan_id == loan_id)
    unsynchronised = {"synchronize_session": False}
    await tx.execute(
        delete(Occupancy).where(*mine, began >= now).execution_options(**unsynchronised)
    )
    await tx.execute(
        update(Occupancy)
        .where(*mine, Occupancy.period.contains(now))
        .values(period=func.tstzrange(began, now))
        .execution_options(**unsynchronised)
    )


async def release(tx: Tx, community_id: int, loan_id: int) -> None:
    """The loan blocks nothing any more."""
    await tx.execute(
        delete(Occupancy).where(
            Occupancy.community_id == community_id, Occupancy.loan_id == loan_id
        )
    )


async def drop_expired(tx: Tx, community_id: int, tool_id: int, now: datetime) -> None:
    await tx.execute(
        delete(Occupancy).where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id == tool_id,
            Occupancy.expires_at <= now,
        )
    )


async def busy(
    tx: Tx, community_id: int, tool_ids: Iterable[int], now: datetime
) -> dict[int, list[Span]]:
    """tool → its blocked periods that end after `now`, in order."""
    rows = await tx.execute(
        select(Occupancy.tool_id, Occupancy.period)
        .where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id.in_(list(tool_ids)),
            Occupancy.period.op("&&")(Range(now, None)),
            or_(Occupancy.expires_at.is_(None), Occupancy.expires_at > now),
        )
        .order_by(Occupancy.tool_id, Occupancy.period)
    )
    spans: dict[int, list[Span]] = {}
    for tool_id, period in rows:
        assert period.lower is not None, "an occupancy is bounded"
        assert period.upper is not None, "an occupancy is bounded"
        spans.setdefault(tool_id, []).append((period.lower, period.upper))
    return spans


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


def _or_conflict(error: IntegrityError) -> Exception:
    state = getattr(error.orig, "sqlstate", None)
    return taken() if state == OVERLAP else error
