"""The board, my things and my rooms."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from app import clock, db, pages, topic
from app.board import live, queries, wall
from app.board.search import Search, days_from
from app.errors import Refusal
from app.people import blocks
from app.people.doors import Member, MemberEvenSuspended
from app.people.viewer import Viewer
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
        days = days_from(free_from, free_to)
    except Refusal as refusal:
        wrong = refusal
    search = Search.typed(q, category, free, days)
    today = clock.local_day(clock.now(), here.zone)
    async with db.snapshot() as tx:
        shown = {
            **await _wall(tx, viewer, search),
            "counters_html": await pages.region(request, tx, topic.board(here.id)),
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


async def _wall(tx: db.Tx, viewer: Viewer, search: Search) -> dict[str, object]:
    """The cards, each with its version."""
    here, now = viewer.here, clock.now()
    found = await wall.hanging(tx, here, search, now)
    apart = await blocks.apart_from(tx, viewer.person_id)
    tools = await wall.tools_of(tx, here, wall.arrange(found, search, apart))
    seen = await queries.seen(tx, here, tools, now, viewer.locale)
    drawn = {
        topic.tool(here.id, one.tool.id): live.draw_card(one, here, viewer.locale)
        for one in queries.as_seen_by(seen, apart)
    }
    return {
        "tools": list((await pages.stamped(tx, drawn)).values()),
        "list_topic": (name := topic.listing(here.id, search.key)),
        "list_version": await pages.version(tx, name),
    }


@router.get("/c/{slug}/things")
async def things(request: Request, viewer: MemberEvenSuspended) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.things(viewer.person_id))
        return await pages.render(request, "board/things.html", tx=tx, things_html=html)


@router.get("/c/{slug}/rooms")
async def rooms(request: Request, viewer: MemberEvenSuspended) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.rooms(viewer.person_id))
        return await pages.render(request, "chat/rooms.html", tx=tx, rooms_html=html)
