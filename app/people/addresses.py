"""What is done by mail: proving one's address, and a new password for who forgot it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi import Form as Field
from starlette.responses import Response

from app import clock, db, mail, pages
from app.errors import Refusal
from app.http import throttle
from app.people import mail_links, queries
from app.people.doors import Anyone, SignedCookie, SignedIn
from app.people.forms import Form
from app.people.viewer import Viewer

router = APIRouter()
Typed = Annotated[str, Field()]
Secret = Annotated[str, Path(max_length=200)]
ASKED = "10/hour"  # letters of one kind for one address, or from one house


@router.get("/forgotten")
async def forgotten(request: Request) -> Response:
    return await _forgotten_page(request, Form())


@router.post("/forgotten")
async def ask_reset(request: Request, email: Typed = "") -> Response:
    """The same answer, after the same work, whether anybody has this address or not."""
    try:
        await spend_reset(request, email)
        async with db.begin() as tx:
            await mail_links.ask_reset(tx, email, clock.now())
    except Refusal as refusal:
        return await _forgotten_page(request, Form.again(refusal, email=email))
    return await _forgotten_page(request, Form(), asked=True)


async def spend_reset(request: Request, email: str) -> None:
    """So many letters to one address, and from one house."""
    await throttle.spend(request, "forgotten", ASKED)
    await throttle.spend(f"forgotten:{email.strip().lower()[:320]}", "forgotten", ASKED)


async def _forgotten_page(request: Request, form: Form, *, asked: bool = False) -> Response:
    return await pages.render(
        request,
        "people/forgotten.html",
        status=form.status,
        form=form,
        asked=asked,
        by_mail=mail.is_set_up(),
    )


@router.post("/profile/email/confirmation")
async def ask_confirm(viewer: SignedIn) -> Response:
    await send_confirmation(viewer)
    return pages.back_to("/confirm")


async def send_confirmation(viewer: Viewer) -> None:
    """Raises Refusal where no mail is sent."""
    await throttle.spend(f"confirm:{viewer.person_id}", "confirm", ASKED)
    if refusal := mail_links.why_not_mail():
        raise refusal
    async with db.begin() as tx:
        person = await queries.person(tx, viewer.person_id)
        await mail_links.ask_confirm(tx, person, clock.now())


@router.get("/confirm")
async def on_its_way(request: Request, viewer: SignedIn) -> Response:
    return await pages.render(request, "people/confirm.html", email="", post="", done=False)


@router.get("/confirm/{secret}")
async def asks(request: Request, secret: Secret) -> Response:
    """Names what will happen; the button does it."""
    async with db.snapshot() as tx:
        link = await mail_links.confirm_link(tx, secret, clock.now())
    return await pages.render(
        request, "people/confirm.html", email=link.email, post=f"/confirm/{secret}", done=False
    )


@router.post("/confirm/{secret}")
async def confirm(
    request: Request, viewer: Anyone, found: SignedCookie, secret: Secret
) -> Response:
    await throttle.spend(request, "reset")
    async with db.begin() as tx:
        mine = found.key_hash if found else None
        person, reset = await mail_links.confirm(tx, secret, mine, clock.now())
        email = person.email
    if reset is not None:
        return pages.back_to(f"/reset/{reset}")
    return await pages.render(request, "people/confirm.html", email=email, post="", done=True)
