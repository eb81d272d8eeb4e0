"""Mail: whether it is set up, how a message is put together, and handing it to the server.

In the demo nothing leaves the machine: messages are laid into a folder that a page shows.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app import outgoing
from app.outgoing import NotNow, Undeliverable
from app.settings import settings

WITHIN = 15  # seconds for each step of talking to the server
SHELF_KEEPS = 200
SUBJECT_LENGTH = 150
PORTS = {"smtp": 587, "smtps": 465}


class _Raw(str):
    """A header for machines: in one line, as it is. Folded and encoded nobody could read it."""

    __slots__ = ("name",)
    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def is_set_up() -> bool:
    return bool(settings.smtp_url) or settings.demo


def missing() -> list[str]:
    """The settings without which no mail goes out; for who runs the server."""
    return [] if is_set_up() else ["SMTP_URL", "MAIL_FROM"]


def sender() -> str:
    return settings.mail_from or "ToolShare <toolshare@demo.invalid>"


def domain() -> str:
    """What message ids end in."""
    return parseaddr(sender())[1].rpartition("@")[2].lower() or "toolshare.invalid"


def put_together(
    to: str,
    name: str,
    subject: str,
    text: str,
    html: str,
    now: datetime,
    *,
    headers: Mapping[str, str] | None = None,
) -> EmailMessage:
    """`headers` are for machines, in one line each.

    Raises Undeliverable where no mail program could read the address.
    """
    try:
        message = EmailMessage(policy=SMTP)
        message["From"] = sender()
        message["To"] = Address(one_line(name), addr_spec=to)
        message["Subject"] = one_line(subject)[:SUBJECT_LENGTH]
        message["Date"] = format_datetime(now)
        message["Auto-Submitted"] = "auto-generated"
        own = {"Message-ID": f"<{secrets.token_hex(16)}@{domain()}>"}
        for each, value in (own | dict(headers or {})).items():
            message[each] = _raw(each, value)
        message.set_content(text)
        message.add_alternative(html, subtype="html")
    except (MessageError, ValueError, IndexError, UnicodeError) as error:
        raise Undeliverable(f"address: {type(error).__name__}") from error
    return message


def _raw(name: str, value: str) -> _Raw:
    made = _Raw(one_line(value))
    made.name = name
    return made


def one_line(text: str) -> str:
    """Fit for a header: whatever people typed, it begins no other one."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())


async def send(message: EmailMessage) -> None:
    """Raises Undeliverable or NotNow; their text names no person and no address."""
    if settings.demo:
        await asyncio.to_thread(_lay_down, message)
        return
    if not settings.smtp_url:
        raise NotNow("mail is not set up")
    try:
        async with asyncio.timeout(outgoing.WITHIN):
            await _talk(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _refused(min((one.code for one in error.recipients), default=550)) from error
    except aiosmtplib.SMTPDataError as error:
        raise _refused(error.code) from error
    except aiosmtplib.SMTPResponseException as error:  # what it says before that is about us
        raise NotNow(f"{error.code}") from error
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise NotNow(type(error).__name__) from error


async def _talk(message: EmailMessage) -> None:
    parts = urlsplit(settings.smtp_url)
    username = unquote(parts.username) if parts.username else None
    secure = parts.scheme == "smtps"
    await aiosmtplib.send(
        message,
        hostname=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        username=username,
        password=unquote(parts.password or "") if username else None,
        use_tls=secure,
        # A password is never said in the clear; without one we take what the server offers.
        start_tls=False if secure else (True if username else None),
        timeout=WITHIN,
    )


def _refused(code: int) -> Exception:
    """A 5xx to the address or the letter is for ever; "sign in first" is the operator's matter."""
    sign_in = code in (530, 534, 535, 538)
    return Undeliverable(f"{code}") if 500 <= code < 600 and not sign_in else NotNow(f"{code}")


def shelf() -> Path:
    """Where the demo's mail lies."""
    return settings.data_dir / "mail"


def _lay_down(message: EmailMessage) -> None:
    folder = shelf()
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{secrets.token_hex(8)}"
    fresh.write_bytes(message.as_bytes())
    kept = sorted(folder.glob("*.eml"))
    last = int(kept[-1].stem) if kept else 0
    for number in range(last + 1, last + 100):
        try:
            (folder / f"{number:06d}.eml").hardlink_to(fresh)  # another worker lays down, too
            break
        except FileExistsError:
            continue
    fresh.unlink()
    for old in kept[: max(0, len(kept) - SHELF_KEEPS)]:
        old.unlink(missing_ok=True)
