"""The only writer of Occupancy: claim, hold, offer, black out, release, cut."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app import queue
from app.db import Tx
from app.errors import Span
from app.tools import watches
from app.tools.models import Occupancy, OccupancyKind
from app.tools.occupied import taken, taken_now
from app.tools.wishes import anyone_waits

OVERLAP = "23P01"  # SQLSTATE exclusion_violation
WAKE = "waitlist.offer"
UNSYNCHRONISED = {"synchronize_session": False}
Which = tuple[ColumnElement[bool], ...]


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
    return await _free(tx, community_id, tool_id, _held_by(community_id, tool_id, person_id), now)


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
    off = (
        Occupancy.community_id == community_id,
        Occupancy.tool_id == tool_id,
        Occupancy.id == occupancy_id,
        Occupancy.kind == OccupancyKind.BLACKOUT,
    )
    if await taken_now(tx, off, now):
        await watches.stir(tx, community_id, tool_id, now, now)
    return await _free(tx, community_id, tool_id, off, now)


async def _free(tx: Tx, community_id: int, tool_id: int, which: Which, now: datetime) -> bool:
    """Wakes who waits for it; False: there was no such row."""
    gone = await tx.execute(delete(Occupancy).where(*which).execution_options(**UNSYNCHRONISED))
    if not gone.rowcount:  # type: ignore[attr-defined]
        return False
    await wake(tx, community_id, tool_id, now, now)
    return True


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
    """A new row, or made of what a loan keeps or `person_id` holds: in its way, or `anywhere`."""
    whole: dict[str, Any] = {"loan_id": None, "person_id": None, "expires_at": None} | row
    async with _unless_taken(tx, community_id, tool_id, now):
        if kept_for is not None and await _become(tx, _of_loan(community_id, kept_for), whole):
            return
        if person_id is not None:
            mine = _held_by(community_id, tool_id, person_id)
            if not anywhere:
                mine = (*mine, Occupancy.period.op("&&")(row["period"]))
            if await _become(tx, mine, whole):
                return
        tx.add(Occupancy(community_id=community_id, tool_id=tool_id, **row))
        await tx.flush()


async def _become(tx: Tx, which: Which, values: dict[str, Any]) -> bool:
    """False: there was no such row."""
    changed = await tx.execute(
        update(Occupancy).where(*which).values(**values).execution_options(**UNSYNCHRONISED)
    )
    return changed.rowcount > 0  # type: ignore[attr-defined, no-any-return]


@asynccontextmanager
async def _unless_taken(
    tx: Tx, community_id: int, tool_id: int, now: datetime
) -> AsyncIterator[None]:
    """Raises Conflict where the constraint says no. What has expired is nobody's any more."""
    await drop_expired(tx, community_id, tool_id, now)
    try:
        async with tx.begin_nested():
            yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == OVERLAP:
            raise taken() from error
        raise


def _of_loan(community_id: int, loan_id: int) -> Which:
    return Occupancy.community_id == community_id, Occupancy.loan_id == loan_id


def _held_by(community_id: int, tool_id: int, person_id: int) -> Which:
    return _kept_for(community_id, tool_id, person_id, OccupancyKind.HOLD)


def _offered_to(community_id: int, tool_id: int, person_id: int) -> Which:
    offers = _kept_for(community_id, tool_id, person_id, OccupancyKind.OFFER)
    return *offers, Occupancy.loan_id.is_(None)


