"""Delivery truth: what became of the reminders of a subject, for everybody who is part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import clock
from app.db import Tx
from app.notices import telling
from app.notices.deliveries import Delivery
from app.notices.kinds import Channel
from app.notices.models import Notice
from app.outgoing import Sending
from app.people.models import Person
from app.people.viewer import Viewer

SHOWN = 6
State = Literal["seen", "mailed", "pushed", "failed", "told"]  # told: it stands on the page


@dataclass(frozen=True)
class Reached:
    """One reminder to one person: how far it has come. `at` is when it came there."""

    notice_id: int
    whom: str
    mine: bool
    sentence: str
    told_at: datetime
    state: State
    at: datetime
    partly: bool  # not all of their devices took it


async def reminders_of(tx: Tx, viewer: Viewer, subject: str) -> list[Reached]:
    """The newest reminders, oldest first. Why one went no further stays its person's own affair:
    what they have switched off, muted or paused looks like what nobody has seen yet."""
    rows = await tx.execute(
        select(Notice, Person.name)
        .options(joinedload(Notice.by))
        .join(Person, Person.id == Notice.person_id)
        .where(
            Notice.community_id == viewer.community_id,
            Notice.subject == subject,
            Notice.due_at.is_not(None),
        )
        .order_by(Notice.id.desc())
        .limit(SHOWN)
    )
    found = [(notice, name) for notice, name in rows]
    sent = await _deliveries(tx, viewer.community_id, [notice.id for notice, _ in found])
    return [
        _reached(notice, name, sent.get(notice.id, ()), viewer) for notice, name in reversed(found)
    ]


async def _deliveries(
    tx: Tx, community_id: int, notice_ids: Sequence[int]
) -> dict[int, list[Delivery]]:
    rows = await tx.scalars(
        select(Delivery).where(
            Delivery.community_id == community_id, Delivery.notice_id.in_(notice_ids)
        )
    )
    found: dict[int, list[Delivery]] = {}
    for one in rows:
        found.setdefault(one.notice_id, []).append(one)
    return found


def _reached(notice: Notice, name: str, sent: Sequence[Delivery], viewer: Viewer) -> Reached:
    state: State = "told"
    at, partly = notice.at, False
    if notice.seen_at is not None:
        state, at = "seen", notice.seen_at
    else:
        for one in sorted(sent, key=lambda one: (_far(one), one.channel == Channel.MAIL)):
            if one.settled_at is not None and one.sending == Sending.SENT:
                state = "mailed" if one.channel == Channel.MAIL else "pushed"
                at, partly = one.settled_at, bool(one.last_error)
            elif one.settled_at is not None and state == "told":
                state, at = "failed", one.settled_at
    return Reached(
        notice_id=notice.id,
        whom=name,
        mine=notice.person_id == viewer.person_id,
        sentence=telling.tell(notice, viewer.here, clock.now(), viewer.locale).sentence,
        told_at=notice.at,
        state=state,
        at=at,
        partly=partly,
    )


def _far(one: Delivery) -> bool:
    """What has arrived counts more than what has failed, so it is looked at last."""
    return one.sending == Sending.SENT
