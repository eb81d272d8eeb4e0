"""Opening a conversation, saying something in it, and having seen it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app import topic
from app.chat import queries, rules
from app.chat.models import (
    Conversation,
    ConversationId,
    Message,
    MessageKind,
    Participant,
    Picture,
)
from app.db import Tx
from app.errors import NotFound, Refusal
from app.people.models import PersonId
from app.realtime import bump, touch


async def open_for(
    tx: Tx,
    community_id: int,
    people: Iterable[int],
    now: datetime,
    *,
    tool_id: int | None = None,
    asker_id: int | None = None,
    question: bool = False,
    after_id: int | None = None,
) -> ConversationId:
    """A new conversation between exactly these people, about a tool. See `Conversation`."""
    conversation = Conversation(
        community_id=community_id,
        created_at=now,
        tool_id=tool_id,
        asker_id=asker_id,
        question=question,
        after_id=after_id,
    )
    tx.add(conversation)
    await tx.flush()
    tx.add_all(
        Participant(community_id=community_id, conversation_id=conversation.id, person_id=person_id)
        for person_id in people
    )
    await tx.flush()
    return ConversationId(conversation.id)


async def join(tx: Tx, community_id: int, conversation_id: ConversationId, person_id: int) -> None:
    """One more reads and writes here, from the beginning on."""
    row = insert(Participant).values(
        community_id=community_id,
        conversation_id=conversation_id,
        person_id=person_id,
        seen_up_to=0,
    )
    await tx.execute(row.on_conflict_do_nothing())
    touch(tx, topic.rooms(person_id), topic.unread(person_id))
    touch(tx, topic.seen(community_id, conversation_id))
    touch(tx, topic.reports(community_id))  # nobody judges what was said in their own room


async def leave(tx: Tx, community_id: int, conversation_id: ConversationId, person_id: int) -> None:
    """Reads and writes here no more; what was said stays."""
    seat = await queries.participant(tx, community_id, conversation_id, person_id)
    if seat is not None:
        await tx.delete(seat)
        await tx.flush()
    touch(tx, topic.rooms(person_id), topic.unread(person_id))
    touch(tx, topic.seen(community_id, conversation_id), topic.reports(community_id))


async def say(
    tx: Tx,
    community_id: int,
    conversation_id: ConversationId,
    by: PersonId,
    text: str,
    client_id: uuid.UUID,
    now: datetime,
    quotes: int | None = None,
    picture: Picture | None = None,
) -> Message:
    """One message; the same `client_id` again answers with the message there already is.

    `quotes`: the message of this room that it refers to; a `picture` needs no words.
    Raises NotFound for a stranger, Refusal for an empty or overlong text, or (409) for other words
    under the same id. Whether somebody can write here at all is asked before (`loans.saying`).
    """
    await check_seat(tx, community_id, conversation_id, by)
    body = rules.clean(text)
    if refusal := rules.why_not_say(body, participant=True, photo=picture is not None):
        raise refusal
    # The bump takes the room's row lock, so a retry in flight at once waits here and finds it.
    revision = await bump(tx, topic.room(community_id, conversation_id))
    if said := await said_before(tx, community_id, conversation_id, by, body, client_id):
        return said
    quoted = quotes and await queries.message(tx, community_id, conversation_id, quotes)
    message = await _write(
        tx,
        community_id,
        conversation_id,
        revision,
        MessageKind.TEXT,
        by,
        body,
        client_id,
        now,
        quotes_id=quoted.id if quoted else None,
        picture=picture,
    )
    await _see(tx, community_id, conversation_id, by, revision)
    return message


async def check_seat(
    tx: Tx, community_id: int, conversation_id: ConversationId, by: PersonId
) -> None:
    """Raises NotFound for a stranger."""
    if await queries.participant(tx, community_id, conversation_id, by) is None:
        raise NotFound


async def said_before(
    tx: Tx,
    community_id: int,
    conversation_id: ConversationId,
    by: PersonId,
    text: str,
    client_id: uuid.UUID,
) -> Message | None:
    """The message of this `client_id`. Raises Refusal (409) where it had other words."""
    said = await tx.scalar(
        select(Message).where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            Message.author_id == by,
            Message.client_id == client_id,
        )
    )
    if said is not None and said.edited_at is None and said.removed_at is None:
        _refuse_other_words(said, rules.clean(text))
    return said


def _refuse_other_words(said: Message, body: str) -> None:
    if said.body != body:  # sent, then changed: the first answer was lost
        raise Refusal(
            "Your first words have arrived already.",
            "Send these once more if they should follow.",
            code="said",
        )


async def note(
    tx: Tx,
    community_id: int,
    conversation_id: ConversationId,
    text: str,
    by: PersonId | None,
    now: datetime,
    *,
    change_id: int | None = None,
) -> Message:
    """A line of the system: what happened, and by whom (None: by itself).

    With `change_id` it is the card of other dates for the loan; `renew` draws that anew.
    """
    revision = await bump(tx, topic.room(community_id, conversation_id))
    kind, room = MessageKind.NOTE, conversation_id
    return await _write(
        tx, community_id, room, revision, kind, by, text, None, now, change_id=change_id
    )


async def renew(tx: Tx, community_id: int, conversation_id: ConversationId, change_id: int) -> None:
    """The card of these dates looks different from now on."""
    revision = await bump(tx, topic.room(community_id, conversation_id))
    await tx.execute(
        update(Message)
        .where(Message.community_id == community_id, Message.change_id == change_id)
        .values(revision=revision)
        .execution_options(synchronize_session=False)
    )


async def mark_seen(
    tx: Tx, community_id: int, conversation_id: ConversationId, by: PersonId, up_to: int
) -> None:
    """The person has seen everything up to this revision; it never goes back.

    A revision from the future counts as the newest there is.
    """
    await check_seat(tx, community_id, conversation_id, by)
    newest = await queries.newest_revision(tx, community_id, conversation_id)
    await _see(tx, community_id, conversation_id, by, min(up_to, newest))


async def _see(
    tx: Tx, community_id: int, conversation_id: ConversationId, by: PersonId, up_to: int
) -> None:
    moved = await tx.execute(
        update(Participant)
        .where(
            Participant.community_id == community_id,
            Participant.conversation_id == conversation_id,
            Participant.person_id == by,
            Participant.seen_up_to < up_to,
        )
        .values(seen_up_to=up_to)
        .returning(Participant.person_id)
    )
    if moved.first() is not None:
        touch(tx, topic.unread(by), topic.rooms(by), topic.seen(community_id, conversation_id))


async def _write(
    tx: Tx,
    community_id: int,
    conversation_id: ConversationId,
    revision: int,
    kind: MessageKind,
    by: PersonId | None,
    body: str,
    client_id: uuid.UUID | None,
    now: datetime,
    *,
    quotes_id: int | None = None,
    picture: Picture | None = None,
    change_id: int | None = None,
) -> Message:
    message = Message(
        community_id=community_id,
        conversation_id=conversation_id,
        author_id=by,
        kind=kind,
        body=body,
        client_id=client_id,
        born=revision,
        revision=revision,
        created_at=now,
        quotes_id=quotes_id,
        change_id=change_id,
    )
    if picture is not None:
        message.photo_name, message.photo_width, message.photo_height = picture
    tx.add(message)
    await tx.flush()
    touch(tx, topic.seen(community_id, conversation_id))
    for person_id in await queries.participants_of(tx, community_id, conversation_id):
        touch(tx, topic.rooms(person_id))
        if person_id != by and kind is MessageKind.TEXT:
            touch(tx, topic.unread(person_id))
    return message
