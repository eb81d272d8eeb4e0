"""A tool's page: when it is free, asking for it, and its lender's buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from app import clock, db, pages, topic, words
from app.board import chooser, quick
from app.errors import Refusal, Span
from app.http import idempotency, problems, throttle
from app.loans import commands, holds, outlook, periods, rules, shelf
from app.members import blocks as member_blocks
from app.people.doors import Member, MemberEvenSuspended
from app.people.forms import Form as Typed
from app.people.viewer import Viewer
from app.tools import album, keepers, lending, saved, where
from app.tools import queries as tool_queries
from app.tools.models import Skill, Tool, ToolStatus
from app.tools.photo import Photo

router = APIRouter()
ToolKey = Annotated[int, Path(ge=1, lt=2**62)]
Key = Annotated[str, Form()]
SKILL_TEXTS = {
    Skill.ANYONE: "",
    Skill.PRACTICE: "Needs some practice.",
    Skill.EXPERT: "For experts only.",
}
TYPED = (*quick.TYPED, "note", "accept_safety")
Day = Annotated[str, Form(max_length=20)]
Asked = Annotated[str, Query(max_length=20)]


@router.get("/c/{slug}/tools/{tool_id}")
async def tool_page(
    request: Request,
    viewer: MemberEvenSuspended,
    tool_id: ToolKey,
    start: Asked = "",
    end: Asked = "",
    start_time: Asked = "",
    end_time: Asked = "",
    hours: Annotated[int, Query(ge=0, le=24)] = 0,
    label: bool = False,
) -> Response:
    """With dates in its address, or `hours` from now on, they stand in the form and are counted.

    `label`: it was scanned from the tool itself, so what waits for the viewer comes first.
    """
    typed = dict(zip(quick.TYPED, (start, end, start_time, end_time), strict=True))
    if hours:
        typed = quick.from_now(hours, viewer.here, clock.now())
    return await tool_page_with(request, viewer, tool_id, Typed(values=typed), scanned=label)


@router.post("/c/{slug}/tools/{tool_id}/hold")
async def hold(
    request: Request,
    viewer: MemberEvenSuspended,
    tool_id: ToolKey,
    start: Day = "",
    end: Day = "",
    start_time: Day = "",
    end_time: Day = "",
) -> Response:
    """Holds the dates while their person goes on thinking; a page's script gets the line alone."""
    await throttle.spend(f"hold:{viewer.person_id}", "hold", limit="60/minute")
    typed = dict(zip(quick.TYPED, (start, end, start_time, end_time), strict=True))
    chosen = await chooser.hold(viewer, tool_id, typed)
    if problems.is_htmx(request):
        html = pages.partial("tools/_choice.html", choice=chosen, zone=viewer.here.zone)
        return HTMLResponse(html)
    if refusal := chosen.why_not or chosen.note:
        form = Typed.again(refusal, **typed)
        return await tool_page_with(request, viewer, tool_id, form, refusal.free)
    asked = urlencode({name: value for name, value in typed.items() if value})
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}?{asked}#request")


@router.post("/c/{slug}/tools/{tool_id}/hold/end")
async def let_go(
    viewer: MemberEvenSuspended, tool_id: ToolKey, held: Annotated[str, Form(max_length=90)] = ""
) -> Response:
    """The dates are free again. A page that closes names those it held, and hears nothing."""
    only = chooser.dates_named(held) if held else None
    async with db.begin() as tx:
        await holds.let_go(tx, tool_id, viewer, clock.now(), only)
    if only:
        return Response(status_code=204)
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")


