"""The one place that tells people something, in the transaction of the act it is about.

Whoever is looking at the subject sees it at once; for the others steps are planned, each of which
asks again at its time (`steps`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app import topic
from app.db import Tx
from app.notices import preferences, steps
from app.notices.deciding import Wish
from app.notices.kinds import Group
from app.notices.models import Kind, Notice
from app.notices.preferences import Mute
from app.realtime import touch

EVERYTHING = 2**62  # more than any id


async def tell(
    tx: Tx,
    whom: Iterable[int | None],
    kind: Kind,
    community_id: int,
    subject: str,
    facts: Mapping[str, str],
    now: datetime,
    *,
    by_id: int | None = None,
    due_at: datetime | None = None,
) -> set[int]:
    """Tells each person once; answers whom. None is somebody without an account.

    `due_at` names the instant that a reminder is for: the same reminder of the same subject for
    the same instant is told once, however often it is asked for.
    """
    people = {person_id for person_id in whom if person_id is not None and person_id != by_id}
    if not people:
        return set()
    rows = await tx.execute(
        insert(Notice)
        .values(
            [
                {
                    "community_id": community_id,
                    "person_id": person_id,
                    "kind": kind,
                    "subject": subject,
                    "by_id": by_id,
                    "facts": dict(facts),
                    "due_at": due_at,
                    "at": now,
                }
                for person_id in sorted(people)
            ]
        )
        .on_conflict_do_nothing()
        .returning(Notice.person_id, Notice.id)
    )
    told: dict[int, int] = {each.person_id: each.id for each in rows}
    await steps.plan(tx, [(community_id, one) for one in told.values()], kind, now)
    for person_id in told:
        touch(tx, topic.bell(person_id), topic.notices(person_id))
    if told and due_at is not None:
        show_delivered(tx, [subject])
    return set(told)


async def tell_of_words(
    tx: Tx,
    whom: Iterable[int | None],
    community_id: int,
    subject: str,
    facts: Mapping[str, str],
    now: datetime,
    *,
    by_id: int,
) -> set[int]:
    """Somebody wrote something. Who has not seen the line before is not told of this one, too."""
    people = {person_id for person_id in whom if person_id is not None and person_id != by_id}
    waits = await tx.scalars(
        select(Notice.person_id).where(
            Notice.person_id.in_(people),
            Notice.community_id == community_id,
            Notice.subject == subject,
            Notice.kind == Kind.MESSAGE,
            Notice.seen_at.is_(None),
        )
    )
    return await tell(
        tx, people - set(waits), Kind.MESSAGE, community_id, subject, facts, now, by_id=by_id
    )


async def mark_seen(tx: Tx, person_id: int, up_to: int, now: datetime, subject: str = "") -> None:
    """Everything up to this notice has been on the person's screen; or what is about a subject.

    What somebody wrote is seen in its room only.
    """
    which = Notice.subject == subject if subject else Notice.kind != Kind.MESSAGE
    seen = await tx.execute(
        update(Notice)
        .where(Notice.person_id == person_id, Notice.id <= up_to, Notice.seen_at.is_(None), which)
        .values(seen_at=now)
        .returning(Notice.subject, Notice.due_at)
        .execution_options(synchronize_session=False)
    )
    found = seen.all()
    if found:
        touch(tx, topic.bell(person_id), topic.notices(person_id))
    show_delivered(tx, {about for about, due_at in found if due_at is not None})


async def words_are_gone(
    tx: Tx, people: Iterable[int], community_id: int, subject: str, now: datetime
) -> None:
    """What was written to these people about a subject has been taken back, all of it."""
    gone = await tx.scalars(
        update(Notice)
        .where(
            Notice.person_id.in_(list(people)),
            Notice.community_id == community_id,
            Notice.subject == subject,
            Notice.kind == Kind.MESSAGE,
            Notice.seen_at.is_(None),
        )
        .values(seen_at=now)
        .returning(Notice.person_id)
        .execution_options(synchronize_session=False)
    )
    for person_id in gone:
        touch(tx, topic.bell(person_id), topic.notices(person_id))


async def move(tx: Tx, people: Iterable[int], community_id: int, subject: str, to: str) -> None:
    """What was told to these people of one subject is about another now, and so is their mute."""
    ids = list(people)
    for rows in (Notice, Mute):
        await tx.execute(
            update(rows)
            .where(
                rows.community_id == community_id,
                rows.person_id.in_(ids),
                rows.subject == subject,
            )
            .values(subject=to)
            .execution_options(synchronize_session=False)
        )
    for person_id in ids:
        touch(tx, topic.bell(person_id), topic.notices(person_id))


async def choose(tx: Tx, person_id: int, wishes: Mapping[Group, Wish], now: datetime) -> None:
    """What waits to go together or for a later hour goes by these from now on."""
    await preferences.choose(tx, person_id, wishes)
    await steps.hurry(tx, person_id, now)


async def keep_quiet(
    tx: Tx, person_id: int, begins: str, ends: str, zone: str, now: datetime
) -> None:
    """What waits for the end of the hours before is asked about at once. Raises Refusal."""
    await preferences.keep_quiet(tx, person_id, begins, ends, zone)
    await steps.hurry(tx, person_id, now)


async def end_pause(tx: Tx, person_id: int, now: datetime) -> None:
    """What has waited for its end is asked about at once."""
    await preferences.end_pause(tx, person_id, now)
    await steps.hurry(tx, person_id, now)


def show_delivered(tx: Tx, subjects: Iterable[str]) -> None:
    """Whether reminders have arrived stands in the rooms that they are about."""
    for subject in subjects:
        if name := topic.delivered_of(subject):
            touch(tx, name)
