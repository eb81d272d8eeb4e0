"""Signing in and out, passwords and API tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from app import db, topic
from app.db import Tx
from app.http.log import security
from app.people import keys, passwords, queries, rules
from app.people.models import ApiToken, Person, PersonId, Session
from app.realtime import touch

ABSOLUTE = timedelta(days=180)
TOKEN_IDLE = timedelta(days=30)
STAMP_EVERY = timedelta(minutes=5)
SESSIONS_KEPT, TOKENS_KEPT = 30, 20


@dataclass(frozen=True, slots=True)
class Proof:
    """A person whose password was right a moment ago, and the hash that it was right for."""

    person_id: PersonId
    password_hash: str


async def prove(email: str, password: str) -> Proof | None:
    """None if they do not belong together, or nobody is there: in the same time.

    Hashing is slow, so no connection is held meanwhile.
    """
    async with db.sessions() as tx:
        known = await queries.person_by_email(tx, email[: rules.EMAIL_LENGTH])
    if not await passwords.matches(password, known.password_hash if known else None):
        return None
    assert known is not None, "nobody's password matched"
    return Proof(PersonId(known.id), known.password_hash)


async def sign_in(tx: Tx, proof: Proof, device: str, now: datetime) -> str:
    """A new session; returns its secret for the cookie. Raises Refusal if the proof is stale."""
    await _still_true(tx, proof)
    security("signed_in", person=proof.person_id)
    return await open_session(tx, proof.person_id, device, now)


async def open_session(tx: Tx, person_id: PersonId, device: str, now: datetime) -> str:
    """For somebody who has proved who they are; the oldest sessions make room."""
    secret = keys.fresh()
    tx.add(
        Session(
            key_hash=keys.digest(secret),
            person_id=person_id,
            device=device[:80],
            created_at=now,
            seen_at=now,
            expires_at=now + ABSOLUTE,
        )
    )
    await tx.flush()
    kept = (
        select(Session.key_hash)
        .where(Session.person_id == person_id)
        .order_by(Session.seen_at.desc())
        .limit(SESSIONS_KEPT)
    )
    gone = or_(Session.expires_at <= now, Session.key_hash.not_in(kept))
    await tx.execute(delete(Session).where(Session.person_id == person_id, gone))
    return secret


async def sign_out(tx: Tx, key_hash: bytes) -> None:
    """Ends this session; a second time it changes nothing."""
    person_id = await tx.scalar(
        delete(Session).where(Session.key_hash == key_hash).returning(Session.person_id)
    )
    if person_id is not None:
        touch(tx, topic.access(person_id))
        security("signed_out", person=person_id)


async def sign_out_everywhere(tx: Tx, person_id: PersonId) -> None:
    """Ends all sessions and API tokens of the person."""
    await tx.execute(delete(Session).where(Session.person_id == person_id))
    await end_tokens_of(tx, person_id)
    touch(tx, topic.access(person_id))
    security("signed_out_everywhere", person=person_id)


async def end_others(tx: Tx, person_id: PersonId, kept: bytes) -> None:
    """Ends all sessions but one, and all API tokens."""
    await tx.execute(
        delete(Session).where(Session.person_id == person_id, Session.key_hash != kept)
    )
    await end_tokens_of(tx, person_id)
    touch(tx, topic.access(person_id))


async def change_password(tx: Tx, proof: Proof, new: str, device: str, now: datetime) -> str:
    """Ends every session and token, and opens one for who changed it; returns its secret."""
    # Hashed before the first statement: until then the transaction holds no connection.
    new_hash = await passwords.hashed(passwords.check(new))
    await _still_true(tx, proof)
    await set_password(tx, proof.person_id, new_hash)
    security("changed_password", person=proof.person_id)
    return await open_session(tx, proof.person_id, device, now)


async def set_password(tx: Tx, person_id: PersonId, password_hash: str) -> None:
    """Whoever was signed in with the old one is out."""
    await tx.execute(
        update(Person).where(Person.id == person_id).values(password_hash=password_hash)
    )
    await sign_out_everywhere(tx, person_id)


async def stamp_session(tx: Tx, key_hash: bytes, now: datetime) -> None:
    """Keeps a session that is used from falling asleep."""
    await tx.execute(
        update(Session)
        .where(Session.key_hash == key_hash, Session.seen_at < now - STAMP_EVERY)
        .values(seen_at=now)
    )


async def issue_token(tx: Tx, proof: Proof, now: datetime) -> tuple[str, datetime]:
    """A token for the API and when it ends unless it is used; the oldest ones make room."""
    await _still_true(tx, proof)
    secret, expires_at = keys.fresh(), now + TOKEN_IDLE
    tx.add(
        ApiToken(
            key_hash=keys.digest(secret),
            person_id=proof.person_id,
            created_at=now,
            used_at=now,
            expires_at=expires_at,
        )
    )
    await tx.flush()
    kept = (
        select(ApiToken.key_hash)
        .where(ApiToken.person_id == proof.person_id)
        .order_by(ApiToken.used_at.desc())
        .limit(TOKENS_KEPT)
    )
    gone = or_(ApiToken.expires_at <= now, ApiToken.key_hash.not_in(kept))
    await tx.execute(delete(ApiToken).where(ApiToken.person_id == proof.person_id, gone))
    security("issued_token", person=proof.person_id)
    return secret, expires_at


async def end_token(tx: Tx, key_hash: bytes) -> None:
    await tx.execute(delete(ApiToken).where(ApiToken.key_hash == key_hash))


async def end_tokens_of(tx: Tx, person_id: int) -> None:
    await tx.execute(delete(ApiToken).where(ApiToken.person_id == person_id))


async def stamp_token(tx: Tx, key_hash: bytes, now: datetime) -> None:
    """A token that is used lives on: it ends 30 days after its last use."""
    await tx.execute(
        update(ApiToken)
        .where(ApiToken.key_hash == key_hash, ApiToken.used_at < now - STAMP_EVERY)
        .values(used_at=now, expires_at=now + TOKEN_IDLE)
    )


async def _still_true(tx: Tx, proof: Proof) -> None:
    """Holds the person's row, so that a password that changes meanwhile waits, or has won."""
    kept = await tx.scalar(
        select(Person.password_hash).where(Person.id == proof.person_id).with_for_update()
    )
    if kept != proof.password_hash:
        raise rules.bad_sign_in()
