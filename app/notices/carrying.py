"""What waits to be carried off: taken up by one worker at a time, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import joinedload

from app import outgoing
from app.db import Tx
from app.notices import commands, steps
from app.notices.deciding import Decision, Verdict, Why
from app.notices.deliveries import Delivery
from app.notices.kinds import Channel
from app.notices.mailing import Parcel
from app.notices.models import Notice
from app.notices.steps import TOGETHER
from app.outgoing import LEASE, Fate, Outcome, Sending
from app.people.models import Community, Person
from app.people.viewer import Here

MOST = 50  # notices in one mail
KEPT = timedelta(days=90)  # what became of one
TOO_LATE = Outcome(Fate.FAILED, "too late")


@dataclass(frozen=True)
class Taken:
    """Deliveries of one person that go together, ours until an instant."""

    person_id: int
    channel: Channel
    together: bool
    keys: Sequence[tuple[int, int, str]]
    until: datetime


async def take(tx: Tx, channel: Channel, now: datetime) -> Taken | None:
    """The next that is due, with whatever goes with it.

    The commit must come before anything else is done: from then on nobody else takes it.
    """
    first = await tx.scalar(_due(channel, now).limit(1))
    if first is None or not await _alone(tx, first):
        return None
    bundle = Delivery.person_id == first.person_id, Delivery.bundle == first.bundle
    rows = (
        await tx.scalars(_due(channel, now).where(*bundle).order_by(Delivery.notice_id).limit(MOST))
    ).all()
    until = now + LEASE
    for row in rows:
        row.send_at = until
    keys = [(row.community_id, row.notice_id, row.channel) for row in rows]
    return Taken(first.person_id, channel, first.bundle == TOGETHER, keys, until)


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


async def pack(tx: Tx, taken: Taken, now: datetime) -> Parcel | None:
    """What of it still goes, and goes now: it may have waited for a server, so each is asked again.

    What does not is settled, or put off, in this transaction. None: nothing is left.
    """
    hearer = await steps.hearer_of(tx, taken.person_id, now)
    kept: list[tuple[Notice, Here]] = []
    left_out: list[Notice] = []
    for row in await _rows(tx, taken):
        notice = await tx.get_one(
            Notice, (row.community_id, row.notice_id), options=[joinedload(Notice.by)]
        )
        decision = (await steps.asking(tx, notice, hearer, now))(taken.channel)
        if decision.verdict is Verdict.SEND:
            kept.append((notice, Here.of(await tx.get_one(Community, row.community_id))))
        else:
            await _leave_out(tx, row, notice, decision, now)
            left_out.append(notice)
    await tx.flush()
    _show(tx, left_out)
    if not kept:
        return None
    return Parcel(await tx.get_one(Person, taken.person_id), kept, taken.together)


async def _leave_out(
    tx: Tx, row: Delivery, notice: Notice, decision: Decision, now: datetime
) -> None:
    if decision.at is not None:
        row.send_at, row.bundle = decision.at, steps.bundle_of(notice, decision)
    elif decision.why is Why.TOO_LATE:
        outgoing.settle(row, TOO_LATE, now)
    else:  # it stands on the page, and goes nowhere else
        await tx.delete(row)


async def settle(tx: Tx, taken: Taken, outcome: Outcome, now: datetime) -> None:
    """Of what was packed; what was left out is not ours any more."""
    rows = await _rows(tx, taken)
    for row in rows:
        if outcome.fate is Fate.POINTLESS:
            await tx.delete(row)
        else:
            outgoing.settle(row, outcome, now)
    await tx.flush()
    _show(tx, [await tx.get_one(Notice, (row.community_id, row.notice_id)) for row in rows])


async def _rows(tx: Tx, taken: Taken) -> list[Delivery]:
    """Those that are still ours."""
    found = [await tx.get(Delivery, key, with_for_update=True) for key in taken.keys]
    return [
        row
        for row in found
        if row is not None and row.sending == Sending.READY and row.send_at == taken.until
    ]


def _show(tx: Tx, notices: Sequence[Notice]) -> None:
    commands.show_delivered(tx, {one.subject for one in notices if one.due_at is not None})


async def forget_old(tx: Tx, now: datetime) -> None:
    """What has become of a notice is asked for a season; then it only takes room."""
    await tx.execute(delete(Delivery).where(Delivery.settled_at <= now - KEPT))
