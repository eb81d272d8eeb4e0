"""For coordinators: what could not be delivered of late, without saying to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select

from app.db import Tx
from app.notices.deliveries import Delivery
from app.notices.kinds import Channel
from app.outgoing import Outgoing, Sending
from app.people.letters import Letter
from app.people.models import Membership, Person

Way = Literal["push", "mail", "letters"]  # letters: mailed links


@dataclass(frozen=True)
class Trouble:
    way: Way
    waiting: int
    failed: int
    last_error: str


async def troubles(tx: Tx, community_id: int, since: datetime) -> list[Trouble]:
    here = Delivery.community_id == community_id
    found = [
        await _trouble(tx, "push", Delivery, since, here, Delivery.channel == Channel.PUSH),
        await _trouble(tx, "mail", Delivery, since, here, Delivery.channel == Channel.MAIL),
        await _trouble(tx, "letters", Letter, since, _to_members_of(community_id)),
    ]
    return [one for one in found if one is not None]


def _to_members_of(community_id: int) -> ColumnElement[bool]:
    """Who asks for a new password is known by the address alone."""
    members = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.community_id == community_id,
            or_(
                Person.id == Letter.person_id,
                func.lower(Person.email) == func.lower(Letter.address),
            ),
        )
    )
    return or_(Letter.community_id == community_id, members.exists())


async def _trouble(
    tx: Tx, way: Way, model: type[Outgoing], since: datetime, *here: ColumnElement[bool]
) -> Trouble | None:
    again = model.sending == Sending.READY, model.attempts > 0
    gone = model.sending == Sending.FAILED, model.settled_at > since
    counts = select(func.count().filter(*again), func.count().filter(*gone)).where(*here)
    waiting, failed = (await tx.execute(counts)).one()
    if not waiting and not failed:
        return None
    last = await tx.scalar(
        select(model.last_error)
        .where(*here, model.last_error != "", model.sending != Sending.SENT)
        .order_by(func.coalesce(model.settled_at, model.send_at).desc())
        .limit(1)
    )
    return Trouble(way, waiting, failed, last or "")
