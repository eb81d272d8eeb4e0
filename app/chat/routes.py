"""A room's own doors: its pages of lines, saying something, one message, and what was seen."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app import clock, db, pages, topic
from app.chat import (
    commands,
    company,
    finding,
    queries,
    reports,
    rules,
    timeline,
    wording,
)
from app.chat.models import ConversationId, Message, MessageKind
from app.chat.timeline import Where
from app.errors import NotFound, Refusal, mistyped
from app.http import problems, throttle
from app.http.again import typed_again
from app.loans import cards, news, questions, saying, talk
from app.members import blocks as member_blocks
from app.notices import preferences
from app.people import blocks
from app.people.doors import MemberEvenSuspended
from app.people.forms import Form as Typed
from app.people.viewer import Viewer

router = APIRouter()
router.include_router(finding.router)  # before the numbers
Key = Annotated[int, Path(ge=1, lt=2**62)]
Birth = Annotated[int | None, Query(ge=0, lt=2**62)]


async def _seat(tx: db.Tx, viewer: Viewer, room_id: int) -> None:
    """Whoever has a seat in a room reads it; for all others it is not there."""
    await commands.check_seat(tx, viewer.community_id, ConversationId(room_id), viewer.person_id)


@router.get("/c/{slug}/rooms/{room_id}")
async def room(
    request: Request,
    viewer: MemberEvenSuspended,
    room_id: Key,
    before: Birth = None,
    after: Birth = None,
    at: Birth = None,
    answer: Birth = None,
) -> Response:
    """A question's own page; else on to the page of the loan."""
    async with db.snapshot() as tx:
        await _seat(tx, viewer, room_id)
        there = await _page_of(tx, viewer, room_id)
    if there != timeline.path_of(viewer, room_id):
        query = f"?{request.url.query}" if request.url.query else ""
        return pages.back_to(f"{there}{query}")
    form = Typed(values={"quotes": str(answer or "")})
    return await _question(request, viewer, room_id, form, Where(at, before, after))


async def _question(
    request: Request, viewer: Viewer, room_id: int, form: Typed, where: Where
) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        found = await questions.questions_of(tx, viewer.person_id, only=(here.id, room_id))
        if not found:
            raise NotFound
        (asked,) = found
        tool, path = asked.tool, timeline.path_of(viewer, room_id)
        other = asked.others[0][0] if asked.others else None
        apart = await blocks.between(tx, viewer.person_id, [other])
        quotes = form.values.get("quotes", "")
        return await pages.render(
            request,
            "chat/page.html",
            tx=tx,
            status=form.status,
            question={
                "tool_name": tool.name,
                "tool_path": f"{here.path}/tools/{tool.id}",
                "photo_url": f"{here.path}/photos/{tool.photo.name}-480.webp"
                if tool.photo
                else None,
                "icon": tool.category.icon,
                "mine": asked.conversation.asker_id != viewer.person_id,
            },
            other_name=asked.with_whom,
            block=await member_blocks.button(
                tx, viewer, other, asked.with_whom, apart, pages.fresh_key(), path
            ),
            **await questions.beside(tx, viewer, room_id),
            writing_html=await pages.region(request, tx, topic.question(here.id, room_id)),
            seen_html=await pages.region(request, tx, topic.seen(here.id, room_id)),
            **await company.of_other(tx, viewer, other if len(asked.others) == 1 else None),
            muted=await preferences.is_muted(
                tx, here.id, viewer.person_id, topic.question(here.id, room_id)
            ),
            talk=await timeline.opened(tx, viewer, room_id, path, where, cards.cards),
            composer={
                "client_id": uuid.uuid4(),
                "body": form.values.get("body", ""),
                "error": " ".join(form.errors.values()),
                "quoted": await timeline.quotable(
                    tx, viewer, room_id, int(quotes) if quotes else None
                ),
            },
        )


async def _page_of(tx: db.Tx, viewer: Viewer, room_id: int) -> str:
    """Where a room is seen: on its loan's page, or on its own while there is no loan."""
    loan = await talk.loan_in(tx, viewer.community_id, room_id)
    if loan is not None:
        return f"{viewer.here.path}/loans/{loan.id}"
    return timeline.path_of(viewer, room_id)


@router.post("/c/{slug}/rooms/{room_id}/messages")
async def say(
    request: Request,
    viewer: MemberEvenSuspended,
    room_id: Key,
    body: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    quotes: Annotated[int | None, Form(ge=1, lt=2**62)] = None,
) -> Response:
    """The client id makes a retry the same message; each drawn form brings a fresh one."""
    async with db.snapshot() as tx:
        await _seat(tx, viewer, room_id)
        there = await _page_of(tx, viewer, room_id)
    try:
        await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
        said = await _say(viewer, room_id, body, client_id, quotes)
    except Refusal as refusal:
        if problems.wants_json(request):  # the page keeps the words, and says why
            raise
        if there != timeline.path_of(viewer, room_id):  # a loan goes on with the room meanwhile
            label = "Your message"
            return await typed_again(request, refusal, body, field="body", label=label, back=there)
        form = Typed.again(refusal, body=body, quotes=str(quotes or ""))
        return await _question(request, viewer, room_id, form, Where())
    if problems.wants_json(request):
        return JSONResponse({"id": said.id, "revision": said.revision}, 201)
    return pages.back_to(there)


