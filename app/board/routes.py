"""The board, my things and my rooms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response

from app import clock, db, pages, topic
from app.board import alike as hooks
from app.board import live, mine, queries, wall, watching
from app.board.search import PAGES_MOST, Search, days_from, distance_from, price_from
from app.errors import Refusal
from app.people import blocks
from app.people.doors import Member, MemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import grid, handing_over, saved, where
from app.tools import rules as tool_rules
from app.tools.lending import HORIZON_DAYS
from app.tools.rules import SKILLS

router = APIRouter()


Text = Annotated[str, Query(max_length=20)]


@router.get("/c/{slug}")
async def board(
    request: Request,
    viewer: Member,
    q: Annotated[str, Query(max_length=100)] = "",
    category: Annotated[str, Query(max_length=40)] = "",
    free: bool = False,
    free_from: Text = "",
    free_to: Text = "",
    price_to: Text = "",
    skill: Text = "",
    lender: Annotated[str, Query(max_length=20, pattern="^[0-9]*$")] = "",
    distance: Text = "",
    district: Annotated[str, Query(max_length=20, pattern="^[0-9]*$")] = "",
    pages_shown: Annotated[int, Query(alias="pages")] = 1,
    alike: Annotated[str, Query(max_length=20, pattern="^[0-9]*$")] = "",
) -> Response:
    """What hangs on the wall, as far as it fits the search."""
    here = viewer.here
    said = [(name, value) for name, value in request.query_params.multi_items() if value]
    if len(said) < len(request.query_params.multi_items()):  # a form sent without script
        return pages.back_to(f"{here.path}?{urlencode(said)}".rstrip("?"))
    days, wrong_days = _or_why(lambda: days_from(free_from, free_to))
    price, wrong_price = _or_why(lambda: price_from(price_to))
    today = clock.local_day(clock.now(), here.zone)
    async with db.snapshot() as tx:
        near = await where.cell_of(tx, viewer)
        metres, wrong_distance = _or_why(lambda: distance_from(distance, near))
        search = Search.typed(
            *(q, category, free, days),
            price=price,
            skill=skill,
            lender=int(lender or 0),
            pages=pages_shown,
            district=int(district or 0),
            near=near,
            distance=metres or 0,
            alike=int(alike or 0),
        )
        shown = {
            **await _wall(tx, viewer, search),
            "counters_html": await pages.region(request, tx, topic.board(here.id)),
            "recent_html": await pages.region(request, tx, topic.recent(here.id)),
            "categories": [
                {
                    "slug": one.slug,
                    "name": one.name,
                    "icon": one.icon,
                    "count": count,
                    "below": one.parent_id is not None,
                }
                for one, count in await queries.category_counts(tx, here)
            ],
            "can_measure": near is not None,
            "far": await where.far(tx, here.id, near),
            "districts": [(one.id, one.name) for one in await where.districts(tx, here.id)],
            "lenders": await queries.lenders(tx, here),
            "search": search,
            "watch": await watching.of_search(tx, search, viewer),
            "here_path": _here(request),
            "narrowed": search.narrowed or bool(wrong_days or wrong_price or wrong_distance),
            "typed": {"q": q, "free_from": free_from, "free_to": free_to, "price_to": price_to},
            "wrong": [wrong for wrong in (wrong_days, wrong_price, wrong_distance) if wrong],
            "more_path": _more_path(here.path, said, search),
            "all_path": _path(here.path, said, "alike", "pages"),
            "today": today.isoformat(),
            "horizon": (today + timedelta(days=HORIZON_DAYS)).isoformat(),
        }
        return await pages.render(
            request,
            "board/page.html",
            tx=tx,
            board=shown,
            skills=list(SKILLS.items())[:-1],
            distances=grid.CLASSES[1:],
            why_not_list=tool_rules.why_not_list(viewer),
        )


def _here(request: Request) -> str:
    """The board as it is searched now, to come back to."""
    return f"{request.url.path}?{request.url.query}".rstrip("?")


Read = TypeVar("Read")


def _or_why(read: Callable[[], Read]) -> tuple[Read | None, str]:
    """What was typed, or why it cannot be taken."""
    try:
        return read(), ""
    except Refusal as refusal:
        return None, " ".join(filter(None, (refusal.sentence, refusal.way_out)))


def _more_path(path: str, said: list[tuple[str, str]], search: Search) -> str:
    """The same search with one page more; "" if that would be too many."""
    if search.pages == PAGES_MOST:
        return ""
    kept = [(name, value) for name, value in said if name != "pages"]
    return _path(path, [*kept, ("pages", str(search.pages + 1))])


def _path(path: str, said: list[tuple[str, str]], *without: str) -> str:
    kept = [(name, value) for name, value in said if name not in without]
    return f"{path}?{urlencode(kept)}".rstrip("?")


async def _wall(tx: db.Tx, viewer: Viewer, search: Search) -> dict[str, object]:
    """The cards, each with its version."""
    here, now = viewer.here, clock.now()
    found = await wall.hanging(tx, here, search, now)
    apart = await blocks.apart_from(tx, viewer.person_id)
    hung, more = wall.arrange(found, search, apart)
    tools = await wall.tools_of(tx, here, hung)
    seen = await queries.seen(tx, here, tools, now, viewer.locale)
    by_id = {one.tool.id: one for one in queries.as_seen_by(seen, apart)}
    drawn = {}
    for one in hung:
        together = [by_id[tool_id] for tool_id in one.alike]
        drawn[hooks.named(here.id, one.alike)] = live.draw_hook(together, here, viewer.locale)
    return {
        "tools": list((await pages.stamped(tx, drawn)).values()),
        "alike": next((one.tool.name for one in by_id.values()), "") if search.alike else "",
        "more": more,
        "last": _anchor(hung[-1].alike) if hung else "",
        "list_topic": (name := topic.listing(here.id, search.key)),
        "list_version": await pages.version(tx, name),
    }


def _anchor(ids: hooks.Ids) -> str:
    return f"tool-{ids[0]}" if len(ids) == 1 else f"alike-{ids[0]}"


@router.get("/c/{slug}/things")
async def things(request: Request, viewer: MemberEvenSuspended) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.things(viewer.person_id))
        near = None if viewer.suspended else await where.cell_of(tx, viewer)
        return await pages.render(
            request,
            "board/things.html",
            tx=tx,
            things_html=html,
            far=await where.far(tx, viewer.community_id, near),
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
async def rooms(
    request: Request,
    viewer: MemberEvenSuspended,
    before: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
) -> Response:
    """The newest are live; `before` a room begins a page of older ones, as they are now."""
    async with db.snapshot() as tx:
        if before is None:
            html = await pages.region(request, tx, topic.rooms(viewer.person_id))
        else:
            found = await mine.rooms(tx, viewer, clock.now(), before=before)
            html = pages.drawn(pages.partial("chat/_rooms.html", **found))
        return await pages.render(request, "chat/rooms.html", tx=tx, rooms_html=html)
