"""For coordinators: the members, invitations, posters. Beside it: `joining` and `blocking`."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import segno
from fastapi import APIRouter, Path, Request
from fastapi import Form as Field
from starlette.responses import Response

from app import clock, db, mail, pages, topic
from app.db import Tx
from app.errors import Refusal
from app.http import throttle
from app.members import blocking, commands, desk, joining, queries
from app.people import links, mail_links
from app.people import queries as people_queries
from app.people.doors import Coordinator
from app.people.models import JoinLink, Membership, PersonId
from app.people.viewer import Viewer

router = APIRouter()
router.include_router(joining.router)
router.include_router(blocking.router)
router.include_router(desk.router)

Typed = Annotated[str, Field()]
PersonKey = Annotated[int, Path(ge=1, lt=2**62)]
LinkKey = Annotated[int, Path(ge=1, lt=2**62)]
Act = Callable[[Tx, PersonId, Viewer, datetime], Awaitable[Membership]]
RULE_WORDS = {
    "open": "Whoever finds the community is in at once.",
    "request": "Others can ask, and you let them in. With a link they are in at once.",
    "invite": "Only with a link.",
}


@router.get("/c/{slug}/members")
async def members(request: Request, viewer: Coordinator) -> Response:
    return await _members_page(request, viewer)


@router.post("/c/{slug}/members/{person_id}/admission")
async def admit(viewer: Coordinator, person_id: PersonKey) -> Response:
    return await _done(commands.admit, viewer, person_id)


@router.post("/c/{slug}/members/{person_id}/refusal")
async def turn_away(viewer: Coordinator, person_id: PersonKey) -> Response:
    return await _done(commands.turn_away, viewer, person_id)


@router.post("/c/{slug}/members/{person_id}/suspension")
async def suspend(viewer: Coordinator, person_id: PersonKey) -> Response:
    return await _done(commands.suspend, viewer, person_id)


@router.post("/c/{slug}/members/{person_id}/suspension/end")
async def restore(viewer: Coordinator, person_id: PersonKey) -> Response:
    return await _done(commands.restore, viewer, person_id)


@router.post("/c/{slug}/members/{person_id}/removal")
async def remove(viewer: Coordinator, person_id: PersonKey) -> Response:
    return await _done(commands.remove, viewer, person_id)


@router.post("/c/{slug}/members/{person_id}/role")
async def set_role(viewer: Coordinator, person_id: PersonKey, role: Typed = "") -> Response:
    async with db.begin() as tx:
        await commands.set_role(tx, PersonId(person_id), role, viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/members")


@router.post("/c/{slug}/members/{person_id}/reset-link")
async def make_reset_link(request: Request, viewer: Coordinator, person_id: PersonKey) -> Response:
    """Answers with the link itself, since it is shown only once and must not stay anywhere."""
    async with db.begin() as tx:
        secret = await links.make_reset_link(tx, PersonId(person_id), viewer, clock.now())
        person = await people_queries.person(tx, person_id)
    link = {"name": person.name, "link": f"{pages.root(request)}/reset/{secret}"}
    return await _members_page(request, viewer, link)


@router.post("/c/{slug}/join-links")
async def make_join_link(viewer: Coordinator) -> Response:
    async with db.begin() as tx:
        await links.make_join_link(tx, viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/members")


@router.post("/c/{slug}/invitations")
async def invite(request: Request, viewer: Coordinator, email: Typed = "") -> Response:
    """By mail, for one person. The address stands in the letter alone, and on this very page."""
    await throttle.spend(f"invite:{viewer.person_id}", "invite", "30/hour")
    try:
        async with db.begin() as tx:
            letter = await mail_links.invite(tx, email, viewer, clock.now())
    except Refusal as refusal:
        return await _members_page(request, viewer, invite_error=str(refusal))
    return await _members_page(request, viewer, invited=letter.address)


@router.post("/c/{slug}/join-links/{link_id}/end")
async def end_join_link(viewer: Coordinator, link_id: LinkKey) -> Response:
    async with db.begin() as tx:
        await links.end_join_link(tx, link_id, viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/members")


@router.get("/c/{slug}/poster/{link_id}.svg")
async def poster_code(request: Request, viewer: Coordinator, link_id: LinkKey) -> Response:
    async with db.snapshot() as tx:
        link = await people_queries.join_link(tx, viewer.community_id, link_id)
    drawing = io.BytesIO()
    qr = segno.make(_address(request, link), error="m", micro=False)
    qr.save(drawing, kind="svg", scale=8, border=4, dark="#000", light="#fff")
    return Response(drawing.getvalue(), media_type="image/svg+xml")


@router.get("/c/{slug}/poster/{link_id}")
async def poster(request: Request, viewer: Coordinator, link_id: LinkKey) -> Response:
    async with db.snapshot() as tx:
        link = await people_queries.join_link(tx, viewer.community_id, link_id)
        return await pages.render(
            request,
            "members/poster.html",
            tx=tx,
            community=viewer.here,
            link=_address(request, link),
            qr_svg_url=f"{viewer.here.path}/poster/{link_id}.svg",
            tool_count=await queries.count_tools(tx, viewer.community_id),
        )


async def _done(act: Act, viewer: Viewer, person_id: int) -> Response:
    async with db.begin() as tx:
        await act(tx, PersonId(person_id), viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/members")


async def _members_page(
    request: Request,
    viewer: Viewer,
    reset_link: dict[str, str] | None = None,
    *,
    invited: str = "",
    invite_error: str = "",
) -> Response:
    async with db.snapshot() as tx:
        valid = await people_queries.join_links_of(tx, viewer.community_id, clock.now())
        return await pages.render(
            request,
            "members/page.html",
            tx=tx,
            status=422 if invite_error else 200,
            members_html=await pages.region(request, tx, topic.members(viewer.community_id)),
            rule_words=RULE_WORDS[viewer.here.join_rule],
            invitations=[_told(request, viewer, link) for link in valid],
            reset_link=reset_link,
            mail_is_set_up=mail.is_set_up(),
            invited=invited,
            invite_error=invite_error,
            zone=viewer.here.zone,
        )


def _told(request: Request, viewer: Viewer, link: JoinLink) -> dict[str, object]:
    return {
        "link": _address(request, link) if links.shown_code(link) else "",
        "poster_path": f"{viewer.here.path}/poster/{link.id}",
        "end_path": f"{viewer.here.path}/join-links/{link.id}/end",
        "expires_at": link.expires_at,
        "uses_left": link.uses_left,
    }


def _address(request: Request, link: JoinLink) -> str:
    return f"{pages.root(request)}/join/{links.code_of(link)}"