async def _say(
    viewer: Viewer, room_id: int, body: str, client_id: str, quotes: int | None
) -> Message:
    try:
        named = uuid.UUID(client_id) if client_id else uuid.uuid4()
    except ValueError:
        raise mistyped("client_id", "This form is broken.", "Reload the page.") from None
    async with db.begin() as tx:
        return await saying.say(tx, room_id, body, viewer, clock.now(), named, quotes=quotes)


@router.get("/c/{slug}/rooms/{room_id}/lines")
async def lines(
    viewer: MemberEvenSuspended, room_id: Key, before: Birth = None, after: Birth = None
) -> Response:
    """One page of a room's lines alone, for a page that shows the others already."""
    async with db.snapshot() as tx:
        there = timeline.path_of(viewer, room_id)
        found = await timeline.opened(
            tx, viewer, room_id, there, Where(None, before, after), cards.cards
        )
        return HTMLResponse(pages.partial("chat/_room.html", talk=found))


@router.post("/c/{slug}/rooms/{room_id}/seen", status_code=204)
async def seen(
    viewer: MemberEvenSuspended,
    room_id: Key,
    up_to: Annotated[int, Form(ge=0, lt=2**62)],
) -> None:
    """Everything up to this version of the room has been on the viewer's screen."""
    async with db.begin() as tx:
        room = ConversationId(room_id)
        await commands.mark_seen(tx, viewer.community_id, room, viewer.person_id, up_to)
        await news.room_seen(tx, room_id, viewer, clock.now())


@router.get("/c/{slug}/rooms/{room_id}/messages/{message_id}")
async def message(
    request: Request, viewer: MemberEvenSuspended, room_id: Key, message_id: Key
) -> Response:
    """One message, and what its reader can do with it."""
    return await _message(request, viewer, room_id, message_id, Typed())


async def _message(
    request: Request, viewer: Viewer, room_id: int, message_id: int, form: Typed
) -> Response:
    now = clock.now()
    async with db.snapshot() as tx:
        await _seat(tx, viewer, room_id)
        found = await queries.message(tx, viewer.community_id, room_id, message_id)
        if found is None or found.kind == MessageKind.NOTE:
            raise NotFound
        shut = await talk.why_not_write_in(tx, room_id, viewer, now)
        mine = found.author_id == viewer.person_id
        return await pages.render(
            request,
            "chat/message.html",
            tx=tx,
            status=form.status,
            page=await _page_of(tx, viewer, room_id),
            path=f"{timeline.path_of(viewer, room_id)}/messages/{message_id}",
            message=found,
            author="You" if mine else timeline.name_of(found),
            body=wording.linked(found.body),
            mine=mine,
            reported=await reports.reported(tx, found, viewer.person_id) is not None,
            why_not_edit=shut or rules.why_not_edit(found, viewer.person_id, now),
            why_not_answer=shut,
            form=form,
            zone=viewer.here.zone,
        )


@router.post("/c/{slug}/rooms/{room_id}/messages/{message_id}/edit")
async def edit(
    request: Request,
    viewer: MemberEvenSuspended,
    room_id: Key,
    message_id: Key,
    body: Annotated[str, Form()] = "",
) -> Response:
    try:
        await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
        async with db.begin() as tx:
            await saying.change(tx, room_id, message_id, body, viewer, clock.now())
            there = await _page_of(tx, viewer, room_id)
    except Refusal as refusal:
        if problems.wants_json(request):
            raise
        form = Typed.again(refusal, body=body)
        return await _message(request, viewer, room_id, message_id, form)
    return _back(request, there, message_id)


@router.post("/c/{slug}/rooms/{room_id}/messages/{message_id}/removal")
async def remove(
    request: Request, viewer: MemberEvenSuspended, room_id: Key, message_id: Key
) -> Response:
    """One's own words can be taken back for as long as they stand there."""
    async with db.begin() as tx:
        await _seat(tx, viewer, room_id)
        there = await _page_of(tx, viewer, room_id)
        await saying.take_back(tx, room_id, message_id, viewer, clock.now())
    return _back(request, there, message_id)


def _back(request: Request, there: str, message_id: int) -> Response:
    if problems.wants_json(request):
        return Response(status_code=204)
    return pages.back_to(f"{there}?at={message_id}#message-{message_id}")
