"""The districts as coordinators name them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi import Form as Field

from app import db, pages
from app.errors import Refusal
from app.http.schemas import ID_LIMIT
from app.people.doors import Coordinator
from app.people.forms import Form
from app.people.viewer import Viewer
from app.tools import districts, grid, where

router = APIRouter()
DistrictKey = Annotated[int, Path(ge=1, lt=ID_LIMIT)]
Typed = Annotated[str, Field(max_length=200)]


@router.get("/c/{slug}/districts")
async def shown(request: Request, viewer: Coordinator) -> Response:
    return await _page(request, viewer, Form(), 0)


@router.post("/c/{slug}/districts")
async def add(
    request: Request, viewer: Coordinator, name: Typed = "", point: Typed = ""
) -> Response:
    try:
        async with db.begin() as tx:
            await districts.add(tx, name, point, viewer)
    except Refusal as refusal:
        return await _page(request, viewer, Form.again(refusal, name=name, point=point), 0)
    return pages.back_to(f"{viewer.here.path}/districts")


@router.post("/c/{slug}/districts/{district_id}")
async def change(
    request: Request,
    viewer: Coordinator,
    district_id: DistrictKey,
    name: Typed = "",
    point: Typed = "",
) -> Response:
    try:
        async with db.begin() as tx:
            await districts.change(tx, district_id, name, point, viewer)
    except Refusal as refusal:
        form = Form.again(refusal, name=name, point=point)
        return await _page(request, viewer, form, district_id)
    return pages.back_to(f"{viewer.here.path}/districts#district-{district_id}")


@router.post("/c/{slug}/districts/{district_id}/end")
async def remove(viewer: Coordinator, district_id: DistrictKey) -> Response:
    async with db.begin() as tx:
        await districts.remove(tx, district_id, viewer)
    return pages.back_to(f"{viewer.here.path}/districts")


async def _page(request: Request, viewer: Viewer, form: Form, about: int) -> Response:
    """`about`: the district whose form it is; 0 is the one for a new one."""
    path = f"{viewer.here.path}/districts"
    async with db.snapshot() as tx:
        found = await where.districts(tx, viewer.community_id)
        return await pages.render(
            request,
            "tools/districts.html",
            tx=tx,
            status=form.status,
            districts=[
                {
                    "id": one.id,
                    "name": one.name,
                    "point": grid.typed(one.lat, one.lon),
                    "path": f"{path}/{one.id}",
                }
                for one in found
            ],
            about=about,
            form=form.to(path),
        )
