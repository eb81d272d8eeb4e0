"""Which browsers of somebody can be woken, and the key by which push services know us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert

from app import push
from app.db import Tx
from app.notices.deliveries import PushKey, PushSubscription
from app.people.models import Session
from app.people.queries import IDLE

ONLY = 1
MOST = 20


async def own_key(tx: Tx, now: datetime) -> bytes:
    """Made at the first start, whoever of the workers is first."""
    found = await kept_key(tx)
    if found is None:
        row = insert(PushKey).values(id=ONLY, private_key=push.fresh_key(), made_at=now)
        await tx.execute(row.on_conflict_do_nothing())
        found = await kept_key(tx)
    assert found is not None, "it was written a line above"
    return found


async def kept_key(tx: Tx) -> bytes | None:
    """The settings' own goes before the one that was made."""
    if (given := push.given_key()) is not None:
        return given
    return await tx.scalar(select(PushKey.private_key).where(PushKey.id == ONLY))


async def subscribe(
    tx: Tx, person_id: int, session_hash: bytes, target: push.Target, now: datetime
) -> None:
    """This browser rings for this person as long as this session lasts; the oldest make room.

    A browser has one subscription: whoever signs in there next takes it over.
    """
    named = {
        "person_id": person_id,
        "session_hash": session_hash,
        "public_key": target.public_key,
        "auth": target.auth,
        "created_at": now,
    }
    row = insert(PushSubscription).values(endpoint=target.endpoint, **named)
    await tx.execute(row.on_conflict_do_update(index_elements=["endpoint"], set_=named))
    kept = (
        select(PushSubscription.id)
        .where(PushSubscription.person_id == person_id)
        .order_by(PushSubscription.created_at.desc(), PushSubscription.id.desc())
        .limit(MOST)
    )
    await tx.execute(
        delete(PushSubscription).where(
            PushSubscription.person_id == person_id, PushSubscription.id.not_in(kept)
        )
    )


async def unsubscribe(tx: Tx, person_id: int, endpoint: str) -> None:
    await tx.execute(
        delete(PushSubscription).where(
            PushSubscription.person_id == person_id, PushSubscription.endpoint == endpoint
        )
    )


async def forget(tx: Tx, endpoints: Sequence[str]) -> None:
    """Their services say that they are gone."""
    if endpoints:
        await tx.execute(delete(PushSubscription).where(PushSubscription.endpoint.in_(endpoints)))


def _living(person_id: int, now: datetime) -> Select[PushSubscription]:
    """Those of sessions that still open the door: else a phone rang for whom it has forgotten."""
    return (
        select(PushSubscription)
        .join(Session, Session.key_hash == PushSubscription.session_hash)
        .where(
            PushSubscription.person_id == person_id,
            Session.expires_at > now,
            Session.seen_at > now - IDLE,
        )
    )


async def any_of(tx: Tx, person_id: int, now: datetime) -> bool:
    return bool(await tx.scalar(select(_living(person_id, now).exists())))


async def targets_of(tx: Tx, person_id: int, now: datetime) -> list[push.Target]:
    rows = await tx.scalars(_living(person_id, now).order_by(PushSubscription.id))
    return [push.Target(one.endpoint, one.public_key, one.auth) for one in rows]
