"""What the demo would have sent: a page of its outgoing mail. Elsewhere it does not exist."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from starlette.responses import HTMLResponse, Response

from app import mail, pages
from app.errors import NotFound
from app.people.doors import Anyone
from app.settings import settings

router = APIRouter()
Number = Annotated[str, InPath(pattern="^[0-9]{6}$")]
SHOWN = 50
# A mail brings its looks along on its elements; nothing else of it may do anything.
ONLY_LOOKS = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/demo/mail")
async def outgoing(request: Request, viewer: Anyone) -> Response:
    _only_in_the_demo()
    newest = sorted(mail.shelf().glob("*.eml"), reverse=True)[:SHOWN]
    return await pages.render(request, "mail/shelf.html", letters=[_told(file) for file in newest])


@router.get("/demo/mail/{number}")
async def as_html(number: Number) -> Response:
    """The part that most programs show."""
    _only_in_the_demo()
    file = mail.shelf() / f"{number}.eml"
    if not file.is_file():
        raise NotFound
    part = _read(file).get_body(("html",))
    html = part.get_content() if part else ""
    return HTMLResponse(html, headers={"content-security-policy": ONLY_LOOKS})


def _only_in_the_demo() -> None:
    if not settings.demo:
        raise NotFound


def _read(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=default)


def _told(file: Path) -> dict[str, str]:
    message = _read(file)
    text = message.get_body(("plain",))
    return {
        "number": file.stem,
        "to": str(message["To"]),
        "subject": str(message["Subject"]),
        "date": str(message["Date"]),
        "text": text.get_content() if text else "",
    }
