"""The steps of a notice that nobody has seen: each asks again whether it is still needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app import mail, queue
from app.db import Tx
from app.notices import deciding, devices, preferences
from app.notices.deciding import Decision, Question, Verdict
from app.notices.deliveries import Delivery
from app.notices.kinds import KINDS, Channel, Group, group_of
from app.notices.models import Kind, Notice
from app.notices.preferences import Chosen
from app.outgoing import LEASE, Sending
from app.people import queries as people
from app.people.models import Community, Person
from app.queue import Job

JOB = "notices.step"
TOGETHER = "together"  # the bundle of what goes out once a day
REMINDING = [kind for kind, (group, _) in KINDS.items() if group is Group.REMINDERS]
GATHERING = deciding.MINUTE  # in which the steps of one morning come together


def key_of(community_id: int, notice_id: int) -> str:
    return f"{community_id}/notice-{notice_id}"


def bundle_of(notice: Notice, decision: Decision) -> str:
    return TOGETHER if decision.together else notice.subject


async def plan(tx: Tx, told: Iterable[tuple[int, int]], kind: Kind, now: datetime) -> None:
    """A job for each notice (community, id); all are new, so nothing can wait for anything."""
    at = deciding.first_look(kind, now)
    rows = [
        {"name": JOB, "key": key_of(community_id, notice_id), "run_at": at, "created_at": now}
        for community_id, notice_id in told
    ]
    if rows:
        await tx.execute(insert(Job).values(rows))


async def hurry(tx: Tx, person_id: int, now: datetime) -> None:
    """What waits for a later hour is asked about at once, since what it waits for has changed.

    What is in somebody's hands at this moment stays there, and so does what a server has put off:
    choosing anew spends none of its tries.
    """
    mine = Notice.person_id == person_id, Notice.seen_at.is_(None)
    keys = select(func.concat(Notice.community_id, "/notice-", Notice.id)).where(*mine)
    await tx.execute(
        update(Job)
        .where(Job.name == JOB, Job.key.in_(keys), Job.run_at > now + LEASE)
        .values(run_at=now)
        .execution_options(synchronize_session=False)
    )
    await tx.execute(
        update(Delivery)
        .where(
            Delivery.person_id == person_id,
            Delivery.sending == Sending.READY,
            Delivery.attempts == 0,
            Delivery.send_at > now + LEASE,
        )
        .values(send_at=now)
        .execution_options(synchronize_session=False)
    )


async def call_off(tx: Tx, whom: Iterable[int], community_id: int, subject: str) -> None:
    """It is over: what still waits to remind these people of it goes nowhere."""
    rows = await tx.scalars(
        select(Notice.id).where(
            Notice.person_id.in_(list(whom)),
            Notice.seen_at.is_(None),
            Notice.community_id == community_id,
            Notice.subject == subject,
            or_(Notice.due_at.is_not(None), Notice.kind.in_(REMINDING)),
        )
    )
    if not (ids := list(rows)):
        return
    keys = [key_of(community_id, one) for one in ids]
    await tx.execute(delete(Job).where(Job.name == JOB, Job.key.in_(keys)))
    await tx.execute(
        delete(Delivery).where(
            Delivery.community_id == community_id,
            Delivery.notice_id.in_(ids),
            Delivery.sending == Sending.READY,
        )
    )


async def step(tx: Tx, key: str, now: datetime) -> None:
    """The key is `key_of` the notice. Does what is due by now, and comes back for what is not."""
    community_id, notice_id = (int(part) for part in key.split("/notice-"))
    notice = await tx.get(Notice, (community_id, notice_id), with_for_update={"read": True})
    if notice is None or notice.seen_at is not None:
        return
    hearer = await hearer_of(tx, notice.person_id, now)
    if not hearer.ways:
        return
    gone = select(Delivery.channel).where(
        Delivery.community_id == community_id, Delivery.notice_id == notice_id
    )
    done, later = set(await tx.scalars(gone)), []
    ask = await asking(tx, notice, hearer, now)
    for channel in Channel:
        if channel in done:
            continue
        decision = ask(channel)
        if decision.verdict is Verdict.SEND:
            await _hand_on(tx, notice, channel, decision, now)
        elif decision.at is not None:
            later.append(decision.at)
    if later:
        await queue.enqueue(tx, JOB, key, min(later), now)


@dataclass(frozen=True)
class Hearer:
    """What somebody wants, and by which ways they can be reached at this moment."""

    chosen: Chosen
    ways: tuple[Channel, ...]


async def hearer_of(tx: Tx, person_id: int, now: datetime) -> Hearer:
    ways = [way for way in Channel if await is_reachable(tx, person_id, way, now)]
    return Hearer(await preferences.chosen_by(tx, person_id), tuple(ways))


async def asking(
    tx: Tx, notice: Notice, hearer: Hearer, now: datetime
) -> Callable[[Channel], Decision]:
    """The question, ready to be asked for each channel. Who has left hears nothing more."""
    here, person_id, kind = notice.community_id, notice.person_id, Kind(notice.kind)
    standing = await people.standing(tx, here, person_id)
    is_in = standing is not None and standing.status in people.IN_IT
    community = await tx.get_one(Community, here)
    muted = await preferences.is_muted(tx, here, person_id, notice.subject)

    def ask(channel: Channel) -> Decision:
        question = Question(
            kind=kind,
            channel=channel,
            told_at=notice.at,
            seen=notice.seen_at is not None,
            wish=hearer.chosen.wish(group_of(kind)),
            quiet=hearer.chosen.quiet(community.tz),
            paused_until=hearer.chosen.paused_until,
            muted=muted,
            reachable=is_in and channel in hearer.ways,
        )
        return deciding.decide(question, now)

    return ask


async def is_reachable(tx: Tx, person_id: int, channel: Channel, now: datetime) -> bool:
    """By push with a browser that can be woken, by mail at an address that is proved theirs."""
    if channel is Channel.PUSH:
        return await devices.any_of(tx, person_id, now)
    if not mail.is_set_up():
        return False
    proved = await tx.scalar(select(Person.verified_at).where(Person.id == person_id))
    return proved is not None


async def _hand_on(
    tx: Tx, notice: Notice, channel: Channel, decision: Decision, now: datetime
) -> None:
    tx.add(
        Delivery(
            community_id=notice.community_id,
            notice_id=notice.id,
            channel=channel,
            person_id=notice.person_id,
            bundle=bundle_of(notice, decision),
            send_at=now + GATHERING if decision.together else now,
        )
    )
    await tx.flush()
