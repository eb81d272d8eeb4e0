"""What waits to be carried off: taken up by one worker at a time, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Delete, Select, delete, func, select
from sqlalchemy.orm import joinedload

from app.db import Tx
from app.notices import commands
from app.notices.deliveries import Delivery, Sending, put_off
from app.notices.kinds import Channel
from app.notices.mailing import Parcel
from app.notices.models import Notice
from app.notices.steps import TOGETHER
from app.people.models import Community, Person
from app.people.viewer import Here

LEASE = timedelta(minutes=2)  # longer than any server is waited for
MOST = 50  # notices in one mail


@dataclass(frozen=True)
class Carried:
    """Rows that are ours until `LEASE` is over, and what they say."""

    parcel: Parcel
    rows: Sequence[tuple[int, int, str]]  # keys of the deliveries


async def take(tx: Tx, channel: Channel, now: datetime) -> Carried | None:
    """The next that is due, with whatever goes with it. What has been seen meanwhile goes nowhere.

    The commit must come before the sending: from then on nobody else takes it.
    """
    first = await tx.scalar(_due(channel, now).limit(1))
    if first is None or not await _alone(tx, first):
        return None
    bundle = Delivery.person_id == first.person_id, Delivery.bundle == first.bundle
    rows = (
        await tx.scalars(_due(channel, now).where(*bundle).order_by(Delivery.notice_id).limit(MOST))
    ).all()
    notices = await _notices(tx, rows)
    kept: list[tuple[Delivery, Notice]] = []
    for row in rows:
        notice = notices[row.community_id, row.notice_id]
        if notice.seen_at is not None:
            await tx.execute(_delete(row))
        else:
            row.send_at = now + LEASE
            kept.append((row, notice))
    await tx.flush()
    person = await tx.get_one(Person, first.person_id)
    here = {
        one.community_id: Here.of(await tx.get_one(Community, one.community_id)) for one in rows
    }
    parcel = Parcel(
        person,
        [(notice, here[row.community_id]) for row, notice in kept],
        together=first.bundle == TOGETHER,
    )
    return Carried(parcel, [(row.community_id, row.notice_id, row.channel) for row, _ in kept])


def _due(channel: Channel, now: datetime) -> Select[Delivery]:
    return (
        select(Delivery)
        .where(
            Delivery.sending == Sending.READY, Delivery.channel == channel, Delivery.send_at <= now
        )
        .order_by(Delivery.send_at)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


async def _alone(tx: Tx, first: Delivery) -> bool:
    """Two workers never split what belongs together."""
    lock = func.hashtextextended(f"{first.person_id} {first.channel} {first.bundle}", 0)
    return bool(await tx.scalar(select(func.pg_try_advisory_xact_lock(lock))))


async def _notices(tx: Tx, rows: Sequence[Delivery]) -> dict[tuple[int, int], Notice]:
    found = {}
    for row in rows:  # at most MOST, and nearly always one
        found[row.community_id, row.notice_id] = await tx.get_one(
            Notice, (row.community_id, row.notice_id), options=[joinedload(Notice.by)]
        )
    return found


async def sent(tx: Tx, carried: Carried, now: datetime) -> None:
    for row in await _rows(tx, carried):
        row.sending, row.settled_at, row.attempts = Sending.SENT, now, row.attempts + 1
        row.last_error = ""
    await _told(tx, carried)


async def failed(
    tx: Tx, carried: Carried, why: str, now: datetime, *, for_good: bool = False
) -> None:
    """It is tried again, later and later; in the end it is shown as failed."""
    for row in await _rows(tx, carried):
        row.attempts, row.last_error = row.attempts + 1, why[:80]
        wait = None if for_good else put_off(row.attempts)
        if wait is None:
            row.sending, row.settled_at = Sending.FAILED, now
        else:
            row.send_at = now + wait
    await _told(tx, carried)


async def pointless(tx: Tx, carried: Carried) -> None:
    """There is no way to this person any more."""
    for row in await _rows(tx, carried):
        await tx.execute(_delete(row))
    await _told(tx, carried)


async def _rows(tx: Tx, carried: Carried) -> list[Delivery]:
    found = [await tx.get(Delivery, key, with_for_update=True) for key in carried.rows]
    return [row for row in found if row is not None and row.sending == Sending.READY]


def _delete(row: Delivery) -> Delete:
    return (
        delete(Delivery)
        .where(
            Delivery.community_id == row.community_id,
            Delivery.notice_id == row.notice_id,
            Delivery.channel == row.channel,
        )
        .execution_options(synchronize_session=False)
    )


async def _told(tx: Tx, carried: Carried) -> None:
    await tx.flush()
    commands.show_delivered(
        tx, {notice.subject for notice, _ in carried.parcel.notices if notice.due_at is not None}
    )


@dataclass(frozen=True)
class Trouble:
    """For coordinators: what could not be delivered of late, without saying to whom."""

    channel: Channel
    waiting: int
    failed: int
    last_error: str


async def troubles(tx: Tx, community_id: int, since: datetime) -> list[Trouble]:
    found = []
    for channel in Channel:
        here = (Delivery.community_id == community_id, Delivery.channel == channel)
        waits = (*here, Delivery.sending == Sending.READY, Delivery.attempts > 0)
        gone = (*here, Delivery.sending == Sending.FAILED, Delivery.settled_at > since)
        waiting, failed = [
            await tx.scalar(select(func.count()).select_from(Delivery).where(*each)) or 0
            for each in (waits, gone)
        ]
        if waiting or failed:
            last = await tx.scalar(
                select(Delivery.last_error)
                .where(*here, Delivery.last_error != "")
                .order_by(Delivery.send_at.desc())
                .limit(1)
            )
            found.append(Trouble(channel, waiting, failed, last or ""))
    return found
