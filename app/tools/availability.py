"""The only writer of Occupancy: claim, offer, release, cut, and what is left free."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app import queue
from app.db import Tx
from app.errors import Conflict, Span
from app.tools.models import Occupancy, OccupancyKind, Tool, ToolStatus
from app.tools.wishes import anyone_waits

HORIZON = timedelta(days=90)
OVERLAP = "23P01"  # SQLSTATE exclusion_violation
WAKE = "waitlist.offer"
UNSYNCHRONISED = {"synchronize_session": False}


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
    clock, so what has expired is deleted first. What was kept for this loan becomes the loan's.
    """
    still_to_come = Range(max(period.lower or now, now), period.upper)
    await drop_expired(tx, community_id, tool_id, now)
    try:
        async with tx.begin_nested():
            kept = await tx.scalar(
                update(Occupancy)
                .where(Occupancy.community_id == community_id, Occupancy.loan_id == loan_id)
                .values(
                    kind=OccupancyKind.LOAN, period=still_to_come, expires_at=None, person_id=None
                )
                .returning(Occupancy.id)
                .execution_options(**UNSYNCHRONISED)
            )
            if kept is None:
                tx.add(
                    Occupancy(
                        community_id=community_id,
                        tool_id=tool_id,
                        kind=OccupancyKind.LOAN,
                        period=still_to_come,
                        loan_id=loan_id,
                    )
                )
                await tx.flush()
    except IntegrityError as error:
        raise _or_conflict(error) from error


async def offer(
    tx: Tx,
    community_id: int,
    tool_id: int,
    span: Span,
    *,
    person_id: int,
    until: datetime,
    now: datetime,
) -> None:
    """Keeps dates for somebody who waits. Raises Conflict if they are taken."""
    await drop_expired(tx, community_id, tool_id, now)
    try:
        async with tx.begin_nested():
            tx.add(
                Occupancy(
                    community_id=community_id,
                    tool_id=tool_id,
                    kind=OccupancyKind.OFFER,
                    period=Range(*span),
                    person_id=person_id,
                    expires_at=until,
                )
            )
            await tx.flush()
    except IntegrityError as error:
        raise _or_conflict(error) from error


async def keep_offered(
    tx: Tx, community_id: int, tool_id: int, person_id: int, *, loan_id: int, until: datetime
) -> bool:
    """What was offered stays blocked for the request that was made of it; False: it has gone."""
    found = await tx.scalar(
        update(Occupancy)
        .where(*_offered_to(community_id, tool_id, person_id))
        .values(loan_id=loan_id, expires_at=until)
        .returning(Occupancy.id)
        .execution_options(**UNSYNCHRONISED)
    )
    return found is not None


async def end_offer(tx: Tx, community_id: int, tool_id: int, person_id: int, now: datetime) -> None:
    """It was declined, or ran out: the dates are free for the next."""
    await tx.execute(
        delete(Occupancy)
        .where(*_offered_to(community_id, tool_id, person_id))
        .execution_options(**UNSYNCHRONISED)
    )
    await wake(tx, community_id, tool_id, now, now)


def _offered_to(community_id: int, tool_id: int, person_id: int) -> list[ColumnElement[bool]]:
    return [
        Occupancy.community_id == community_id,
        Occupancy.tool_id == tool_id,
        Occupancy.kind == OccupancyKind.OFFER,
        Occupancy.person_id == person_id,
        Occupancy.loan_id.is_(None),
    ]


async def wake(tx: Tx, community_id: int, tool_id: int, at: datetime, now: datetime) -> None:
    """Dates are free from `at` on: whoever waits for them is offered them then, by a job.

    Each call is a job of its own. One that is under way waits for the tool, which the caller
    holds: to wait for its row here would be a ring.
    """
    if await anyone_waits(tx, community_id, tool_id):
        key = f"{community_id}/{tool_id}/{uuid.uuid4().hex}"
        await queue.enqueue(tx, WAKE, key, at, now)


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
    dropped = await tx.scalar(
        delete(Occupancy)
        .where(*mine, began >= now)
        .returning(Occupancy.tool_id)
        .execution_options(**UNSYNCHRONISED)
    )
    shortened = await tx.scalar(
        update(Occupancy)
        .where(*mine, Occupancy.period.contains(now))
        .values(period=func.tstzrange(began, now))
        .returning(Occupancy.tool_id)
        .execution_options(**UNSYNCHRONISED)
    )
    if tool_id := dropped or shortened:
        await wake(tx, community_id, tool_id, now, now)


async def release(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    """The loan blocks nothing any more."""
    tool_id = await tx.scalar(
        delete(Occupancy)
        .where(Occupancy.community_id == community_id, Occupancy.loan_id == loan_id)
        .returning(Occupancy.tool_id)
        .execution_options(**UNSYNCHRONISED)
    )
    if tool_id is not None:
        await wake(tx, community_id, tool_id, now, now)


async def drop_expired(tx: Tx, community_id: int, tool_id: int, now: datetime) -> None:
    await tx.execute(
        delete(Occupancy).where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id == tool_id,
            Occupancy.expires_at <= now,
        )
    )


async def busy(
    tx: Tx,
    community_id: int,
    tool_ids: Iterable[int],
    now: datetime,
    *,
    kinds: Iterable[OccupancyKind] = OccupancyKind,
    not_of: int | None = None,
    not_kept_for: int | None = None,
) -> dict[int, list[Span]]:
    """tool → its blocked periods that end after `now`, in order.

    `not_of`: without what this loan blocks; `not_kept_for`: nor what is offered to this person.
    """
    found = select(Occupancy.tool_id, Occupancy.period).where(
        Occupancy.community_id == community_id,
        Occupancy.tool_id.in_(list(tool_ids)),
        Occupancy.period.op("&&")(Range(now, None)),
        or_(Occupancy.expires_at.is_(None), Occupancy.expires_at > now),
    )
    if kinds is not OccupancyKind:
        found = found.where(Occupancy.kind.in_(list(kinds)))
    if not_of is not None:
        found = found.where(Occupancy.loan_id.is_distinct_from(not_of))
    if not_kept_for is not None:
        theirs = (Occupancy.kind == OccupancyKind.OFFER) & (Occupancy.person_id == not_kept_for)
        found = found.where(~theirs)
    rows = await tx.execute(found.order_by(Occupancy.tool_id, Occupancy.period))
    spans: dict[int, list[Span]] = {}
    for tool_id, period in rows:
        assert period.lower is not None, "an occupancy is bounded"
        assert period.upper is not None, "an occupancy is bounded"
        spans.setdefault(tool_id, []).append((period.lower, period.upper))
    return spans


def nothing_blocks(start: datetime, end: datetime, now: datetime) -> ColumnElement[bool]:
    """A condition on tools: lent, and free for the whole of these dates, as far as they come."""
    taken = exists().where(
        Occupancy.community_id == Tool.community_id,
        Occupancy.tool_id == Tool.id,
        Occupancy.period.op("&&")(Range(max(start, now), end)),
        or_(Occupancy.expires_at.is_(None), Occupancy.expires_at > now),
    )
    return (Tool.status == ToolStatus.LISTED) & ~taken


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


def _or_conflict(error: IntegrityError) -> Exception:
    state = getattr(error.orig, "sqlstate", None)
    return taken() if state == OVERLAP else error
