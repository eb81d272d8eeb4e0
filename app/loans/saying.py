"""Saying something in a room: the one way for every door, be it a page, a program or a photo."""

from __future__ import annotations

import uuid
from datetime import datetime

from app import topic
from app.chat import commands as chat
from app.chat import edits, queries
from app.chat.models import ConversationId, Message, Picture
from app.db import Tx
from app.loans import asked, news, questions, talk
from app.notices import commands as notices
from app.people.viewer import Viewer
from app.tools import album, photos
from app.tools.photos import Stored


async def say(
    tx: Tx,
    room_id: int,
    text: str,
    by: Viewer,
    now: datetime,
    client_id: uuid.UUID,
    *,
    quotes: int | None = None,
    picture: Stored | None = None,
    wakes: bool = False,
) -> Message:
    """One message, of which the others are told; `client_id` again is the message there is.

    That is asked first: who could write then and cannot any more hears what came of it. Raises
    NotFound for a stranger, Refusal as `chat.say` does, and where nobody can write any more.
    """
    here, me, room = by.community_id, by.person_id, ConversationId(room_id)
    if said := await chat.said_before(tx, here, room, me, text, client_id):
        return said
    loan = await talk.loan_in(tx, here, room_id)
    await chat.check_seat(tx, here, room, me)
    if refusal := await talk.why_not_write_in(tx, room_id, by, now, loan, wakes=wakes):
        raise refusal
    shown = Picture(picture.name, picture.width, picture.height) if picture else None
    said = await chat.say(tx, here, room, me, text, client_id, now, quotes, shown)
    if picture and said.photo_name == picture.name:
        await photos.keep(tx, picture, here, now)
    if said.created_at == now:  # not a second time, by a retry in flight at once
        await news.of_room(tx, room_id, by, now, loan)
        if loan is None:
            await asked.sleeps_later(tx, here, room_id, now)
    return said


async def ask(
    tx: Tx, tool_id: int, text: str, by: Viewer, now: datetime, client_id: uuid.UUID
) -> Message:
    """A question about a tool, in the room where the two talk of it now; else that opens one.

    Raises NotFound for a tool the viewer may not see, Refusal as a request would.
    """
    room = await questions.asked_in(tx, tool_id, by, client_id)
    if room is None:
        room = await questions.room_to_ask(tx, tool_id, by, now)
    return await say(tx, room, text, by, now, client_id, wakes=True)


async def change(
    tx: Tx, room_id: int, message_id: int, text: str, by: Viewer, now: datetime
) -> Message:
    """Other words for what one has said, while one can write there. See `edits.edit`."""
    here, me, room = by.community_id, by.person_id, ConversationId(room_id)
    await chat.check_seat(tx, here, room, me)
    if refusal := await talk.why_not_write_in(tx, room_id, by, now):
        raise refusal
    return await edits.edit(tx, here, room, me, message_id, text, now)


async def take_back(tx: Tx, room_id: int, message_id: int, by: Viewer, now: datetime) -> Message:
    """Its words are gone, also where one can write no more, and its photo. See `edits.remove`.

    Whoever has nothing left to read there is not told of it by push or mail any more.
    """
    here, room = by.community_id, ConversationId(room_id)
    gone, picture = await edits.remove(tx, here, room, by.person_id, message_id, now)
    if picture is not None:
        await album.goes(tx, here, picture.name, now)
    done = []
    for person_id in await queries.participants_of(tx, here, room):
        seat = await queries.participant(tx, here, room_id, person_id)
        up_to = seat.seen_up_to if seat else 0
        if await queries.first_unread(tx, here, room_id, person_id, up_to) is None:
            done.append(person_id)
    about = await talk.subject_of(tx, here, room_id)
    if about == topic.question(here, room_id):
        await asked.sleeps_sooner(tx, here, room_id, now)
    await notices.words_are_gone(tx, done, here, about, now)
    return gone
