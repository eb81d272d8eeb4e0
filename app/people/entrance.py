"""Coming in from outside with e-mail and password: throttled, for pages and API alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.requests import HTTPConnection

from app import db
from app.errors import Refusal
from app.http import throttle
from app.people import commands, passwords, rules, sessions
from app.people.models import Membership, PersonId
from app.people.sessions import Proof

Enter = Callable[[db.Tx, PersonId], Awaitable[Membership]]


async def proven(request: HTTPConnection, email: str, password: str) -> Proof:
    """Raises Refusal: the same one, after the same time, for strangers and wrong passwords."""
    await throttle.check_sign_in(request, email)
    proof = await sessions.prove(email, password)
    if proof is None:
        await throttle.failed(request, email)
        raise rules.bad_sign_in()
    await throttle.succeeded(request, email)
    return proof


async def come_in(
    request: HTTPConnection, email: str, name: str, password: str, enter: Enter, now: datetime
) -> Membership:
    """A new account, or the one there is if the password is its own; then it enters a community.

    So a second tap on the button, or a neighbour who forgot that they were here before, gets in,
    and a stranger with a wrong guess gets the answer of a wrong password.
    """
    email, name = rules.check_email(email), rules.check_name(name)
    passwords.check(password, name, email)
    await throttle.check_sign_in(request, email)
    proof = await sessions.prove(email, password)
    try:
        async with db.begin() as tx:
            if proof is not None:
                person_id = proof.person_id
            else:
                person = await commands.add_person(tx, email, name, password, now)
                person_id = PersonId(person.id)
            standing = await enter(tx, person_id)
    except Refusal as refusal:
        if refusal.code == rules.BAD_SIGN_IN:
            await throttle.failed(request, email)
        raise
    await throttle.succeeded(request, email)
    return standing
