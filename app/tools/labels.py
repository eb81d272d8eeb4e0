"""Labels to stick on tools: a QR code of the tool's page. A label grants nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import segno
from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from sqlalchemy import func, or_

from app import db, pages
from app.errors import NotFound
from app.people.doors import Member
from app.people.viewer import Viewer
from app.tools import keepers, queries, rules
from app.tools.models import Tool, ToolStatus

router = APIRouter()
MOST = 240  # ten sheets
Chosen = Annotated[list[Annotated[int, Query(ge=1, lt=2**62)]], Query(max_length=MOST)]


@router.get("/c/{slug}/labels")
async def labels(request: Request, viewer: Member, tool: Chosen = []) -> Response:  # noqa: B006
    """Which tools to choose from; with tools in the address, their labels on sheets of A4."""
    async with db.snapshot() as tx:
        mine = await _to_label(tx, viewer)
        wanted = set(tool)
        chosen = [one for one in mine if one.id in wanted]
        if len(chosen) < len(wanted):
            raise NotFound
        return await pages.render(
            request,
            "tools/labels.html",
            tx=tx,
            tools=[_choice(one, viewer, one.id in wanted or not wanted) for one in mine[:MOST]],
            labels=[_label(request, one, viewer) for one in chosen],
            post=f"{viewer.here.path}/labels",
        )


async def _to_label(tx: db.Tx, viewer: Viewer) -> Sequence[Tool]:
    """What the viewer lends; for coordinators also what belongs to the community."""
    theirs = keepers.lent_by(viewer.person_id)
    if viewer.is_coordinator:
        theirs = or_(theirs, Tool.owner_id.is_(None))
    rows = await tx.scalars(
        queries.with_all()
        .where(Tool.community_id == viewer.community_id, theirs)
        .where(Tool.status != ToolStatus.ARCHIVED)
        .order_by(Tool.owner_id.is_(None), func.lower(Tool.name), Tool.id)
    )
    return [one for one in rows if rules.sees(one, viewer)]


def _choice(tool: Tool, viewer: Viewer, checked: bool) -> dict[str, object]:
    return {
        "id": tool.id,
        "name": tool.name,
        "whose": "" if tool.owner_id == viewer.person_id else viewer.here.name,
        "checked": checked,
    }


def _label(request: Request, tool: Tool, viewer: Viewer) -> dict[str, object]:
    path = f"{viewer.here.path}/tools/{tool.id}"
    root = pages.root(request)
    return {
        "name": tool.name,
        "whose": tool.owner.name if tool.owner else viewer.here.name,
        "address": f"{root}{path}".partition("//")[2],
        "code": _drawn(f"{root}{path}?label=1"),
    }


def _drawn(address: str) -> Markup:
    """The code as a picture inside the page: a sheet of many is one request."""
    code = segno.make(address, error="m", micro=False)
    svg: str = code.svg_inline(
        border=2, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return pages.drawn(svg)
