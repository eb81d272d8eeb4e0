"""The categories as coordinators arrange them, and as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi import Form as Field
from pydantic import Field as Shape

from app import db, pages
from app.board import queries as board
from app.errors import Refusal, mistyped
from app.http.schemas import ID_LIMIT, Answered, Listed, problems
from app.people.doors import ApiMember, Coordinator
from app.people.forms import Form
from app.people.viewer import Viewer
from app.tools import categories as shelving
from app.tools import queries
from app.wanted import commands as wanted

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])
CategoryKey = Annotated[int, Path(ge=1, lt=ID_LIMIT)]
Typed = Annotated[str, Field(max_length=200)]


@router.get("/c/{slug}/categories")
async def shown(request: Request, viewer: Coordinator) -> Response:
    return await _page(request, viewer, Form(), 0)


@router.post("/c/{slug}/categories")
async def add(
    request: Request, viewer: Coordinator, name: Typed = "", parent: Typed = ""
) -> Response:
    try:
        async with db.begin() as tx:
            await shelving.add(tx, name, _chosen("parent", parent), viewer)
    except Refusal as refusal:
        return await _page(request, viewer, Form.again(refusal, name=name, parent=parent), 0)
    return pages.back_to(f"{viewer.here.path}/categories")


@router.post("/c/{slug}/categories/{category_id}")
async def change(
    request: Request,
    viewer: Coordinator,
    category_id: CategoryKey,
    name: Typed = "",
    parent: Typed = "",
) -> Response:
    try:
        async with db.begin() as tx:
            await shelving.change(tx, category_id, name, _chosen("parent", parent), viewer)
    except Refusal as refusal:
        form = Form.again(refusal, name=name, parent=parent)
        return await _page(request, viewer, form, category_id)
    return pages.back_to(f"{viewer.here.path}/categories#category-{category_id}")


@router.post("/c/{slug}/categories/{category_id}/end")
async def remove(
    request: Request, viewer: Coordinator, category_id: CategoryKey, into: Typed = ""
) -> Response:
    try:
        taken_by = _chosen("into", into)
        async with db.begin() as tx:
            await wanted.remove_category(tx, category_id, taken_by, viewer)
    except Refusal as refusal:
        return await _page(request, viewer, Form.again(refusal, into=into), category_id)
    return pages.back_to(f"{viewer.here.path}/categories")


def _chosen(field: str, typed: str) -> int | None:
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and 0 < int(typed) < ID_LIMIT):
        raise mistyped(field, "Choose one of the categories.")
    return int(typed)


async def _page(request: Request, viewer: Viewer, form: Form, about: int) -> Response:
    """`about`: the category whose form it is; 0 is the one for a new one."""
    here = viewer.here
    async with db.snapshot() as tx:
        counted = await queries.hanging_in(tx, here.id)
        shelves = shelving.in_tree(await queries.categories(tx, here.id))
        return await pages.render(
            request,
            "tools/categories.html",
            tx=tx,
            status=form.status,
            shelves=[
                {
                    "id": one.id,
                    "name": one.name,
                    "icon": one.icon,
                    "parent_id": one.parent_id,
                    "tools": counted.get(one.id, 0),
                    "path": f"{here.path}/categories/{one.id}",
                    "has_below": bool(shelving.below(one, shelves)),
                }
                for one in shelves
            ],
            about=about,
            form=form.to(f"{here.path}/categories"),
        )


class CategoryOut(Answered):
    slug: str = Shape(examples=["drills"])
    name: str = Shape(examples=["Drills and drivers"])
    parent: str | None = Shape(examples=[None], description="The slug of what it stands below")
    tools: int = Shape(examples=[9], description="How many hang on the board, below it too")


@api.get("/categories", summary="The categories", responses=problems())
async def categories(viewer: ApiMember) -> Listed[CategoryOut]:
    """Each is followed by those below it."""
    async with db.snapshot() as tx:
        counted = await board.category_counts(tx, viewer.here)
    slugs = {one.id: one.slug for one, _ in counted}
    found = [
        CategoryOut(slug=one.slug, name=one.name, parent=slugs.get(one.parent_id or 0), tools=count)
        for one, count in counted
    ]
    return Listed(items=found, next=None)
