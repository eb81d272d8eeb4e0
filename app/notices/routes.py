"""The page of one's notices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app import clock, db, pages, topic
from app.http import problems
from app.notices import commands, queries
from app.people.doors import MemberEvenSuspended

router = APIRouter()


@router.get("/c/{slug}/notices")
async def notices(request: Request, viewer: MemberEvenSuspended) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.notices(viewer.person_id))
        found = await queries.notices_of(tx, viewer.person_id, limit=1)
        return await pages.render(
            request,
            "notices/page.html",
            tx=tx,
            notices_html=html,
            newest=found[0].id if found else 0,
        )


@router.post("/c/{slug}/notices/seen")
async def seen(
    request: Request, viewer: MemberEvenSuspended, up_to: Annotated[int, Form(ge=0, lt=2**62)]
) -> Response:
    """Everything up to this notice has been on the viewer's screen."""
    async with db.begin() as tx:
        await commands.mark_seen(tx, viewer.person_id, up_to, clock.now())
    if problems.is_htmx(request) or request.headers.get("Accept") == "*/*":
        return Response(status_code=204)
    return pages.back_to(f"{viewer.here.path}/notices")
