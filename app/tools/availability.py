"""The only writer of Occupancy: claim, hold, offer, black out, release, cut, and what is free."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app import queue
from app.db import Tx
from app.errors import Conflict, Span
from app.tools.models import Occupancy, OccupancyKind, Tool, ToolStatus
from app.tools.wishes import anyone_waits

OVERLAP = "23P01"  # SQLSTATE exclusion_violation
WAKE = "waitlist.offer"
UNSYNCHRONISED = {"synchronize_session": False}
NOT_HELD = tuple(kind for kind in OccupancyKind if kind != OccupancyKind.HOLD)


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
    person_id: int | None = None,
) -> None:
    """Blocks the tool for what is still to come of a loan. Raises Conflict if it is taken.

    What has passed of today may have been another neighbour's. The database decides, not a look
    beforehand: no other transaction can come in between. Exclusion constraints cannot read the
    clock, so what has expired is deleted first. What was kept for this loan, or a hold of
    `person_id`, becomes the loan's row.
    """
    blocked = Range(max(period.lower or now, now), period.upper)
    row = {"kind": OccupancyKind.LOAN, "loan_id": loan_id, "period": blocked}
    await _put(tx, community_id, tool_id, row, now, person_id, kept_for=loan_id)


async def hold(
    tx: Tx,
    community_id: int,
    tool_id: int,
    period: Range[datetime],
    *,
    person_id: int,
    until: datetime,
    now: datetime,
) -> None:
    """Blocks what somebody is choosing; dates they held of this tool before are let go.

    Raises Conflict if the dates are taken; then the old ones stay theirs.
    """
    row = {"period": Range(max(period.lower or now, now), period.upper), "expires_at": until}
    held = {"kind": OccupancyKind.HOLD, "person_id": person_id}
    await _put(tx, community_id, tool_id, row | held, now, person_id, anywhere=True)


async def let_go(tx: Tx, community_id: int, tool_id: int, person_id: int, now: datetime) -> bool:
    """Ends a person's hold; False: there was none."""
    gone = await tx.execute(
        delete(Occupancy)
        .where(*_held_by(community_id, tool_id, person_id))
        .execution_options(synchronize_session=False)
    )
    return await _freed(tx, community_id, tool_id, now, gone.rowcount)  # type: ignore[attr-defined]


async def black_out(
    tx: Tx, community_id: int, tool_id: int, period: Range[datetime], now: datetime
) -> None:
    """Blocks days on which the tool is not lent. Raises Conflict if they are taken."""
    row = {"kind": OccupancyKind.BLACKOUT, "period": period}
    await _put(tx, community_id, tool_id, row, now)


async def end_black_out(
    tx: Tx, community_id: int, tool_id: int, occupancy_id: int, now: datetime
) -> bool:
    """Lends it again in those days; False: they were not blacked out."""
    gone = await tx.execute(
        delete(Occupancy)
        .where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id == tool_id,
            Occupancy.id == occupancy_id,
            Occupancy.kind == OccupancyKind.BLACKOUT,
        )
        .execution_options(synchronize_session=False)
    )
    return await _freed(tx, community_id, tool_id, now, gone.rowcount)  # type: ignore[attr-defined]


async def _freed(tx: Tx, community_id: int, tool_id: int, now: datetime, rows: int) -> bool:
    if rows:
        await wake(tx, community_id, tool_id, now, now)
    return rows > 0


