"""Listing and editing a tool, and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse

from app import clock, db, pages, topic
from app.errors import Refusal
from app.http import idempotency
from app.loans import alone, shelf
from app.people.doors import Member, MemberEvenSuspended
from app.people.forms import Form
from app.people.viewer import Viewer
from app.tools import (
    album,
    beforehand,
    commands,
    photos,
    queries,
    rules,
    showing,
    suggestions,
    terms,
)
from app.tools.categories import in_tree
from app.tools.lending import Lending
from app.tools.models import Category, Skill, Tool
from app.wanted import commands as wanted
from app.wanted import telling as wanted_telling

router = APIRouter()
ToolKey = Annotated[int, Path(ge=1, lt=2**62)]
BOX = ("self_service", "key_place", "key_code")
FIELDS = (
    *("name", "category", "brand", "description", "price", "skill", "parts", "how_many"),
    *("answer", "waiting", "of_all", *BOX, *terms.FIELDS),
)
MORE = ("how_many", "brand", "parts", *BOX)  # folded away in the form


@router.get("/c/{slug}/tools/new")
async def new_tool(
    request: Request, viewer: Member, answer: Annotated[int, Query(ge=0, lt=2**62)] = 0
) -> Response:
    """`answer`: of the viewer's own, to what somebody looks for, which is in the form then."""
    if refusal := rules.why_not_list(viewer):
        raise refusal
    async with db.snapshot() as tx:
        given = await wanted_telling.form_of_answer(tx, viewer, answer)
    return await _form(request, viewer, None, Form(values=terms.typed(Lending()) | given))


@router.get("/c/{slug}/tools/suggestion")
async def suggestion(
    viewer: Member, name: Annotated[str, Query(max_length=200)] = ""
) -> HTMLResponse:
    """What the form says beside a name that is being typed."""
    async with db.snapshot() as tx:
        found = _suggested(name, await queries.categories(tx, viewer.community_id))
    return HTMLResponse(pages.partial("tools/_suggestion.html", suggestion=found))