@router.post("/c/{slug}/tools/{tool_id}/loans")
async def ask(
    request: Request,
    viewer: MemberEvenSuspended,
    tool_id: ToolKey,
    idempotency_key: Annotated[str, Form()] = "",
    start: Annotated[str, Form()] = "",
    end: Annotated[str, Form()] = "",
    start_time: Annotated[str, Form()] = "",
    end_time: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    accept_safety: Annotated[str, Form()] = "",
) -> Response:
    said = (start, end, start_time, end_time, note, accept_safety)
    typed = dict(zip(TYPED, said, strict=True))
    try:
        period = periods.period_from(start, end, start_time, end_time, viewer.here.zone)
        key = idempotency.key_of(request, idempotency_key)
        async with db.begin() as tx:
            seen = await idempotency.recall(tx, viewer.person_id, request, key, typed)
            if seen is None:
                loan = await commands.request(
                    tx,
                    tool_id,
                    *period,
                    viewer,
                    clock.now(),
                    note,
                    accept_safety=bool(accept_safety),
                )
                seen = {"loan_id": loan.id}
                await idempotency.keep(tx, viewer.person_id, request, key, typed, seen)
    except Refusal as refusal:
        form = Typed.again(refusal, **typed)
        return await tool_page_with(request, viewer, tool_id, form, refusal.free)
    return pages.back_to(f"{viewer.here.path}/loans/{seen['loan_id']}")


ShelfAct = Callable[..., Awaitable[Tool]]


async def _shelve(
    request: Request, viewer: Viewer, tool_id: int, key: str, act: ShelfAct
) -> Response:
    """One of the owner's buttons, once per key, then the tool's page again."""
    async with db.begin() as tx:
        named = idempotency.key_of(request, key)
        if await idempotency.recall(tx, viewer.person_id, request, named, {}) is None:
            await act(tx, tool_id, viewer, clock.now())
            outcome = {"tool_id": tool_id}
            await idempotency.keep(tx, viewer.person_id, request, named, {}, outcome)
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")


@router.post("/c/{slug}/tools/{tool_id}/pause")
async def pause(
    request: Request, viewer: Member, tool_id: ToolKey, idempotency_key: Key = ""
) -> Response:
    return await _shelve(request, viewer, tool_id, idempotency_key, shelf.pause)


@router.post("/c/{slug}/tools/{tool_id}/pause/end")
async def resume(
    request: Request, viewer: Member, tool_id: ToolKey, idempotency_key: Key = ""
) -> Response:
    return await _shelve(request, viewer, tool_id, idempotency_key, shelf.resume)


@router.post("/c/{slug}/tools/{tool_id}/archive")
async def archive(
    request: Request, viewer: Member, tool_id: ToolKey, idempotency_key: Key = ""
) -> Response:
    return await _shelve(request, viewer, tool_id, idempotency_key, shelf.archive)


@router.post("/c/{slug}/tools/{tool_id}/archive/end")
async def restore(
    request: Request, viewer: Member, tool_id: ToolKey, idempotency_key: Key = ""
) -> Response:
    return await _shelve(request, viewer, tool_id, idempotency_key, shelf.restore)


