"""The one place that tells people something, in the transaction of the act it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app import topic
from app.db import Tx
from app.notices.models import Kind, Notice
from app.realtime import touch


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
    told = await tx.scalars(
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
        .returning(Notice.person_id)
    )
    found = set(told)
    for person_id in found:
        touch(tx, topic.bell(person_id), topic.notices(person_id))
    return found


async def mark_seen(tx: Tx, person_id: int, up_to: int, now: datetime) -> None:
    """Everything up to this notice has been on the person's screen."""
    seen = await tx.execute(
        update(Notice)
        .where(Notice.person_id == person_id, Notice.id <= up_to, Notice.seen_at.is_(None))
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )
    if seen.rowcount:  # type: ignore[attr-defined]
        touch(tx, topic.bell(person_id), topic.notices(person_id))