@router.get("/c/{slug}/tools/{tool_id}/like")
async def another_like_it(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    """The form of a new tool, with what can be said of both; another's words stay theirs."""
    if refusal := rules.why_not_list(viewer):
        raise refusal
    async with db.snapshot() as tx:
        tool = await queries.tool_for(tx, viewer, tool_id)
    values = _values(tool)
    if not rules.may_change(tool, viewer):
        same = ("name", "category", "brand", "skill", "parts")
        values = terms.typed(Lending()) | {name: values[name] for name in same}
    return await _form(request, viewer, None, Form(values=values))


@router.post("/c/{slug}/tools")
async def list_tool(request: Request, viewer: Member) -> Response:
    form = await request.form(max_files=album.PHOTOS_MOST, max_fields=60)
    try:
        tool_id = await _keep(request, viewer, None, form)
    except Refusal as refusal:
        return await _form(request, viewer, None, Form.again(refusal, **_typed(form)))
    if rules.how_many_from(str(form.get("how_many", ""))) > 1:
        return pages.back_to(f"{viewer.here.path}?alike={tool_id}")
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")


@router.get("/c/{slug}/tools/{tool_id}/edit")
async def edit_page(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    async with db.snapshot() as tx:
        tool = await queries.tool_for(tx, viewer, tool_id)
        box = await alone.box_of(tx, tool, viewer)
    if refusal := rules.why_not_edit(tool, viewer):
        raise refusal
    values = _values(tool) | {
        "key_place": box.place if box else "",
        "key_code": box.code if box else "",
    }
    return await _form(request, viewer, tool, Form(values=values))


@router.post("/c/{slug}/tools/{tool_id}/edit")
async def edit(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    form = await request.form(max_files=1, max_fields=60)
    async with db.snapshot() as tx:
        tool = await queries.tool_for(tx, viewer, tool_id)
    if refusal := rules.why_not_edit(tool, viewer):
        raise refusal
    try:
        await _keep(request, viewer, tool_id, form)
    except Refusal as refusal:
        return await _form(request, viewer, tool, Form.again(refusal, **_typed(form)))
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")


@router.get("/c/{slug}/photos/{name}-{width}.{ending}", include_in_schema=False)
async def photo(
    request: Request,
    viewer: MemberEvenSuspended,
    name: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
    width: int,
    ending: str,
) -> Response:
    async with db.snapshot() as tx:
        kept = await queries.photo_for(tx, viewer, name)
    return await showing.shown(request, kept.name, width, ending, showing.FOR_EVER)


async def _keep(request: Request, viewer: Viewer, tool_id: int | None, form: FormData) -> int:
    """Lists (`tool_id` None) or edits, with the pictures; answers the tool's id."""
    stored, hung = list[photos.Stored](), False
    try:
        await beforehand.store(form.getlist("photo"), viewer, stored)
        text = _text(form)
        key = idempotency.key_of(request, str(form.get(idempotency.FIELD, "")))
        async with db.begin() as tx:
            seen = await idempotency.recall(tx, viewer.person_id, request, key, form)
            again = seen is not None
            if seen is None:
                tool = await _write(tx, viewer, tool_id, text, form, stored)
                seen = {"tool_id": tool.id}
                await idempotency.keep(tx, viewer.person_id, request, key, form, seen)
        hung = not again
    finally:  # refused, or a form sent twice: nothing names these files
        for picture in () if hung else stored:
            await photos.discard(picture)
    return int(seen["tool_id"])


def _text(form: FormData) -> commands.ToolText:
    return commands.ToolText(
        name=str(form.get("name", "")),
        category=str(form.get("category", "")),
        brand=str(form.get("brand", "")),
        description=str(form.get("description", "")),
        skill=_given(form, "skill"),
        price_cents=rules.price_from(str(form.get("price", ""))),
        parts=_given(form, "parts"),
        self_service=bool(form.get("self_service")) if "parts" in form else None,
        of_all=bool(form.get("of_all")),
    )


async def _write(
    tx: db.Tx,
    viewer: Viewer,
    tool_id: int | None,
    text: commands.ToolText,
    form: FormData,
    stored: list[photos.Stored],
) -> Tool:
    now = clock.now()
    if tool_id is None:
        return await _list(tx, viewer, text, form, stored, now)
    tool = await commands.edit(tx, tool_id, text, viewer, now)
    await _write_rest(tx, tool, form, viewer, now)
    for picture in stored:
        await commands.show(tx, tool, picture, viewer, now)
    if form.get("photo_gone") and not stored:
        await commands.hide_photo(tx, tool, viewer, now)
    await shelf.tell_parties(tx, tool)
    return tool


async def _list(
    tx: db.Tx,
    viewer: Viewer,
    text: commands.ToolText,
    form: FormData,
    stored: list[photos.Stored],
    now: datetime,
) -> Tool:
    """One, or several that are alike; answers the first. Copies of photos go into `stored`, too."""
    many = rules.how_many_from(str(form.get("how_many", "")))
    made = [await commands.list_tool(tx, text, viewer, now) for _ in range(many)]
    for tool in made:
        await _write_rest(tx, tool, form, viewer, now)
    await beforehand.hang(tx, made[0], str(form.get("waiting", "")), stored, viewer, now)
    await album.copy(tx, made[0], made[1:], stored, viewer, now)
    if (answer_id := topic.number(str(form.get("answer", "")))) is not None:
        await wanted.listed(tx, answer_id, made[0], viewer, now)
    return made[0]


async def _write_rest(tx: db.Tx, tool: Tool, form: FormData, viewer: Viewer, now: datetime) -> None:
    """How it is lent, and where its key is, as far as the form asks for it."""
    if (given := terms.read(form)) is not None:
        await commands.set_terms(tx, tool, given, viewer, now)
    if "key_place" in form and "key_code" in form:
        place, code = str(form["key_place"]), str(form["key_code"])
        await alone.change_box(tx, tool.id, place, code, viewer, now)


def _values(tool: Tool) -> dict[str, str]:
    """What its form shows; where its key is stands beside it."""
    return {
        "name": tool.name,
        "category": tool.category.slug,
        "brand": tool.brand,
        "skill": tool.skill,
        "description": tool.description,
        "parts": tool.parts,
        "self_service": "1" if tool.self_service else "",
        "of_all": "1" if tool.owner_id is None else "",
        "price": f"{tool.price_cents / 100:.2f}" if tool.price_cents else "",
        **terms.typed(tool.lending),
    }


def _suggested(name: str, categories: Sequence[Category]) -> dict[str, object] | None:
    words = {one.slug: one.name for one in categories}
    found = suggestions.suggest(name, words)
    if found is None:
        return None
    return {"category": found.category, "words": words[found.category], "parts": found.parts}


def _given(form: FormData, name: str) -> str | None:
    """None where the form has no such field: then it stays as it is."""
    return str(form[name]) if name in form else None


async def _form(request: Request, viewer: Viewer, tool: Tool | None, form: Form) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        categories = await queries.categories(tx, here.id)
        path = f"{here.path}/tools/{tool.id}" if tool else None
        shown = None
        if tool is not None:
            photo = tool.photo
            url = f"{here.path}/photos/{photo.name}-480.webp" if photo else None
            shown = {"id": tool.id, "path": path, "name": tool.name, "photo_url": url}
        return await pages.render(
            request,
            "tools/edit.html",
            tx=tx,
            status=form.status,
            tool=shown,
            categories=[
                {"slug": one.slug, "name": f"{'– ' if one.parent_id else ''}{one.name}"}
                for one in in_tree(categories)
            ],
            currency=here.currency,
            skills=list(rules.SKILLS.items()),
            most=album.PHOTOS_MOST,
            at_once=rules.AT_ONCE_MOST,
            more_open=_says_more(form),
            suggestion=None if tool else _suggested(form.values.get("name", ""), categories),
            rules_open=not terms.FIELDS_OF_ALL.isdisjoint(form.errors),
            form=replace(
                form, key=pages.fresh_key(), post=f"{path}/edit" if path else f"{here.path}/tools"
            ),
        )


def _says_more(form: Form) -> bool:
    """Whether what is folded away says something, or something there is wrong."""
    told, skill = any(map(form.values.get, MORE)), form.values.get("skill", "")
    return told or skill not in ("", Skill.ANYONE) or not form.errors.keys().isdisjoint(MORE)


def _typed(form: FormData) -> dict[str, str]:
    return {name: str(form.get(name, "")) for name in FIELDS}
