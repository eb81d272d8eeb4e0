"""Links that carry power: invitations, and a new start for who forgot the password."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, true

from app import topic
from app.db import Tx
from app.errors import Refusal
from app.http.log import security
from app.people import keys, passwords, queries, rules
from app.people.models import JoinLink, Membership, Person, PersonId, ResetLink, Role
from app.people.sessions import set_password
from app.people.viewer import Viewer
from app.realtime import touch

INVITATION_LASTS, INVITATION_USES = timedelta(days=90), 200
MOST_INVITATIONS = 20
RESET_LASTS = timedelta(hours=24)


async def make_join_link(
    tx: Tx,
    by: Viewer,
    now: datetime,
    *,
    lasts: timedelta = INVITATION_LASTS,
    uses: int = INVITATION_USES,
) -> tuple[JoinLink, str]:
    """An invitation and its code. It makes members, nothing more."""
    if refusal := rules.why_not_coordinate(by):
        raise refusal
    valid = await queries.join_links_of(tx, by.community_id, now)
    if len(valid) >= MOST_INVITATIONS:
        raise Refusal("There are very many invitations already.", "End one that is not needed.")
    nonce = secrets.token_bytes(16)
    code = keys.join_code(nonce)
    link = JoinLink(
        community_id=by.community_id,
        nonce=nonce,
        code_hash=keys.code_digest(code),
        made_by=by.person_id,
        created_at=now,
        expires_at=now + lasts,
        uses_left=uses,
    )
    tx.add(link)
    await tx.flush()
    touch(tx, topic.members(by.community_id))
    security("made_invitation", person=by.person_id, community=by.community_id)
    return link, code


def shown_code(link: JoinLink) -> str | None:
    return keys.shown_code(link.nonce, link.code_hash)


def code_of(link: JoinLink) -> str:
    """The code, for a poster. Raises Refusal if SECRET_KEY has changed since it was made."""
    code = shown_code(link)
    if code is None:
        raise Refusal("This invitation cannot be shown any more.", "Make a new one.")
    return code


async def end_join_link(tx: Tx, link_id: int, by: Viewer, now: datetime) -> None:
    """The invitation opens nothing any more; a second time it changes nothing."""
    if refusal := rules.why_not_coordinate(by):
        raise refusal
    link = await queries.join_link(tx, by.community_id, link_id)
    link.expires_at = min(link.expires_at, now)
    await tx.flush()
    touch(tx, topic.members(by.community_id))
    security("ended_invitation", person=by.person_id, community=by.community_id)


async def make_reset_link(tx: Tx, person_id: PersonId, by: Viewer, now: datetime) -> str:
    """The secret of a one-use link, to be handed over in person. Earlier ones are void.

    Raises NotFound for who is not a member here, Refusal where the rule says no.
    """
    standing = await queries.locked_standing(tx, by.community_id, person_id)
    if refusal := rules.why_not_reset(standing, by, await _highest_role(tx, person_id)):
        raise refusal
    security("made_reset_link", person=by.person_id, whose=person_id)
    return await fresh_reset(tx, person_id, by.community_id, by.person_id, now)


async def make_reset_link_here(tx: Tx, email: str, now: datetime) -> str | None:
    """From the machine itself, for anybody: in the books they made it themselves."""
    person = await queries.person_by_email(tx, email)
    if person is None:
        return None
    found = await tx.scalar(
        select(Membership.community_id).where(Membership.person_id == person.id).limit(1)
    )
    if found is None:
        return None
    security("made_reset_link_on_machine", whose=person.id)
    return await fresh_reset(tx, PersonId(person.id), found, PersonId(person.id), now)


async def fresh_reset(
    tx: Tx,
    person_id: PersonId,
    community_id: int,
    made_by: PersonId,
    now: datetime,
    *,
    lasts: timedelta = RESET_LASTS,
    mailed: bool = False,
    beside: bool = False,
) -> str:
    """The secret of a one-use link; earlier ones are void, unless it stands beside them."""
    secret = keys.fresh()
    former = ResetLink.expires_at <= now if beside else true()
    await tx.execute(delete(ResetLink).where(ResetLink.person_id == person_id, former))
    tx.add(
        ResetLink(
            key_hash=keys.digest(secret),
            person_id=person_id,
            community_id=community_id,
            made_by=made_by,
            created_at=now,
            expires_at=now + lasts,
            mailed=mailed,
        )
    )
    await tx.flush()
    return secret


async def use_reset_link(tx: Tx, secret: str, new: str, now: datetime) -> Person:
    """Sets the password once and ends all sessions and tokens. Raises NotFound, Refusal."""
    # Hashed before the first statement: until then the transaction holds no connection.
    password_hash = await passwords.hashed(passwords.check(new))
    link = await queries.reset_link(tx, secret, now, lock=True)
    link.used_at = now
    await tx.flush()
    others = ResetLink.person_id == link.person_id, ResetLink.key_hash != link.key_hash
    await tx.execute(delete(ResetLink).where(*others))
    await set_password(tx, PersonId(link.person_id), password_hash)
    security("used_reset_link", person=link.person_id, made_by=link.made_by)
    person = await queries.person(tx, link.person_id)
    if link.mailed:  # only who reads mail to this address had it
        person.verified_at = person.verified_at or now
    return person


async def _highest_role(tx: Tx, person_id: PersonId) -> Role:
    """In any community: a link opens the whole account, not only what lies in this one."""
    held = set(await tx.scalars(select(Membership.role).where(Membership.person_id == person_id)))
    return next((role for role in (Role.ADMIN, Role.COORDINATOR) if role in held), Role.MEMBER)
