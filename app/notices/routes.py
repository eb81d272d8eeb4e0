"""The page of one's notices, having seen them, and muting a room."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response

from app import clock, db, pages, topic
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.http import problems
from app.loans import queries as loans
from app.loans import talk
from app.notices import commands, preferences, preferring, pushing, queries, telling, unsubscribing
from app.people.doors import MemberEvenSuspended
from app.people.viewer import Viewer

router = APIRouter()
router.include_router(preferring.router)
router.include_router(unsubscribing.router)
router.include_router(pushing.router)
Key = Annotated[int, Path(ge=1, lt=2**62)]
KIND_OF = {folder: kind for kind, folder in telling.PAGES.items()}


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
    request: Request,
    viewer: MemberEvenSuspended,
    up_to: Annotated[int, Form(ge=0, lt=commands.EVERYTHING)] = 0,
    about: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Everything up to this notice has been on the viewer's screen; or what a page is about."""
    subject = _subject(about, viewer)
    async with db.begin() as tx:
        if subject:
            await commands.mark_seen(
                tx, viewer.person_id, commands.EVERYTHING, clock.now(), subject
            )
        else:
            await commands.mark_seen(tx, viewer.person_id, up_to, clock.now())
    if problems.is_htmx(request) or request.headers.get("Accept") == "*/*":
        return Response(status_code=204)
    return pages.back_to(f"{viewer.here.path}/notices")


def _subject(path: str, viewer: Viewer) -> str:
    """What the page of this path is about; nothing of it is asked for, notices are one's own."""
    found = re.fullmatch(rf"{re.escape(viewer.here.path)}/([a-z]+)(/[0-9]{{1,18}})?", path)
    if found is None or found[1] not in KIND_OF:
        return ""
    return f"{viewer.here.scope}/{KIND_OF[found[1]]}{found[2] or ''}"


@router.post("/c/{slug}/rooms/{room_id}/mute")
async def mute_room(viewer: MemberEvenSuspended, room_id: Key) -> Response:
    """Of a question as well; where a loan goes on in it, it is that which is muted."""
    async with db.begin() as tx:
        await preferences.mute(tx, viewer, await _about(tx, viewer, room_id), clock.now())
    return pages.back_to(f"{viewer.here.path}/rooms/{room_id}")


@router.post("/c/{slug}/rooms/{room_id}/mute/end")
async def unmute_room(viewer: MemberEvenSuspended, room_id: Key) -> Response:
    async with db.begin() as tx:
        await preferences.unmute(tx, viewer, await _about(tx, viewer, room_id))
    return pages.back_to(f"{viewer.here.path}/rooms/{room_id}")


async def _about(tx: db.Tx, viewer: Viewer, room_id: int) -> str:
    """Raises NotFound for a room that is not theirs."""
    room = ConversationId(room_id)
    await chat.check_seat(tx, viewer.community_id, room, viewer.person_id)
    return await talk.subject_of(tx, viewer.community_id, room_id)


@router.post("/c/{slug}/loans/{loan_id}/mute")
async def mute(viewer: MemberEvenSuspended, loan_id: Key) -> Response:
    async with db.begin() as tx:
        loan = await loans.loan_for(tx, viewer, loan_id)
        subject = topic.loan(loan.community_id, loan.id)
        await preferences.mute(tx, viewer, subject, clock.now())
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")


@router.post("/c/{slug}/loans/{loan_id}/mute/end")
async def unmute(viewer: MemberEvenSuspended, loan_id: Key) -> Response:
    async with db.begin() as tx:
        loan = await loans.loan_for(tx, viewer, loan_id)
        await preferences.unmute(tx, viewer, topic.loan(loan.community_id, loan.id))
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")
