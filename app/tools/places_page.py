"""Saying where one's tools are fetched, or one tool that is elsewhere: by typing alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app import clock, db, pages, topic
from app.errors import Refusal, mistyped
from app.http import throttle
from app.http.schemas import ToolKey
from app.loans import pick_up
from app.people.doors import Member
from app.people.forms import Form as Typed
from app.people.viewer import Viewer
from app.tools import grid, queries, rules, where
from app.tools.models import Tool
from app.tools.place import Place
from app.tools.places import ADDRESS_LONGEST, PlaceText

router = APIRouter()
Text = Annotated[str, Form(max_length=2000)]


@router.get("/c/{slug}/place")
async def own_place(request: Request, viewer: Member) -> Response:
    return await _page(request, viewer, None)


@router.post("/c/{slug}/place")
async def keep_own(
    request: Request, viewer: Member, address: Text = "", district: Text = "", point: Text = ""
) -> Response:
    return await _keep(request, viewer, None, address, district, point)


@router.post("/c/{slug}/place/end")
async def forget_own(viewer: Member) -> Response:
    async with db.begin() as tx:
        await pick_up.forget(tx, viewer)
    return pages.back_to(f"{viewer.here.path}/place")


@router.get("/c/{slug}/tools/{tool_id}/place")
async def place_of_tool(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    return await _page(request, viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/place")
async def keep_of_tool(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    address: Text = "",
    district: Text = "",
    point: Text = "",
) -> Response:
    return await _keep(request, viewer, tool_id, address, district, point)


@router.post("/c/{slug}/tools/{tool_id}/place/end")
async def forget_of_tool(viewer: Member, tool_id: ToolKey) -> Response:
    async with db.begin() as tx:
        await pick_up.forget(tx, viewer, tool_id)
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}/place")


async def _keep(
    request: Request,
    viewer: Viewer,
    tool_id: int | None,
    address: str,
    district: str,
    point: str,
) -> Response:
    try:
        await throttle.spend(f"place:{viewer.person_id}", "place", limit="60/hour")
        text = PlaceText(address, _chosen(district), point)
        async with db.begin() as tx:
            await pick_up.keep(tx, text, viewer, clock.now(), tool_id)
    except Refusal as refusal:
        if refusal.status == 403:
            raise
        form = Typed.again(refusal, address=address, district=district, point=point)
        return await _page(request, viewer, tool_id, form)
    return pages.back_to(_path(viewer, tool_id))


def _chosen(typed: str) -> int | None:
    """A district's id; None if none was chosen. Raises Refusal."""
    if not typed:
        return None
    if (found := topic.number(typed)) is None:
        raise mistyped("district", "Choose one of the districts, or none.")
    return found


def _path(viewer: Viewer, tool_id: int | None) -> str:
    return f"{viewer.here.path}/{'place' if tool_id is None else f'tools/{tool_id}/place'}"


async def _page(
    request: Request, viewer: Viewer, tool_id: int | None, form: Typed | None = None
) -> Response:
    """Raises NotFound, or Refusal for another's tool, whether it has a place or not."""
    async with db.snapshot() as tx:
        tool = None if tool_id is None else await queries.tool_for(tx, viewer, tool_id)
        if tool is not None and (refusal := rules.why_not_edit(tool, viewer)):
            raise refusal
        place = await where.place_of(tx, viewer, tool_id)
        districts = await where.districts(tx, viewer.community_id)
        names = {one.id: one.name for one in districts}
        form = form or Typed(values=_values(place))
        return await pages.render(
            request,
            "tools/place.html",
            tx=tx,
            status=form.status,
            tool=_named(tool, viewer),
            place={
                "district": names.get(place.district_id or 0, ""),
                "measured": place.cell is not None,
            }
            if place
            else None,
            districts=[(str(one.id), one.name) for one in districts],
            longest=ADDRESS_LONGEST,
            form=form.to(_path(viewer, tool_id)),
        )


def _named(tool: Tool | None, viewer: Viewer) -> dict[str, str] | None:
    if tool is None:
        return None
    return {"name": tool.name, "path": f"{viewer.here.path}/tools/{tool.id}"}


def _values(place: Place | None) -> Mapping[str, str]:
    if place is None:
        return {}
    return {
        "address": place.address,
        "district": str(place.district_id or ""),
        "point": grid.typed(place.lat, place.lon),
    }
