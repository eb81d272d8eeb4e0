"""Pages in front of the door and about oneself: signing in and out, the profile, set-up."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi import Form as Field
from starlette.responses import RedirectResponse, Response

from app import clock, db, pages
from app.errors import NotFound, Refusal, mistyped
from app.http import throttle
from app.members import blocks as member_blocks
from app.members import commands as members
from app.people import (
    addresses,
    blocks,
    commands,
    doors,
    keys,
    links,
    mail_links,
    queries,
    sessions,
)
from app.people.doors import SignedCookie, SignedIn
from app.people.entrance import proven
from app.people.forms import Form
from app.people.models import PersonId, Status
from app.people.queries import Signed
from app.settings import settings
from app.tools import commands as tools

router = APIRouter()
router.include_router(addresses.router)

Typed = Annotated[str, Field()]
DEMO_PEOPLE = (
    ("ada@example.org", "lends many tools"),
    ("ben@example.org", "borrows"),
    ("cy@example.org", "is in two communities"),
    ("cora@example.org", "coordinates"),
)
DEMO_PASSWORD = "toolshare"  # noqa: S105 - printed on the sign-in page of the demo


@router.get("/")
async def home(found: SignedCookie) -> Response:
    """Where somebody was last; else the place to begin."""
    if found is None:
        async with db.snapshot() as tx:
            return pages.back_to("/sign-in" if await queries.is_set_up(tx) else "/set-up")
    here = [community for community, standing in found.places if standing.status == Status.ACTIVE]
    place = found.last_used()
    last = place[0] if place else here[0] if len(here) == 1 else None
    return pages.back_to(f"/c/{last.slug}" if last else "/communities")


@router.get("/sign-in")
async def sign_in_page(request: Request, found: SignedCookie, next: str = "") -> Response:
    if found is not None:
        return pages.back_to(doors.inside(next))
    return await _sign_in_page(request, Form(), next)


@router.post("/sign-in")
async def sign_in(
    request: Request, email: Typed = "", password: Typed = "", next: Typed = ""
) -> Response:
    try:
        proof = await proven(request, email, password)
        async with db.begin() as tx:
            await _end_former(tx, request)
            secret = await sessions.sign_in(tx, proof, doors.device_of(request), clock.now())
    except Refusal as refusal:
        return await _sign_in_page(request, Form.again(refusal, email=email), next)
    return doors.let_in(request, secret, email, doors.inside(next))


@router.post("/sign-out")
async def sign_out(found: SignedCookie) -> Response:
    if found is not None:
        async with db.begin() as tx:
            await sessions.sign_out(tx, found.key_hash)
    return _out()


@router.get("/profile")
async def profile(request: Request, viewer: SignedIn, found: SignedCookie) -> Response:
    return await _profile_page(request, found, Form(), Form())


@router.post("/profile")
async def rename(
    request: Request, viewer: SignedIn, found: SignedCookie, name: Typed = ""
) -> Response:
    try:
        async with db.begin() as tx:
            await members.rename(tx, name, viewer)
    except Refusal as refusal:
        return await _profile_page(request, found, Form.again(refusal, name=name), Form())
    return pages.back_to("/profile")


@router.post("/profile/presence")
async def show_presence(
    viewer: SignedIn,
    here: Annotated[bool, Field()] = False,
    typing: Annotated[bool, Field()] = False,
    last: Annotated[bool, Field()] = False,
) -> Response:
    async with db.begin() as tx:
        await commands.show_presence(tx, viewer, here=here, typing=typing, last=last)
    return pages.back_to("/profile#presence")


@router.post("/profile/password")
async def change_password(
    request: Request,
    viewer: SignedIn,
    found: SignedCookie,
    current: Typed = "",
    password: Typed = "",
) -> Response:
    assert found is not None, "SignedIn has seen to it"
    email = found.person.email
    try:
        proof = await proven(request, email, current)
        async with db.begin() as tx:
            device, now = doors.device_of(request), clock.now()
            secret = await sessions.change_password(tx, proof, password, device, now)
    except Refusal as refusal:
        wrong = refusal.code == "sign_in"
        told = mistyped("current", "This is not the password you have.") if wrong else refusal
        return await _profile_page(request, found, Form(), Form.again(told))
    return doors.let_in(request, secret, email, "/profile")


@router.post("/profile/sessions/end")
async def sign_out_everywhere(viewer: SignedIn) -> Response:
    async with db.begin() as tx:
        await sessions.sign_out_everywhere(tx, viewer.person_id)
    return _out()


@router.get("/reset/{secret}")
async def reset_page(request: Request, secret: str) -> Response:
    return await _reset_page(request, secret, Form())


@router.post("/reset/{secret}")
async def reset(request: Request, secret: str, password: Typed = "") -> Response:
    await throttle.spend(request, "reset")
    try:
        async with db.begin() as tx:
            now = clock.now()
            person = await links.use_reset_link(tx, secret, password, now)
            device = doors.device_of(request)
            opened = await sessions.open_session(tx, PersonId(person.id), device, now)
    except Refusal as refusal:
        return await _reset_page(request, secret, Form.again(refusal))
    return doors.let_in(request, opened, person.email, "/")


@router.get("/set-up")
async def set_up_page(request: Request) -> Response:
    async with db.snapshot() as tx:
        if await queries.is_set_up(tx):
            raise NotFound
    return await _set_up_page(request, Form())


@router.post("/set-up")
async def set_up(
    request: Request,
    code: Typed = "",
    community: Typed = "",
    zone: Typed = "",
    name: Typed = "",
    email: Typed = "",
    password: Typed = "",
) -> Response:
    await throttle.spend(request, "set_up")
    try:
        async with db.begin() as tx:
            now = clock.now()
            founded, person = await commands.set_up(
                tx, code, community, zone, name, email, password, now
            )
            tools.furnish(tx, founded.id)
            await mail_links.ask_confirm(tx, person, now)
            device = doors.device_of(request)
            secret = await sessions.open_session(tx, PersonId(person.id), device, now)
    except Refusal as refusal:
        typed = Form.again(
            refusal, code=code, community=community, zone=zone, name=name, email=email
        )
        return await _set_up_page(request, typed)
    return doors.let_in(request, secret, email, f"/c/{founded.slug}")


@router.post("/theme")
async def choose_theme(theme: Typed = "", back: Typed = "") -> Response:
    """Light or dark is kept in the browser only."""
    response = pages.back_to(doors.inside(back))
    if theme in ("light", "dark"):
        response.set_cookie("theme", theme, 31_536_000, samesite="lax", secure=settings.behind_tls)
    else:
        response.delete_cookie("theme")
    return response


def _out() -> Response:
    """Signed out: nothing that was kept in the browser stays, drafts neither."""
    response = RedirectResponse("/sign-in", 303, {"Clear-Site-Data": '"storage"'})
    response.delete_cookie(
        doors.cookie_name(), path="/", secure=settings.behind_tls, httponly=True, samesite="lax"
    )
    return response


async def _end_former(tx: db.Tx, request: Request) -> None:
    """Signing in again never leaves the session behind that this browser had."""
    if former := doors.session_secret(request):
        await sessions.sign_out(tx, keys.digest(former))


async def _sign_in_page(request: Request, form: Form, next: str) -> Response:
    people = [{"email": email, "who": who} for email, who in DEMO_PEOPLE]
    return await pages.render(
        request,
        "people/sign_in.html",
        status=form.status,
        form=form,
        next=next if doors.inside(next) == next else "",
        demo_people=people if settings.demo else None,
        demo_password=DEMO_PASSWORD,
    )


async def _profile_page(
    request: Request, found: Signed | None, form: Form, password_form: Form
) -> Response:
    assert found is not None, "only with a signed-in viewer"
    async with db.snapshot() as tx:
        open_sessions = await queries.sessions_of(tx, found.person.id, clock.now())
        here = request.state.viewer.community
        return await pages.render(
            request,
            "people/profile.html",
            tx=tx,
            status=max(form.status, password_form.status),
            person=found.person,
            form=form,
            password_form=password_form,
            sessions=[
                {"words": s.device, "at": s.seen_at, "current": s.key_hash == found.key_hash}
                for s in open_sessions
            ],
            zone=here.zone if here else ZoneInfo("UTC"),
            communities=queries.told(found),
            blocks=[
                {
                    "name": person.name,
                    "at": block.created_at,
                    "end": member_blocks.end_button(person.id, pages.fresh_key(), "/profile"),
                }
                for block, person in await blocks.blocks_of(tx, found.person.id)
            ],
        )


async def _reset_page(request: Request, secret: str, form: Form) -> Response:
    """Names what will happen; the button does it."""
    async with db.snapshot() as tx:
        link = await queries.reset_link(tx, secret, clock.now())
        person = await queries.person(tx, link.person_id)
    form = form.to(f"/reset/{secret}")
    return await pages.render(
        request, "people/reset.html", status=form.status, form=form, person_name=person.name
    )


async def _set_up_page(request: Request, form: Form) -> Response:
    return await pages.render(
        request, "people/set_up.html", status=form.status, form=form, zones=clock.zones()
    )
