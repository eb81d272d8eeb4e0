"""What neighbours say to each other, as JSON: by loan, or by room."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import joinedload

from app import clock, db
from app.chat import commands, queries, search
from app.chat.models import ConversationId, Message
from app.chat.shapes import (
    FoundOut,
    MessageOut,
    MessagesAsked,
    NewMessage,
    OtherWords,
    ReadAsked,
    RoomOut,
    WordsAsked,
    message_out,
)
from app.http import idempotency, throttle
from app.http.schemas import (
    ID_LIMIT,
    Key,
    Listed,
    LoanKey,
    Named,
    Paged,
    cursor_after,
    problems,
)
from app.loans import news, saying, talk
from app.loans import queries as loans
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Viewer

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["rooms"])
RoomKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[19])]
MessageKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[913])]
Asked = Annotated[MessagesAsked, Query()]


@api.get(
    "/loans/{loan_id}/messages", summary="What was said, oldest first", responses=problems(422)
)
async def messages(
    viewer: ApiMemberEvenSuspended, loan_id: LoanKey, asked: Asked
) -> Listed[MessageOut]:
    """Only for borrower and lender."""
    async with db.snapshot() as tx:
        loan = await loans.loan_for(tx, viewer, loan_id)
        return await _listed(tx, viewer, loan.conversation_id, asked)


@api.post(
    "/loans/{loan_id}/messages",
    status_code=201,
    summary="Say something",
    responses=problems(409, 422, 429),
)
async def say(
    request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, new: NewMessage, key: Key
) -> MessageOut:
    """Only for borrower and lender."""
    await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
    async with db.begin() as tx:
        loan = await loans.loan_for(tx, viewer, loan_id)
        return await _say(tx, request, viewer, loan.conversation_id, new, key)


@api.get("/rooms", summary="My rooms, the newest first", responses=problems(422))
async def my_rooms(
    viewer: ApiMemberEvenSuspended, asked: Annotated[Paged, Query()]
) -> Listed[RoomOut]:
    here, me = viewer.here, viewer.person_id
    async with db.snapshot() as tx:
        found = await queries.rooms_of(tx, here.id, me, before=asked.cursor, limit=asked.limit)
        page = found[: asked.limit]
        ids = [one.id for one in page]
        names = await talk.tool_names(tx, viewer, ids)
        loan_ids = await talk.loans_of(tx, viewer, ids)
        unread = await queries.unread_by_room(tx, me)
        last = await queries.last_lines(tx, me)
    items = [
        RoomOut(
            id=one.id,
            tool=Named(id=one.tool_id, name=names[one.id]) if one.tool_id else None,
            loan_id=loan_ids.get(one.id),
            unread=unread.get((here.id, one.id), 0),
            last=message_out(line, here) if (line := last.get((here.id, one.id))) else None,
        )
        for one in page
    ]
    return Listed(items=items, next=cursor_after(ids[-1]) if len(found) > len(page) else None)


@api.get("/rooms/{room_id}/messages", summary="What was said in a room", responses=problems(422))
async def messages_of_room(
    viewer: ApiMemberEvenSuspended, room_id: RoomKey, asked: Asked
) -> Listed[MessageOut]:
    """Oldest first; only for those whose room it is."""
    async with db.snapshot() as tx:
        await _seat(tx, viewer, room_id)
        return await _listed(tx, viewer, room_id, asked)


@api.post(
    "/rooms/{room_id}/messages",
    status_code=201,
    summary="Say something in a room",
    responses=problems(409, 422, 429),
)
async def say_in_room(
    request: Request, viewer: ApiMemberEvenSuspended, room_id: RoomKey, new: NewMessage, key: Key
) -> MessageOut:
    """Only for those whose room it is."""
    await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
    async with db.begin() as tx:
        await _seat(tx, viewer, room_id)
        return await _say(tx, request, viewer, room_id, new, key)


@api.post(
    "/rooms/{room_id}/seen",
    status_code=204,
    summary="You have read it so far",
    responses=problems(422),
)
async def seen_in_room(viewer: ApiMemberEvenSuspended, room_id: RoomKey, read: ReadAsked) -> None:
    """Its other people see that; it never goes back."""
    async with db.begin() as tx:
        here, room = viewer.community_id, ConversationId(room_id)
        await commands.mark_seen(tx, here, room, viewer.person_id, read.up_to)
        await news.room_seen(tx, room_id, viewer, clock.now())


@api.get("/messages", summary="Search what was said in my rooms", responses=problems(422))
async def search_messages(
    viewer: ApiMemberEvenSuspended, asked: Annotated[WordsAsked, Query()]
) -> Listed[FoundOut]:
    """The newest first. Each word must be somewhere in a message, in whatever case."""
    async with db.snapshot() as tx:
        rows = await search.found(tx, viewer, asked.q, before=asked.cursor, limit=asked.limit)
    page = rows[: asked.limit]
    return Listed(
        items=[
            FoundOut(
                room_id=one.message.conversation_id, message=message_out(one.message, viewer.here)
            )
            for one in page
        ],
        next=cursor_after(page[-1].message.id) if len(rows) > len(page) else None,
    )


@api.patch(
    "/rooms/{room_id}/messages/{message_id}",
    summary="Change what one has said",
    responses=problems(409, 422, 429),
)
async def change_message(
    viewer: ApiMemberEvenSuspended, room_id: RoomKey, message_id: MessageKey, new: OtherWords
) -> MessageOut:
    """Its author can, for 15 minutes."""
    await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
    async with db.begin() as tx:
        message = await saying.change(tx, room_id, message_id, new.body, viewer, clock.now())
        return message_out(message, viewer.here)


@api.delete(
    "/rooms/{room_id}/messages/{message_id}",
    summary="Take back what one has said",
    responses=problems(409),
)
async def take_back_message(
    viewer: ApiMemberEvenSuspended, room_id: RoomKey, message_id: MessageKey
) -> MessageOut:
    """Its words are gone; that there was a message stays."""
    async with db.begin() as tx:
        now = clock.now()
        message = await saying.take_back(tx, room_id, message_id, viewer, now)
        gone = message_out(message, viewer.here)
    return gone


async def _seat(tx: db.Tx, viewer: Viewer, room_id: int) -> None:
    await commands.check_seat(tx, viewer.community_id, ConversationId(room_id), viewer.person_id)


async def _listed(
    tx: db.Tx, viewer: Viewer, room_id: int, asked: MessagesAsked
) -> Listed[MessageOut]:
    found = await queries.changed_since(
        tx, viewer.community_id, room_id, asked.since, after=asked.cursor or 0
    )
    page = found[: asked.limit]
    return Listed(
        items=[message_out(message, viewer.here) for message in page],
        next=cursor_after(page[-1].born) if len(found) > len(page) else None,
    )


async def _say(
    tx: db.Tx, request: Request, viewer: Viewer, room_id: int, new: NewMessage, key: str | None
) -> MessageOut:
    here, me = viewer.community_id, viewer.person_id
    done = await idempotency.recall(tx, me, request, key, new)
    if done is None:
        now, named = clock.now(), new.client_id or uuid.uuid4()
        said = await saying.say(tx, room_id, new.body, viewer, now, named, quotes=new.quotes)
        done = {"message_id": said.id}
        await idempotency.keep(tx, me, request, key, new, done)
    message = await tx.get_one(
        Message,
        (here, done["message_id"]),
        options=[joinedload(Message.author)],
        populate_existing=True,
    )
    return message_out(message, viewer.here)
