"""Tools as a table: taking them along, and bringing them in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from app import db, pages
from app.http import throttle
from app.inventory import cells, columns, held_here, packing, taking_along
from app.people.doors import Member
from app.people.forms import Form
from app.people.viewer import Viewer

router = APIRouter()
SEPARATORS = {"comma": ",", "semicolon": ";"}


@router.get("/c/{slug}/inventory")
async def inventory(request: Request, viewer: Member) -> Response:
    return await inventory_page(request, viewer, Form())


@router.get("/c/{slug}/inventory/tools.csv")
async def table(
    viewer: Member,
    separator: Annotated[str, Query(pattern="^(comma|semicolon)$")] = "comma",
) -> Response:
    await throttle.spend(f"export:{viewer.person_id}", "export", limit="20/minute")
    async with db.snapshot() as tx:
        held = await held_here.exported_by(tx, viewer)
    content = taking_along.table(held, SEPARATORS[separator])
    return Response(content, media_type="text/csv; charset=utf-8", headers=_kept_as(viewer, "csv"))


@router.get("/c/{slug}/inventory/photos.zip")
async def photos(viewer: Member) -> Response:
    await throttle.spend(f"export:{viewer.person_id}", "export", limit="20/minute")
    async with db.snapshot() as tx:
        held = await held_here.exported_by(tx, viewer)
    pieces = packing.write(taking_along.files(held))
    return StreamingResponse(
        pieces, media_type="application/zip", headers=_kept_as(viewer, "zip", "photos")
    )


def _kept_as(viewer: Viewer, ending: str, what: str = "tools") -> dict[str, str]:
    name = f"{viewer.here.slug}-{what}.{ending}"
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",  # codes of key boxes stand in it
    }


async def inventory_page(request: Request, viewer: Viewer, form: Form) -> Response:
    async with db.snapshot() as tx:
        held = await held_here.exported_by(tx, viewer)
        return await pages.render(
            request,
            "inventory/page.html",
            tx=tx,
            status=form.status,
            home=f"{viewer.here.path}/inventory",
            tools=len(held),
            photos=sum(len(one.photos) for one in held),
            columns=columns.ALL,
            rows_most=cells.ROWS,
            form=form,
        )
