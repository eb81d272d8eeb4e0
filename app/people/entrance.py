"""Coming in from outside with e-mail and password: throttled, for pages and API alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.requests import HTTPConnection

from app import db
from app.errors import Refusal
from app.http import throttle
from app.people import commands, mail_links, passwords, queries, rules, sessions
from app.people.models import Membership, PersonId
from app.people.sessions import Proof

SIGN_UPS = "100/hour"  # a whole house meets in front of one poster


class Entrance(Protocol):
    """A way into a community."""

    async def check(self, tx: db.Tx, now: datetime) -> None:
        """Raises Refusal or NotFound if nobody gets in here; says nothing about any person."""

    async def enter(self, tx: db.Tx, person_id: PersonId, now: datetime) -> Membership: ...


@dataclass(frozen=True)
class Invited:
    code: str

    async def check(self, tx: db.Tx, now: datetime) -> None:
        if refusal := rules.why_not_use(await queries.link_by_code(tx, self.code), now):
            raise refusal

    async def enter(self, tx: db.Tx, person_id: PersonId, now: datetime) -> Membership:
        return await commands.join(tx, person_id, self.code, now)


@dataclass(frozen=True)
class Asking:
    slug: str
    note: str

    async def check(self, tx: db.Tx, now: datetime) -> None:
        rules.check_note(self.note)
        community = await queries.community_by_slug(tx, self.slug)
        if refusal := rules.why_not_ask(community, None, now):
            raise refusal

    async def enter(self, tx: db.Tx, person_id: PersonId, now: datetime) -> Membership:
        return await commands.ask_to_join(tx, person_id, self.slug, self.note, now)


async def proven(request: HTTPConnection, email: str, password: str) -> Proof:
    """Raises Refusal: the same one, after the same time, for strangers and wrong passwords."""
    email = email.strip()
    if not email.isprintable():  # no address is: PostgreSQL itself would refuse to look for it
        raise rules.bad_sign_in()
    await throttle.check_sign_in(request, email)
    proof = await sessions.prove(email, password)
    if proof is None:
        await throttle.failed(request, email)
        raise rules.bad_sign_in()
    await throttle.succeeded(request, email)
    return proof


async def come_in(
    request: HTTPConnection,
    email: str,
    name: str,
    password: str,
    by: Entrance,
    now: datetime,
) -> Membership:
    """A new account, or the one there is if the password is its own; then it enters a community.

    So a second tap on the button, or a neighbour who forgot that they were here before, gets in,
    and a stranger with a wrong guess gets the answer of a wrong password. Whether an address is
    known is asked only after the door itself has been found open.
    """
    email, name = rules.check_email(email), rules.check_name(name)
    passwords.check(password, name, email)
    await throttle.spend(request, "sign_up", SIGN_UPS)
    async with db.snapshot() as tx:
        await by.check(tx, now)
    await throttle.check_sign_in(request, email)
    proof = await sessions.prove(email, password)
    try:
        async with db.begin() as tx:
            if proof is not None:
                person_id = proof.person_id
            else:
                person = await commands.add_person(tx, email, name, password, now)
                person_id = PersonId(person.id)
                await mail_links.ask_confirm(tx, person, now)
            standing = await by.enter(tx, person_id, now)
    except Refusal as refusal:
        if refusal.code == rules.BAD_SIGN_IN:
            await throttle.failed(request, email)
        else:  # the password was right, or is nobody's: no guess to be counted
            await throttle.succeeded(request, email)
        raise
    await throttle.succeeded(request, email)
    return standing
