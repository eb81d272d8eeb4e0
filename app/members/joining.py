"""Coming in by invitation or by asking, waiting to be let in, and leaving."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi import Form as Field
from starlette.responses import Response

from app import clock, db, pages
from app.errors import Refusal, mistyped
from app.members import commands, queries
from app.people import doors, sessions
from app.people import queries as people_queries
from app.people import rules as people_rules
from app.people.doors import Anyone, MemberEvenSuspended, SignedCookie, SignedIn
from app.people.entrance import Asking, Entrance, Invited, come_in
from app.people.forms import Form
from app.people.models import Community, PersonId, Status
from app.people.viewer import Viewer

router = APIRouter()

Typed = Annotated[str, Field()]
Code = Annotated[str, Path(max_length=80)]
LEAST_AGE = 18


@router.get("/join/{code}")
async def invitation(request: Request, viewer: Anyone, code: Code) -> Response:
    """Says which community it opens; the button does it."""
    return await _invitation_page(request, code, Form())


@router.post("/join/{code}")
async def join(
    request: Request,
    viewer: Anyone,
    code: Code,
    name: Typed = "",
    email: Typed = "",
    password: Typed = "",
    of_age: Typed = "",
) -> Response:
    try:
        return await _enter(request, viewer, Invited(code), name, email, password, of_age)
    except Refusal as refusal:
        form = Form.again(refusal, name=name, email=email, of_age=of_age)
        return await _invitation_page(request, code, form)


@router.get("/join")
async def asking(
    request: Request, viewer: Anyone, found: SignedCookie, community: str = ""
) -> Response:
    place = found.place(community) if found else None
    if place and place[1].status != Status.LEFT:
        return pages.back_to(f"/c/{place[0].slug}")
    return await _asking_page(request, community, Form())


@router.post("/join")
async def ask(
    request: Request,
    viewer: Anyone,
    community: str = "",
    name: Typed = "",
    email: Typed = "",
    password: Typed = "",
    of_age: Typed = "",
    note: Typed = "",
) -> Response:
    try:
        by = Asking(community, note)
        return await _enter(request, viewer, by, name, email, password, of_age)
    except Refusal as refusal:
        form = Form.again(refusal, name=name, email=email, of_age=of_age, note=note)
        return await _asking_page(request, community, form)


@router.get("/communities")
async def communities(request: Request, viewer: SignedIn, found: SignedCookie) -> Response:
    told = people_queries.told(found) if found else []
    return await pages.render(request, "people/choose.html", communities=told)


@router.get("/c/{slug}/waiting")
async def waiting(request: Request, viewer: SignedIn, slug: doors.Slug) -> Response:
    """Why somebody is not in, or not at the moment. Strangers learn nothing."""
    async with db.snapshot() as tx:
        community, standing = await queries.own_standing(tx, slug, viewer.person_id)
        if standing.status == Status.ACTIVE:
            return pages.back_to(f"/c/{slug}")
        return await pages.render(
            request,
            "people/waiting.html",
            tx=tx,
            community=community,
            standing=standing.status,
            since=standing.asked_at if standing.status == Status.PENDING else None,
            zone=community.tz,
        )


@router.post("/c/{slug}/leave")
async def leave(viewer: MemberEvenSuspended) -> Response:
    async with db.begin() as tx:
        await commands.leave(tx, viewer, clock.now())
    return pages.back_to("/communities")


async def _enter(
    request: Request,
    viewer: Viewer | None,
    by: Entrance,
    name: str,
    email: str,
    password: str,
    of_age: str,
) -> Response:
    """Somebody signed in just enters; others get an account, or prove that they have one."""
    now = clock.now()
    if viewer is not None:
        async with db.begin() as tx:
            standing = await by.enter(tx, viewer.person_id, now)
            return pages.back_to(await queries.path_of(tx, standing))
    if not of_age:
        raise mistyped(
            "of_age",
            f"You have to be {LEAST_AGE} or older.",
            "Younger neighbours borrow through an adult.",
        )
    standing = await come_in(request, email, name, password, by, now)
    async with db.begin() as tx:
        person_id, device = PersonId(standing.person_id), doors.device_of(request)
        secret = await sessions.open_session(tx, person_id, device, now)
        path = await queries.path_of(tx, standing)
    return doors.let_in(request, secret, email, path)


async def _invitation_page(request: Request, code: str, form: Form) -> Response:
    async with db.snapshot() as tx:
        link = await people_queries.link_by_code(tx, code)
        if refusal := people_rules.why_not_use(link, clock.now()):
            raise refusal
        assert link is not None, "a missing invitation is refused"
        community = await tx.get_one(Community, link.community_id)
        return await pages.render(
            request,
            "people/sign_up.html",
            tx=tx,
            status=form.status,
            community=community,
            member_count=await queries.count_members(tx, community.id),
            join_rule=community.join_rule,
            form=form.to(f"/join/{code}"),
            least_age=LEAST_AGE,
        )


async def _asking_page(request: Request, slug: str, form: Form) -> Response:
    async with db.snapshot() as tx:
        community = await people_queries.community_by_slug(tx, slug)
        people_rules.why_not_ask(community, None, clock.now())  # an invited one does not show
        return await pages.render(
            request,
            "people/join.html",
            tx=tx,
            status=form.status,
            community=community,
            form=form.to(f"/join?community={slug}"),
            least_age=LEAST_AGE,
        )