def _kept_for(community_id: int, tool_id: int, person_id: int, kind: OccupancyKind) -> Which:
    return (
        Occupancy.community_id == community_id,
        Occupancy.tool_id == tool_id,
        Occupancy.person_id == person_id,
        Occupancy.kind == kind,
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
    row = {"period": Range(*span), "expires_at": until}
    kept = {"kind": OccupancyKind.OFFER, "person_id": person_id}
    await _put(tx, community_id, tool_id, row | kept, now)


async def keep_offered(
    tx: Tx, community_id: int, tool_id: int, person_id: int, *, loan_id: int, until: datetime
) -> bool:
    """What was offered stays blocked for the request that was made of it; False: it has gone."""
    theirs = _offered_to(community_id, tool_id, person_id)
    return await _become(tx, theirs, {"loan_id": loan_id, "expires_at": until})


async def end_offer(tx: Tx, community_id: int, tool_id: int, person_id: int, now: datetime) -> None:
    """It was declined, or ran out: the dates are free for the next."""
    theirs = _offered_to(community_id, tool_id, person_id)
    await tx.execute(delete(Occupancy).where(*theirs).execution_options(**UNSYNCHRONISED))
    await wake(tx, community_id, tool_id, now, now)


async def wake(tx: Tx, community_id: int, tool_id: int, at: datetime, now: datetime) -> None:
    """Dates are free from `at` on: whoever waits for them is offered them then, by a job.

    Each call is a job of its own: to wake them now must not put off that an offer runs out later.
    """
    if await anyone_waits(tx, community_id, tool_id):
        key = f"{community_id}/{tool_id}/{uuid.uuid4().hex}"
        await queue.enqueue(tx, WAKE, key, at, now)


async def occupy(
    tx: Tx, community_id: int, tool_id: int, period: Range[datetime], *, loan_id: int, now: datetime
) -> None:
    """The loan blocks exactly this, whatever it blocked before. Raises Conflict if it is taken.

    Never by way of `release`: what is free for a moment might be gone.
    """
    async with _unless_taken(tx, community_id, tool_id, now):
        moved = await _become(tx, _of_loan(community_id, loan_id), {"period": period})
    await wake(tx, community_id, tool_id, now, now)
    if not moved:
        await claim(tx, community_id, tool_id, period, loan_id=loan_id, now=now)


async def start_early(tx: Tx, community_id: int, tool_id: int, loan_id: int, now: datetime) -> None:
    """The loan begins now instead of later. Raises Conflict if somebody has the tool before."""
    sooner = func.tstzrange(now, func.upper(Occupancy.period))
    async with _unless_taken(tx, community_id, tool_id, now):
        await _become(tx, _of_loan(community_id, loan_id), {"period": sooner})


async def move(
    tx: Tx,
    community_id: int,
    tool_id: int,
    loan_id: int,
    until: datetime,
    now: datetime,
    start: datetime | None = None,
) -> None:
    """The loan blocks other dates instead; without `start` it goes on from where it began.

    Raises Conflict if somebody has the tool then. What has passed is not taken from anybody.
    """
    lower = func.lower(Occupancy.period) if start is None else max(start, now)
    async with _unless_taken(tx, community_id, tool_id, now):
        other = {"period": func.tstzrange(lower, until)}
        moved = await _become(tx, _of_loan(community_id, loan_id), other)
    await wake(tx, community_id, tool_id, now, now)
    if not moved:  # a late loan that was put right blocks by possession alone
        period = Range(start or now, until)
        await claim(tx, community_id, tool_id, period, loan_id=loan_id, now=now)


async def cut(
    tx: Tx, community_id: int, loan_id: int, now: datetime, rest: timedelta = timedelta()
) -> datetime:
    """The tool is back: what it blocked is free at once, but for its `rest` after a loan.

    Answers from when on.
    """
    began = func.lower(Occupancy.period)
    mine = _of_loan(community_id, loan_id)
    gone = delete(Occupancy).where(*mine, began >= now).returning(Occupancy.tool_id)
    dropped = await tx.scalar(gone.execution_options(**UNSYNCHRONISED))
    rows = await tx.execute(
        update(Occupancy)
        .where(*mine, Occupancy.period.contains(now))
        .values(period=func.tstzrange(began, func.least(func.upper(Occupancy.period), now + rest)))
        .returning(Occupancy.tool_id, func.upper(Occupancy.period))
        .execution_options(**UNSYNCHRONISED)
    )
    tool_id, free_at = rows.one_or_none() or (dropped, now)
    if tool_id:
        await wake(tx, community_id, tool_id, free_at, now)
    return free_at


async def release(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    """The loan blocks nothing any more."""
    mine = _of_loan(community_id, loan_id)
    if tool_id := await taken_now(tx, mine, now):
        await watches.stir(tx, community_id, tool_id, now, now)
    gone = delete(Occupancy).where(*mine).returning(Occupancy.tool_id)
    if tool_id := await tx.scalar(gone.execution_options(**UNSYNCHRONISED)):
        await wake(tx, community_id, tool_id, now, now)


async def drop_expired(tx: Tx, community_id: int, tool_id: int, now: datetime) -> None:
    await tx.execute(
        delete(Occupancy).where(
            Occupancy.community_id == community_id,
            Occupancy.tool_id == tool_id,
            Occupancy.expires_at <= now,
        )
    )
