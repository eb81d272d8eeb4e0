"""The page that looks through one's own rooms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from app import db, pages
from app.chat import search, timeline
from app.loans import talk
from app.people.doors import MemberEvenSuspended
from app.people.viewer import Viewer

router = APIRouter()
Birth = Annotated[int | None, Query(ge=0, lt=2**62)]


@router.get("/c/{slug}/rooms/search")
async def search_rooms(
    request: Request,
    viewer: MemberEvenSuspended,
    q: Annotated[str, Query(max_length=search.LONGEST)] = "",
    before: Birth = None,
) -> Response:
    """What was said in one's own rooms of this community, the newest first."""
    path = f"{viewer.here.path}/rooms/search"
    async with db.snapshot() as tx:
        rows = await search.found(tx, viewer, q, before=before)
        page = rows[: search.PAGE]
        names = await talk.tool_names(tx, viewer, {one.message.conversation_id for one in page})
        older = {"q": q, "before": page[-1].message.id if page else 0}
        return await pages.render(
            request,
            "chat/search.html",
            tx=tx,
            path=path,
            asked=q,
            found=[_found(one, viewer, names) for one in page],
            more=f"{path}?{urlencode(older)}" if len(rows) > len(page) else "",
            zone=viewer.here.zone,
        )


def _found(one: search.Found, viewer: Viewer, names: Mapping[int, str]) -> dict[str, object]:
    message = one.message
    room, mine = message.conversation_id, message.author_id == viewer.person_id
    return {
        "path": f"{timeline.path_of(viewer, room)}?at={message.id}#message-{message.id}",
        "author": "You" if mine else timeline.name_of(message),
        "words": one.words,
        "at": message.created_at,
        "tool_name": names.get(room, ""),
    }
