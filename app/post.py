"""The letters that people asked for, with links that work once: put together as they go out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from sqlalchemy import select

from app import clock, db, mail, outgoing
from app.db import Tx
from app.outgoing import LEASE, STALE, Fate, Pointless, Sending, Undeliverable
from app.pages import LOCALE, partial
from app.people import mail_links
from app.people.letters import Letter, LetterKind
from app.people.models import Person
from app.settings import settings


@dataclass(frozen=True)
class Words:
    """What one letter says."""

    subject: str
    greeting: str
    lines: tuple[str, ...]
    path: str
    label: str
    foot: str
    name: str = ""


async def take_letter() -> Callable[[], Awaitable[None]] | None:
    """One letter, if one is due."""
    if not mail.is_set_up():
        return None
    now = clock.now()
    async with db.begin() as tx:
        letter = await tx.scalar(
            select(Letter)
            .where(Letter.sending == Sending.READY, Letter.send_at <= now)
            .order_by(Letter.send_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if letter is None:
            return None
        letter.send_at = now + LEASE
    return lambda: _carry(letter)


async def _carry(letter: Letter) -> None:
    outcome = await outgoing.attempt("letter", lambda: _send(letter))
    async with db.begin() as tx:
        row = await tx.get(Letter, letter.id, with_for_update=True)
        if row is not None and outcome.fate is Fate.POINTLESS:
            await tx.delete(row)
        elif row is not None:
            outgoing.settle(row, outcome, clock.now())


async def _send(letter: Letter) -> str:
    """A secret is made for each try, and stands nowhere but in the mail."""
    now = clock.now()
    if letter.created_at <= now - STALE:
        raise Undeliverable("too late")
    async with db.begin() as tx:
        words = await _words(tx, await tx.get_one(Letter, letter.id), now)
    if words is None:  # nobody is there, or it has been done meanwhile
        raise Pointless
    await mail.send(_message(letter, words, now))
    return ""


def _message(letter: Letter, words: Words, now: datetime) -> EmailMessage:
    href = f"{settings.root}{words.path}"
    text = "\n\n".join((words.greeting, *words.lines, f"{words.label}:\n{href}", words.foot))
    html = partial(
        "mail/letter.html",
        locale=LOCALE,
        subject=words.subject,
        greeting=words.greeting,
        lines=words.lines,
        href=href,
        label=words.label,
        foot=words.foot,
    )
    return mail.put_together(letter.address, words.name, words.subject, text, html, now)


async def _words(tx: Tx, letter: Letter, now: datetime) -> Words | None:
    match LetterKind(letter.kind):
        case LetterKind.CONFIRM:
            secret = await mail_links.open_confirm(tx, letter, now)
            return _confirm(await tx.get_one(Person, letter.person_id), secret) if secret else None
        case LetterKind.RESET:
            opened = await mail_links.open_reset(tx, letter, now)
            return _reset(*opened) if opened else None
        case LetterKind.INVITATION:
            invited = await mail_links.open_invitation(tx, letter, now)
            if invited is None:
                return None
            community, code = invited
            return _invitation(community.name, str(letter.facts["by"]), code)


def _confirm(person: Person, secret: str) -> Words:
    return Words(
        "Is this your address?",
        f"Hello {person.name.split()[0]},",
        (
            "somebody gave this address to ToolShare, where neighbours lend each other tools.",
            "If that was you, say so: from then on answers and reminders can reach you by mail. "
            "If not, do nothing.",
        ),
        f"/confirm/{secret}",
        "Yes, this is mine",
        "The link works once, for 24 hours.",
        person.name,
    )


def _reset(person: Person, secret: str) -> Words:
    return Words(
        "A new password",
        f"Hello {person.name.split()[0]},",
        (
            "somebody asked for a new password for your ToolShare.",
            "If that was you, choose one. If not, do nothing: the one you have still works.",
        ),
        f"/reset/{secret}",
        "Choose a new password",
        "The link works once, for one hour.",
        person.name,
    )


def _invitation(community: str, by: str, code: str) -> Words:
    return Words(
        f"{by} invites you to {community}",
        "Hello,",
        (
            f"{by} invites you to {community}, where neighbours lend each other tools.",
            "Your address is not kept unless you join.",
        ),
        f"/join/{code}",
        f"Look at {community}",
        "The link is for one person and works for two weeks.",
    )
