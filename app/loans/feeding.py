"""Calendars: the page of their addresses, the API, and what programs fetch by them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi import Form as Field
from pydantic import ConfigDict
from pydantic import Field as Shape

from app import clock, db, pages
from app.errors import NotFound, Refusal
from app.http import idempotency, throttle
from app.http.schemas import ID_LIMIT, Answered, Asked, Id, Key, Listed, problems
from app.loans import almanac, feeds, ics
from app.loans.feed import Feed, FeedKind
from app.people import keys
from app.people.doors import ApiMember, Member
from app.people.viewer import Viewer
from app.tools import queries as tools

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["loans"])
FeedKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[4])]
Typed = Annotated[str, Field(max_length=200)]
TYPE = "text/calendar; charset=utf-8"
# A program asks every few minutes, from some devices; a service asks for many people at once.
FROM_AN_ADDRESS, OF_ONE = "600/minute", "120/hour"
WORDS = {
    FeedKind.LOANS: (
        "What I borrow",
        "Every loan of yours: the tool, from whom, from when to when.",
    ),
    FeedKind.TOOLS: ("What I lend", "Every loan of your tools: the tool, to whom, when."),
    FeedKind.TOOL: ("", "When it is taken, and no names."),
}


class FeedAsked(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "loans"}]})

    kind: FeedKind
    tool: Id | None = Shape(None, description="With kind `tool`: which one")


class FeedOut(Answered):
    id: int = Shape(examples=[4])
    kind: FeedKind
    tool: int | None = Shape(examples=[7])
    address: str | None = Shape(
        description="Whoever has it reads the calendar; null: it can no longer be shown",
        examples=["https://tools.example.org/feeds/Zm9vYmFy.ics"],
    )


@router.api_route("/feeds/{secret}.ics", methods=["GET", "HEAD"])
async def fetch(request: Request, secret: Annotated[str, Path(max_length=200)]) -> Response:
    """The address is the key: no cookie is asked for, and none is set."""
    await throttle.spend(request, "feeds", FROM_AN_ADDRESS)
    await throttle.spend(keys.digest(secret).hex(), "feed", OF_ONE)
    async with db.snapshot() as tx:
        asked = await feeds.asked(tx, secret)
        shown = await almanac.shown(tx, asked, clock.now())
    body = ics.written(shown, asked.community.zone, pages.root(request))
    headers = {
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Last-Modified": _http_date(shown.changed_at),
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="toolshare.ics"',
        "X-Robots-Tag": "noindex",
    }
    if _has_it(request, headers, FeedKind(asked.feed.kind)):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=TYPE, headers=headers)


def _has_it(request: Request, headers: dict[str, str], kind: FeedKind) -> bool:
    """By the tag; by the date only where nothing but a loan can change what is shown.

    The very date, not a later one: what has run out or was hidden is no news of a later instant.
    """
    if known := request.headers.get("if-none-match"):
        tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
        return headers["ETag"] in tags or "*" in tags
    since = request.headers.get("if-modified-since")
    return kind is not FeedKind.TOOL and since == headers["Last-Modified"]


def _http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


# --- the page


@router.get("/c/{slug}/calendar")
async def calendar(
    request: Request, viewer: Member, tool: Annotated[int, Query(ge=0, lt=ID_LIMIT)] = 0
) -> Response:
    """The addresses that there are; with a tool in the address, also what to make for that one."""
    return await _page(request, viewer, tool)


@router.post("/c/{slug}/calendar")
async def make(
    request: Request,
    viewer: Member,
    kind: Typed = "",
    tool: Annotated[int, Field(ge=0, lt=ID_LIMIT)] = 0,
    idempotency_key: Typed = "",
) -> Response:
    if kind not in tuple(FeedKind):
        raise Refusal("Say which calendar.", "Choose one on the page.", status=422)
    key = idempotency.key_of(request, idempotency_key)
    body = {"kind": kind, "tool": str(tool)}
    async with db.begin() as tx:
        if await idempotency.recall(tx, viewer.person_id, request, key, body) is None:
            made = await feeds.make(tx, FeedKind(kind), tool or None, viewer, clock.now())
            await idempotency.keep(tx, viewer.person_id, request, key, body, {"feed_id": made.id})
    of_tool = f"?tool={tool}" if tool else ""
    return pages.back_to(f"{viewer.here.path}/calendar{of_tool}#{kind}{tool or ''}")


@router.post("/c/{slug}/calendar/{feed_id}/end")
async def end(viewer: Member, feed_id: FeedKey) -> Response:
    async with db.begin() as tx:
        await feeds.end(tx, feed_id, viewer)
    return pages.back_to(f"{viewer.here.path}/calendar")


async def _page(request: Request, viewer: Viewer, tool_id: int) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        found = {(one.kind, one.tool_id or 0): one for one in await feeds.of_person(tx, viewer)}
        wanted = [(FeedKind.LOANS, 0), (FeedKind.TOOLS, 0)]
        if tool_id:
            wanted.insert(0, (FeedKind.TOOL, tool_id))
        wanted += [(FeedKind(k), t) for k, t in found if t and t != tool_id]
        shown = []
        for kind, of_tool in wanted:
            title, words = WORDS[kind]
            if of_tool:
                try:
                    title = (await tools.tool_for(tx, viewer, of_tool)).name
                except NotFound:
                    if of_tool == tool_id:
                        raise
                    title = "A tool that is not on the wall any more"
            feed = found.get((kind, of_tool))
            address = _address(request, feed) if feed else None
            shown.append(
                {
                    "key": f"{kind}{of_tool or ''}",
                    "kind": str(kind),
                    "tool": of_tool,
                    "title": title,
                    "words": words,
                    "address": address or "",
                    "webcal": "webcal:" + address.partition(":")[2] if address else "",
                    "since": feed.created_at if feed else None,
                    "end_path": f"{here.path}/calendar/{feed.id}/end" if feed else "",
                    "idempotency_key": pages.fresh_key(),
                }
            )
        return await pages.render(
            request,
            "loans/calendar.html",
            tx=tx,
            calendars=shown,
            zone=here.zone,
            post=f"{here.path}/calendar",
        )


def _address(request: Request, feed: Feed) -> str | None:
    secret = feeds.shown_secret(feed)
    return f"{pages.root(request)}/feeds/{secret}.ics" if secret else None


# --- the API


@api.get("/feeds", summary="The addresses of your calendars", responses=problems())
async def feeds_listed(request: Request, viewer: ApiMember) -> Listed[FeedOut]:
    """All of them; there is never a second page."""
    async with db.snapshot() as tx:
        found = await feeds.of_person(tx, viewer)
    return Listed(items=[_shape(request, one) for one in found], next=None)


@api.post(
    "/feeds",
    status_code=201,
    summary="A new address of a calendar",
    responses=problems(409, 422),
)
async def make_feed(request: Request, viewer: ApiMember, wanted: FeedAsked, key: Key) -> FeedOut:
    """An iCalendar file at an address with a secret in it. The one before ends."""
    async with db.begin() as tx:
        if await idempotency.recall(tx, viewer.person_id, request, key, wanted) is None:
            made = await feeds.make(tx, wanted.kind, wanted.tool, viewer, clock.now())
            await idempotency.keep(tx, viewer.person_id, request, key, wanted, {"feed_id": made.id})
        found = await feeds.of_person(tx, viewer)
    wished = (wanted.kind, wanted.tool)
    one = next((one for one in found if (one.kind, one.tool_id) == wished), None)
    if one is None:
        raise NotFound  # made with this key before, and ended since
    return _shape(request, one)


@api.delete("/feeds/{feed_id}", status_code=204, summary="End an address", responses=problems())
async def end_feed(viewer: ApiMember, feed_id: FeedKey) -> None:
    """It opens nothing from now on."""
    async with db.begin() as tx:
        if not await feeds.end(tx, feed_id, viewer):
            raise NotFound


def _shape(request: Request, feed: Feed) -> FeedOut:
    return FeedOut(
        id=feed.id,
        kind=FeedKind(feed.kind),
        tool=feed.tool_id,
        address=_address(request, feed),
    )
