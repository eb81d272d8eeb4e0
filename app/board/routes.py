"""The board, my things and my rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response

from app import clock, db, pages, topic
from app.board import live, queries, wall
from app.board.wall import Search
from app.errors import Refusal
from app.people import blocks
from app.people.doors import Member, MemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import handing_over, saved
from app.tools import rules as tool_rules
from app.tools.lending import HORIZON_DAYS

router = APIRouter()


@router.get("/c/{slug}")
async def board(
    request: Request,
    viewer: Member,
    q: Annotated[str, Query(max_length=100)] = "",
    category: Annotated[str, Query(max_length=40)] = "",
    free: bool = False,
    free_from: Annotated[str, Query(max_length=20)] = "",
    free_to: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """What hangs on the wall, as far as it fits the search."""
    here, days, wrong = viewer.here, None, None
    said = [(name, value) for name, value in request.query_params.multi_items() if value]
    if len(said) < len(request.query_params.multi_items()):  # a form sent without script
        return pages.back_to(f"{here.path}?{urlencode(said)}".rstrip("?"))
    try:
        days = wall.days_from(free_from, free_to)
    except Refusal as refusal:
        wrong = refusal
    search = Search.typed(q, category, free, days)
    today = clock.local_day(clock.now(), here.zone)
    async with db.snapshot() as tx:
        found = await wall.hanging(tx, here, search, clock.now(), viewer.locale)
        shown = {
            **await _wall(tx, viewer, found, search),
            "counters_html": await _counters(
                request, tx, viewer, None if q or category or days else found
            ),
            "recent_html": await pages.region(request, tx, topic.recent(here.id)),
            "categories": [
                {"slug": one.slug, "name": one.name, "icon": one.icon, "count": count}
                for one, count in await queries.category_counts(tx, here)
            ],
            "q": q,
            "category": category,
            "free_now": free,
            "free_from": free_from,
            "free_to": free_to,
            "days_error": " ".join(filter(None, (wrong.sentence, wrong.way_out))) if wrong else "",
            "today": today.isoformat(),
            "horizon": (today + timedelta(days=HORIZON_DAYS)).isoformat(),
        }
        return await pages.render(
            request,
            "board/page.html",
            tx=tx,
            board=shown,
            why_not_list=tool_rules.why_not_list(viewer),
        )


async def _wall(
    tx: db.Tx, viewer: Viewer, found: Sequence[queries.Seen], search: Search
) -> dict[str, object]:
    """The cards, each with its version."""
    here = viewer.here
    shown = wall.arrange(found, search, await blocks.apart_from(tx, viewer.person_id))
    drawn = {
        topic.tool(here.id, one.tool.id): live.draw_card(one, here, viewer.locale) for one in shown
    }
    return {
        "tools": list((await pages.stamped(tx, drawn)).values()),
        "list_topic": (name := topic.listing(here.id, search.key)),
        "list_version": await pages.version(tx, name),
    }


async def _counters(
    request: Request, tx: db.Tx, viewer: Viewer, whole: Sequence[queries.Seen] | None
) -> str:
    """The counters; from the `whole` board, if the page has read it already."""
    name = topic.board(viewer.community_id)
    if whole is None:
        return await pages.region(request, tx, name)
    return (await pages.stamped(tx, {name: live.draw_counters(whole)}))[name]


@router.get("/c/{slug}/things")
async def things(request: Request, viewer: MemberEvenSuspended) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.things(viewer.person_id))
        return await pages.render(
            request,
            "board/things.html",
            tx=tx,
            things_html=html,
            saved=[] if viewer.suspended else await _saved(tx, viewer),
        )


async def _saved(tx: db.Tx, viewer: Viewer) -> list[dict[str, object]]:
    """What the viewer keeps in mind here: each a card as on the board, which goes on by itself."""
    here = viewer.here
    tools = [one for one in await saved.of_person(tx, viewer) if tool_rules.sees(one, viewer)]
    found = await queries.seen(tx, here, tools, clock.now(), viewer.locale)
    shown = queries.as_seen_by(found, await blocks.apart_from(tx, viewer.person_id))
    on_it = [one for one in shown if one.tool.status in tool_rules.ON_THE_BOARD]
    drawn = {
        topic.tool(here.id, one.tool.id): live.draw_card(one, here, viewer.locale) for one in on_it
    }
    cards = await pages.stamped(tx, drawn)
    return [
        {
            "card": cards[topic.tool(here.id, one.tool.id)],
            "name": one.tool.name,
            "path": f"{here.path}/tools/{one.tool.id}",
            "waits": f"{here.path}/tools/{one.tool.id}#waitlist-{one.tool.id}",
        }
        for one in on_it
    ]


@router.post("/c/{slug}/handing-over")
async def hand_over_now(
    viewer: Member, length: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Says that one can hand over now, for a while."""
    async with db.begin() as tx:
        await handing_over.begin(tx, length, viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/things#handing-over")


@router.post("/c/{slug}/handing-over/end")
async def not_any_more(viewer: Member) -> Response:
    async with db.begin() as tx:
        await handing_over.end(tx, viewer.person_id)
    return pages.back_to(f"{viewer.here.path}/things#handing-over")


@router.get("/c/{slug}/rooms")
async def rooms(request: Request, viewer: MemberEvenSuspended) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.rooms(viewer.person_id))
        return await pages.render(request, "chat/rooms.html", tx=tx, rooms_html=html)
