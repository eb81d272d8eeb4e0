"""The letters that people asked for, with links that work once: put together as they go out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

import structlog
from sqlalchemy import delete, select

from app import clock, db, mail
from app.db import Tx
from app.notices.carrying import LEASE
from app.notices.deliveries import put_off
from app.pages import LOCALE, partial
from app.people import mail_links
from app.people.letters import Letter, LetterKind, LetterState
from app.people.models import Person
from app.settings import settings

_log = structlog.stdlib.get_logger("toolshare.post")


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
    """One letter, if one is due. A secret is made for each try, and stands nowhere but in it."""
    if not mail.is_set_up():
        return None
    now = clock.now()
    async with db.begin() as tx:
        letter = await tx.scalar(
            select(Letter)
            .where(Letter.sending == LetterState.READY, Letter.send_at <= now)
            .order_by(Letter.send_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if letter is None:
            return None
        words = await _words(tx, letter, now)
        if words is None:  # nobody is there, or it has become pointless
            await tx.execute(delete(Letter).where(Letter.id == letter.id))
        else:
            letter.send_at = now + LEASE
    return lambda: _carry(letter, words)


async def _carry(letter: Letter, words: Words | None) -> None:
    if words is None:
        return
    try:
        await mail.send(_message(letter, words, clock.now()))
    except (mail.Undeliverable, mail.NotNow) as error:
        _log.warning("letter_failed", kind=letter.kind, why=str(error))
        await _settle(letter.id, str(error), for_good=isinstance(error, mail.Undeliverable))
    else:
        await _settle(letter.id)


async def _settle(letter_id: int, why: str = "", *, for_good: bool = False) -> None:
    now = clock.now()
    async with db.begin() as tx:
        letter = await tx.get(Letter, letter_id, with_for_update=True)
        if letter is None:
            return
        letter.attempts, letter.last_error = letter.attempts + 1, why[:80]
        wait = put_off(letter.attempts) if why and not for_good else None
        if wait is not None:
            letter.send_at = now + wait
        else:
            letter.sending = LetterState.FAILED if why else LetterState.SENT
            letter.settled_at = now


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
