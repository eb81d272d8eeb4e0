"""What is wanted: the page, asking, answering, and ending it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response

from app import clock, db, pages, topic
from app.errors import Refusal
from app.http import idempotency, throttle
from app.http.again import typed_again
from app.people.doors import Coordinator, Member
from app.people.forms import Form as Typed
from app.people.viewer import Viewer
from app.tools import queries as tools
from app.wanted import commands, queries, rules, telling

router = APIRouter()
Key = Annotated[int, Path(ge=1, lt=2**62)]
Text = Annotated[str, Form()]
Asked = Annotated[str, Query(max_length=200)]
REPORTED = {"kind": "good", "sentence": "The coordinators are told.", "way_out": ""}


@router.get("/c/{slug}/wanted")
async def page(
    request: Request,
    viewer: Member,
    q: Asked = "",
    category: Asked = "",
    reported: bool = False,
) -> Response:
    """With words and category in its address, from a search in vain, they stand in the form."""
    typed = Typed(values={"words": q, "category": category})
    return await _page(request, viewer, typed, REPORTED if reported else None)


@router.post("/c/{slug}/wanted")
async def ask(
    request: Request,
    viewer: Member,
    words: Text = "",
    category: Text = "",
    start: Text = "",
    end: Text = "",
    idempotency_key: Text = "",
) -> Response:
    typed = {"words": words, "category": category, "start": start, "end": end}
    try:
        await throttle.spend(f"wanted:{viewer.person_id}", "wanted", limit="30/hour")
        text = commands.WantedText(words, category, rules.days_from(start, end))
        key = idempotency.key_of(request, idempotency_key)
        async with db.begin() as tx:
            if await idempotency.recall(tx, viewer.person_id, request, key, typed) is None:
                made = await commands.ask(tx, text, viewer, clock.now())
                outcome = {"wanted_id": made.id}
                await idempotency.keep(tx, viewer.person_id, request, key, typed, outcome)
    except Refusal as refusal:
        return await _page(request, viewer, Typed.again(refusal, **typed))
    return _back(viewer)


@router.get("/c/{slug}/wanted/{wanted_id}")
async def one(viewer: Member, wanted_id: Key) -> Response:
    """Where a notice leads: to the form for what was listed for it, or to its place in the list."""
    now = clock.now()
    async with db.snapshot() as tx:
        found = await queries.one_for(tx, viewer, wanted_id, now)
    if found and found.person_id == viewer.person_id and (tool := queries.newest_tool(found)):
        return pages.back_to(telling.request_path(tool, found, viewer, now))
    return pages.back_to(f"{_list(viewer)}{f'#wanted-{wanted_id}' if found else ''}")


@router.post("/c/{slug}/wanted/{wanted_id}/end")
async def take_back(viewer: Member, wanted_id: Key) -> Response:
    async with db.begin() as tx:
        await commands.take_back(tx, wanted_id, viewer, clock.now())
    return _back(viewer)


@router.post("/c/{slug}/wanted/{wanted_id}/answers")
async def answer(request: Request, viewer: Member, wanted_id: Key, words: Text = "") -> Response:
    try:
        await throttle.spend(f"wanted:{viewer.person_id}", "answers", limit="60/hour")
        async with db.begin() as tx:
            await commands.answer(tx, wanted_id, words, viewer, clock.now())
    except Refusal as refusal:
        return await typed_again(
            request, refusal, words, field="words", label="Your answer", back=_list(viewer)
        )
    return _back(viewer)


@router.post("/c/{slug}/wanted/{wanted_id}/answers/{answer_id}/end")
async def end_answer(viewer: Member, wanted_id: Key, answer_id: Key) -> Response:
    async with db.begin() as tx:
        await commands.end_answer(tx, wanted_id, answer_id, viewer, clock.now())
    return _back(viewer)


@router.post("/c/{slug}/wanted/{wanted_id}/report")
async def report(request: Request, viewer: Member, wanted_id: Key, reason: Text = "") -> Response:
    try:
        await throttle.spend(f"report:{viewer.person_id}", "report", limit="20/hour")
        async with db.begin() as tx:
            await commands.report(tx, wanted_id, reason, viewer, clock.now())
    except Refusal as refusal:
        return await typed_again(
            request, refusal, reason, field="reason", label="Why you report it", back=_list(viewer)
        )
    return pages.back_to(f"{_list(viewer)}?reported=1")


@router.post("/c/{slug}/wanted/{wanted_id}/removal")
async def remove(
    request: Request, viewer: Coordinator, wanted_id: Key, reason: Text = ""
) -> Response:
    try:
        async with db.begin() as tx:
            await commands.remove(tx, wanted_id, reason, viewer, clock.now())
    except Refusal as refusal:
        return await typed_again(
            request, refusal, reason, field="reason", label="Why you remove it", back=_list(viewer)
        )
    return _back(viewer)


def _list(viewer: Viewer) -> str:
    return f"{viewer.here.path}/wanted"


def _back(viewer: Viewer) -> Response:
    return pages.back_to(_list(viewer))


async def _page(
    request: Request, viewer: Viewer, form: Typed, flash: dict[str, str] | None = None
) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        return await pages.render(
            request,
            "wanted/page.html",
            tx=tx,
            status=form.status,
            flash=flash,
            wanted_html=await pages.region(request, tx, topic.wanted(here.id)),
            categories=[(one.slug, one.name) for one in await tools.categories(tx, here.id)],
            today=clock.local_day(clock.now(), here.zone).isoformat(),
            form=replace(form, key=pages.fresh_key(), post=_list(viewer)),
        )
