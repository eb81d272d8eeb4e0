"""Who looks after a tool of the community: the page and the API of coordinators and keepers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi import Form as Field

from app import clock, db, pages
from app.errors import NotFound, Refusal, mistyped
from app.http.schemas import ID_LIMIT, Listed, Named, ToolKey, problems
from app.loans import keeping
from app.members import queries
from app.people.doors import ApiMember, Member
from app.people.forms import Form
from app.people.models import Status
from app.people.viewer import Viewer
from app.tools import queries as tools
from app.tools.models import Tool

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])
KeeperKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[4])]


@router.get("/c/{slug}/tools/{tool_id}/keepers")
async def keepers(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    return await _page(request, viewer, tool_id, Form())


@router.post("/c/{slug}/tools/{tool_id}/keepers")
async def name(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    keeper: Annotated[str, Field(max_length=40)] = "",
) -> Response:
    try:
        if not (keeper.isascii() and keeper.isdecimal() and 0 < int(keeper) < ID_LIMIT):
            raise mistyped("keeper", "Choose who looks after it, too.")
        async with db.begin() as tx:
            await keeping.name(tx, tool_id, int(keeper), viewer, clock.now())
    except Refusal as refusal:
        return await _page(request, viewer, tool_id, Form.again(refusal, keeper=keeper))
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}/keepers")


@router.post("/c/{slug}/tools/{tool_id}/keepers/{person_id}/end")
async def release(
    request: Request, viewer: Member, tool_id: ToolKey, person_id: KeeperKey
) -> Response:
    try:
        async with db.begin() as tx:
            tool = await keeping.release(tx, tool_id, person_id, viewer, clock.now())
    except Refusal as refusal:
        return await _page(request, viewer, tool_id, Form.again(refusal))
    still = viewer.is_coordinator or viewer.person_id in tool.keepers
    path = f"{viewer.here.path}/tools/{tool_id}"
    return pages.back_to(f"{path}/keepers" if still else path)


async def _page(request: Request, viewer: Viewer, tool_id: int, form: Form) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        tool = await _seen(tx, viewer, tool_id)
        members = await queries.members_of(tx, here.id)
        names = {one.person_id: one.person.name for one in members}
        path = f"{here.path}/tools/{tool.id}"
        could = [
            (one.person_id, one.person.name)
            for one in members
            if one.status == Status.ACTIVE and one.person_id not in tool.keepers
        ]
        return await pages.render(
            request,
            "tools/keepers.html",
            tx=tx,
            status=form.status,
            tool={"name": tool.name, "path": path},
            found=[
                {
                    "name": names.get(person_id, "Former neighbour"),
                    "path": f"{path}/keepers/{person_id}/end",
                    "mine": person_id == viewer.person_id,
                    "could": viewer.is_coordinator or person_id == viewer.person_id,
                    "why_not": keeping.why_not_release(tool, person_id, viewer),
                }
                for person_id in tool.keepers
            ],
            why_not_name=keeping.why_not_name(tool, viewer),
            could=could,
            form=replace(form, post=f"{path}/keepers"),
        )


async def _seen(tx: db.Tx, viewer: Viewer, tool_id: int) -> Tool:
    """For coordinators and keepers; nobody else knows that there is such a page."""
    tool = await tools.tool_for(tx, viewer, tool_id)
    if tool.owner_id is not None or not (viewer.is_coordinator or viewer.person_id in tool.keepers):
        raise NotFound
    return tool


@api.get(
    "/tools/{tool_id}/keepers",
    summary="Who looks after a tool of the community",
    responses=problems(),
)
async def looked_after_by(viewer: ApiMember, tool_id: ToolKey) -> Listed[Named]:
    """In the order in which requests come to them. Of a neighbour's own tool nobody."""
    async with db.snapshot() as tx:
        return await _shapes(tx, viewer, tool_id)


@api.put(
    "/tools/{tool_id}/keepers/{person_id}",
    summary="Name one more keeper",
    responses=problems(409, 422),
)
async def name_keeper(viewer: ApiMember, tool_id: ToolKey, person_id: KeeperKey) -> Listed[Named]:
    """For coordinators. They lend it from now on, and read the rooms of its open loans."""
    async with db.begin() as tx:
        await keeping.name(tx, tool_id, person_id, viewer, clock.now())
        return await _shapes(tx, viewer, tool_id)


@api.delete(
    "/tools/{tool_id}/keepers/{person_id}",
    status_code=204,
    summary="Let a keeper go",
    responses=problems(409),
)
async def release_keeper(viewer: ApiMember, tool_id: ToolKey, person_id: KeeperKey) -> None:
    """For coordinators, and for the keeper; the last one stays until another is named."""
    async with db.begin() as tx:
        await keeping.release(tx, tool_id, person_id, viewer, clock.now())


async def _shapes(tx: db.Tx, viewer: Viewer, tool_id: int) -> Listed[Named]:
    tool = await tools.tool_for(tx, viewer, tool_id)
    people = await tools.keepers_of(tx, tool)
    return Listed(items=[Named(id=one.id, name=one.name) for one in people], next=None)
