"""Links that come by mail: they prove the address, since only its reader gets them.

Each works once, for a short time, by POST. The secret comes up when the mail goes out and is kept
as a hash; a second try of the same mail makes a new one, and the one before is void.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from app import mail
from app.db import Tx
from app.errors import NotFound, Refusal
from app.http.log import security
from app.people import keys, letters, links, passwords, queries, rules, sessions
from app.people.letters import Letter, LetterKind
from app.people.models import (
    Community,
    ConfirmLink,
    JoinLink,
    Membership,
    Person,
    PersonId,
    ResetLink,
    Session,
)
from app.people.viewer import Viewer

CONFIRM_LASTS, RESET_LASTS = timedelta(hours=24), timedelta(hours=1)
INVITATION_LASTS = timedelta(days=14)
MOST_RESETS = 3  # links for a new password that stand at a time


def why_not_mail() -> Refusal | None:
    if not mail.is_set_up():
        return Refusal(
            "This ToolShare sends no mail yet.",
            "Whoever runs it can set that up.",
            status=409,
            code="no-mail",
        )
    return None


async def ask_confirm(tx: Tx, person: Person, now: datetime) -> None:
    """Nothing where no mail is sent, or nothing is left to prove."""
    if mail.is_set_up() and person.verified_at is None:
        await letters.write(tx, LetterKind.CONFIRM, person.email, now, person_id=person.id)


async def ask_reset(tx: Tx, email: str, now: datetime) -> None:
    """For whoever typed this address: whether anybody has it, comes up later. Raises Refusal."""
    if refusal := why_not_mail():
        raise refusal
    await letters.write(tx, LetterKind.RESET, rules.check_email(email), now)


async def invite(tx: Tx, email: str, by: Viewer, now: datetime) -> Letter:
    """A link for one person. Nobody learns whether the address has an account already."""
    if refusal := why_not_mail():
        raise refusal
    address = rules.check_email(email)
    link, _ = await links.make_join_link(tx, by, now, lasts=INVITATION_LASTS, uses=1)
    return await letters.write(
        tx,
        LetterKind.INVITATION,
        address,
        now,
        community_id=by.community_id,
        facts={"link": link.id, "by": by.name},
    )


# --- when a letter goes out


async def open_confirm(tx: Tx, letter: Letter, now: datetime) -> str | None:
    """The secret for the mail; None if it has become pointless."""
    person = await tx.get(Person, letter.person_id) if letter.person_id else None
    if person is None or person.verified_at is not None or person.email != letter.address:
        return None
    secret = keys.fresh()
    await tx.execute(delete(ConfirmLink).where(ConfirmLink.person_id == person.id))
    tx.add(
        ConfirmLink(
            key_hash=keys.digest(secret),
            person_id=person.id,
            email=person.email,
            created_at=now,
            expires_at=now + CONFIRM_LASTS,
        )
    )
    await tx.flush()
    return secret


async def open_reset(tx: Tx, letter: Letter, now: datetime) -> tuple[Person, str] | None:
    """Whose, and the secret; None where nobody has the address: then no mail goes out."""
    person = await queries.person_by_email(tx, letter.address)
    if person is None:
        return None
    if former := letter.facts.get("link"):  # of a try that came to nothing
        await tx.execute(delete(ResetLink).where(ResetLink.key_hash == bytes.fromhex(former)))
    if await _live_resets(tx, person.id, now) >= MOST_RESETS:
        return None
    secret = await _reset(tx, PersonId(person.id), now, beside=True)
    if secret is None:
        return None
    letter.facts = {**letter.facts, "link": keys.digest(secret).hex()}
    security("mailed_reset_link", whose=person.id)
    return person, secret


async def _live_resets(tx: Tx, person_id: int, now: datetime) -> int:
    """Anybody may ask for any address: that must not void what its owner has in the letter box,
    so a few stand, and then no more is sent."""
    live = select(func.count()).where(
        ResetLink.person_id == person_id,
        ResetLink.mailed,
        ResetLink.used_at.is_(None),
        ResetLink.expires_at > now,
    )
    return await tx.scalar(live) or 0


async def open_invitation(tx: Tx, letter: Letter, now: datetime) -> tuple[Community, str] | None:
    """Where to, and the code; None if the invitation has been ended or used meanwhile."""
    assert letter.community_id is not None, "an invitation belongs to a community"
    link = await tx.get(JoinLink, (letter.community_id, int(letter.facts["link"])))
    if rules.why_not_use(link, now) or link is None:
        return None
    code = links.shown_code(link)
    return (await tx.get_one(Community, letter.community_id), code) if code else None


# --- when a link is used


async def confirm_link(tx: Tx, secret: str, now: datetime, *, lock: bool = False) -> ConfirmLink:
    """Raises NotFound: used, expired, invented and outdated ones look the same."""
    query = select(ConfirmLink).where(
        ConfirmLink.key_hash == keys.digest(secret[:200]),
        ConfirmLink.used_at.is_(None),
        ConfirmLink.expires_at > now,
    )
    found = await tx.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


async def confirm(
    tx: Tx, secret: str, session_hash: bytes | None, now: datetime
) -> tuple[Person, str | None]:
    """The address is theirs. Every other session ends: whoever had it before may be somebody else.

    `session_hash`: of the browser in which it is said, whoever is signed in there. Where it is not
    this person, nobody knows who has chosen the password: it opens nothing any more, and the
    secret of a link for a new one is answered, too.
    """
    link = await confirm_link(tx, secret, now, lock=True)
    person = await queries.person(tx, link.person_id)
    if person.email != link.email:
        raise NotFound
    link.used_at = now
    person.verified_at = now
    await tx.flush()
    me = PersonId(person.id)
    security("confirmed_email", person=me)
    session = await tx.get(Session, session_hash) if session_hash else None
    if session is not None and session.person_id == me:
        await sessions.end_others(tx, me, session.key_hash)
        return person, None
    await sessions.set_password(tx, me, passwords.NONE)
    return person, await _reset(tx, me, now)


async def _reset(tx: Tx, person_id: PersonId, now: datetime, *, beside: bool = False) -> str | None:
    """None for who belongs nowhere."""
    somewhere = select(Membership.community_id).where(Membership.person_id == person_id).limit(1)
    community_id = await tx.scalar(somewhere)
    if community_id is None:
        return None
    return await links.fresh_reset(
        tx, person_id, community_id, person_id, now, lasts=RESET_LASTS, mailed=True, beside=beside
    )