@router.post("/c/{slug}/tools/{tool_id}/saved")
async def keep_in_mind(viewer: Member, tool_id: ToolKey) -> Response:
    async with db.begin() as tx:
        await saved.save(tx, tool_id, viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")


@router.post("/c/{slug}/tools/{tool_id}/saved/end")
async def let_go_of_it(
    viewer: MemberEvenSuspended, tool_id: ToolKey, back: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    async with db.begin() as tx:
        await saved.let_go(tx, tool_id, viewer)
    there = "things#saved" if back == "things" else f"tools/{tool_id}"
    return pages.back_to(f"{viewer.here.path}/{there}")


async def tool_page_with(
    request: Request,
    viewer: Viewer,
    tool_id: int,
    form: Typed = Typed(),
    free: Sequence[Span] = (),
    waiting: Typed | None = None,
    asked: Typed | None = None,
    *,
    scanned: bool = False,
) -> Response:
    """One tool, when it is free, and the form to ask for it; `free`: what to ask for instead.

    `waiting`: what was typed to wait for it, and cannot be taken; `asked`: a question likewise.
    """
    here, now = viewer.here, clock.now()
    today = clock.local_day(now, here.zone)
    async with db.snapshot() as tx:
        tool = await tool_queries.tool_for(tx, viewer, tool_id)
        mine = viewer.person_id in tool.lenders
        apart = await keepers.between(tx, viewer.person_id, tool)
        key, back = pages.fresh_key(), f"{here.path}/tools/{tool_id}"
        why_not = rules.why_not_ask(tool, viewer, apart)
        typed = {} if form.errors or why_not else dict(form.values)
        return await pages.render(
            request,
            "tools/page.html",
            tx=tx,
            status=(waiting or asked or form).status,
            tool=_shown(tool, await album.photos_of(tx, tool), viewer),
            place=await where.told(tx, viewer, tool),
            dates_html=await pages.region(request, tx, topic.dates(here.id, tool_id)),
            mine=mine,
            scanned=scanned,
            asks=tool.owner_id != viewer.person_id,
            keepers=[one.name for one in await tool_queries.keepers_of(tx, tool)],
            mine_html=await pages.region(request, tx, topic.mine(here.id, tool_id)),
            history_html=await pages.region(request, tx, topic.history(here.id, tool_id)),
            waitlist_html=await _waitlist(request, tx, viewer, tool, waiting),
            why_not_request=why_not,
            block=tool.owner
            and await member_blocks.button(
                tx, viewer, tool.owner.id, tool.owner.name, apart, key, back
            ),
            free=free,
            today=today.isoformat(),
            horizon=(today + timedelta(days=tool.lending.horizon_days)).isoformat(),
            choice=await chooser.look(tx, viewer, tool, typed, now),
            form=replace(form, key=pages.fresh_key()),
            asked=replace(asked or Typed(), post=f"{back}/questions", key=str(uuid4())),
        )


async def _waitlist(
    request: Request, tx: db.Tx, viewer: Viewer, tool: Tool, typed: Typed | None
) -> str:
    """Its region; with what was typed, if that has to be shown again."""
    name = topic.waitlist(viewer.community_id, tool.id)
    if typed is None:
        return await pages.region(request, tx, name)
    told = await outlook.of_tool(tx, viewer, tool, clock.now())
    html = pages.partial("loans/_waitlist.html", form=typed, **told)
    return (await pages.stamped(tx, {name: html}))[name]


def _shown(tool: Tool, photos: Sequence[Photo], viewer: Viewer) -> dict[str, object]:
    here = viewer.here
    price = words.price_per_day(tool.price_cents, here.currency, viewer.locale)
    return {
        "id": tool.id,
        "path": f"{here.path}/tools/{tool.id}",
        "name": tool.name,
        "description": tool.description,
        "brand": tool.brand,
        "parts": [line for line in tool.parts.split("\n") if line],
        "self_service": tool.self_service,
        "skill_text": SKILL_TEXTS[Skill(tool.skill)],
        "category_name": tool.category.name,
        "icon": tool.category.icon,
        "photo_url": f"{here.path}/photos/{tool.photo.name}-1200.webp" if tool.photo else None,
        "photo_alt": (tool.photo and tool.photo.alt) or tool.name,
        "photos": [
            {
                "small": f"{here.path}/photos/{photo.name}-480.webp",
                "large": f"{here.path}/photos/{photo.name}-1200.jpg",
                "alt": photo.alt,
            }
            for photo in photos
        ],
        "price_text": price,
        "cost_text": "Free. A thank-you is welcome."
        if tool.price_cents == 0
        else f"{price}; each day that has begun counts.",
        "owner_name": tool.owner.name if tool.owner else here.name,
        "of_all": tool.owner is None,
        "lends": tool.owner.name.split()[0] if tool.owner else "the keepers",
        "rules": lending.in_words(tool.lending, here.currency, viewer.locale),
        "safety": tool.safety,
        "paused": tool.status == ToolStatus.PAUSED,
        "archived": tool.status == ToolStatus.ARCHIVED,
    }