async def _put(
    tx: Tx,
    community_id: int,
    tool_id: int,
    row: dict[str, Any],
    now: datetime,
    person_id: int | None = None,
    *,
    anywhere: bool = False,
    kept_for: int | None = None,
) -> None:
    """A new row; or what is kept for a loan, or the hold of `person_id`, made into it: one in its
    way, or `anywhere`.
    """
    await drop_expired(tx, community_id, tool_id, now)
    empty = {"loan_id": None, "person_id": None, "expires_at": None}
    try:
        async with tx.begin_nested():
            found = 0
            if kept_for is not None:
                kept = (Occupancy.community_id == community_id, Occupancy.loan_id == kept_for)
                changed = await tx.execute(
                    update(Occupancy)
                    .where(*kept)
                    .values(**(empty | row))
                    .execution_options(**UNSYNCHRONISED)
                )
                found = changed.rowcount  # type: ignore[attr-defined]
            if not found and person_id is not None:
                mine = _held_by(community_id, tool_id, person_id)
                if not anywhere:
                    mine = (*mine, Occupancy.period.op("&&")(row["period"]))
                changed = await tx.execute(
                    update(Occupancy)
                    .where(*mine)
                    .values(**(empty | row))
                    .execution_options(synchronize_session=False)
                )
                found = changed.rowcount  # type: ignore[attr-defined]
            if not found:
                tx.add(Occupancy(community_id=community_id, tool_id=tool_id, **row))
                await tx.flush()
    except IntegrityError as error:
        raise _or_conflict(error) from error


def _held_by(community_id: int, tool_id: int, person_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Occupancy.community_id == community_id,
        Occupancy.tool_id == tool_id,
        Occupancy.person_id == person_id,
        Occupancy.kind == OccupancyKind.HOLD,
    )


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

    Each call is a job of its own: to wake them now must not put off that an offer runs out later.
    """
    if await anyone_waits(tx, community_id, tool_id):
        key = f"{community_id}/{tool_id}/{uuid.uuid4().hex}"
        await queue.enqueue(tx, WAKE, key, at, now)


async def occupy(
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
    await wake(tx, community_id, tool_id, now, now)
    if moved.first() is None:
        await claim(tx, community_id, tool_id, period, loan_id=loan_id, now=now)


async def start_early(tx: Tx, community_id: int, tool_id: int, loan_id: int, now: datetime) -> None:
    """The loan begins now instead of later. Raises Conflict if somebody has the tool before."""
    await drop_expired(tx, community_id, tool_id, now)
    try:
        async with tx.begin_nested():
            await tx.execute(
                update(Occupancy)
                .where(Occupancy.community_id == community_id, Occupancy.loan_id == loan_id)
                .values(period=func.tstzrange(now, func.upper(Occupancy.period)))
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:
        raise _or_conflict(error) from error


async def move(
    tx: Tx,
    community_id: int,
    tool_id: int,
    loan_id: int,
    later: timedelta,
    now: datetime,
    start: datetime | None = None,
) -> None:
    """The loan blocks other dates instead: until so much later (or earlier), with whatever else
    it blocks at its end; without `start` it goes on from where it began.

    Raises Conflict if somebody has the tool then. What has passed is not taken from anybody.
    """
    await drop_expired(tx, community_id, tool_id, now)
    lower = func.lower(Occupancy.period) if start is None else max(start, now)
    try:
        async with tx.begin_nested():
            await tx.execute(
                update(Occupancy)
                .where(Occupancy.community_id == community_id, Occupancy.loan_id == loan_id)
                .values(period=func.tstzrange(lower, func.upper(Occupancy.period) + later))
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:
        raise _or_conflict(error) from error
    await wake(tx, community_id, tool_id, now, now)


async def cut(
    tx: Tx, community_id: int, loan_id: int, now: datetime, rest: timedelta = timedelta()
) -> None:
    """The tool is back: what it blocked is free at once, but for its `rest` after a loan."""
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
        .values(period=func.tstzrange(began, func.least(func.upper(Occupancy.period), now + rest)))
        .returning(Occupancy.tool_id)
        .execution_options(**UNSYNCHRONISED)
    )
    if tool_id := dropped or shortened:
        await wake(tx, community_id, tool_id, now + rest, now)


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
        assert period.lower is not None, "an occupancy is bounded"
        assert period.upper is not None, "an occupancy is bounded"
        spans.setdefault(tool_id, []).append((period.lower, period.upper))
    return spans


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


def written(value: str) -> ColumnElement[str]:
    """A constant that stands in the statement. As a parameter it hides from the planner how rare

    it is: after five searches PostgreSQL then keeps a plan that asks tool by tool, a hundred times
    slower over ten thousand tools (`bin/bench dates`).
    """
    return literal_column(f"'{value}'", String)


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
