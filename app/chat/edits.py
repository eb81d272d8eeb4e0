"""Changing what one has said, for a while, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update

from app import topic
from app.chat import queries, rules
from app.chat.models import ConversationId, Message, Picture, Report
from app.db import Tx
from app.errors import NotFound, Refusal
from app.people.models import PersonId
from app.realtime import bump, touch


async def edit(
    tx: Tx,
    community_id: int,
    conversation_id: ConversationId,
    by: PersonId,
    message_id: int,
    text: str,
    now: datetime,
) -> Message:
    """Other words for 15 minutes. The same words again change nothing.

    Raises NotFound for a stranger, Refusal for somebody else's message, too late, or a bad text.
    """
    body = rules.clean(text)

    def why_not(message: Message) -> Refusal | None:
        shown = message.photo_name is not None
        too_late = rules.why_not_edit(message, by, now)
        return too_late or rules.why_not_say(body, participant=True, photo=shown)

    message, revision = await _mine(tx, community_id, conversation_id, by, message_id, why_not)
    if message.body != body:
        message.body, message.edited_at = body, now
        await _show(tx, message, revision)
    return message


async def remove(
    tx: Tx,
    community_id: int,
    conversation_id: ConversationId,
    by: PersonId,
    message_id: int,
    now: datetime,
) -> tuple[Message, Picture | None]:
    """Its words are gone from the row; that there was a message stays. Twice is once.

    With the photo that nothing names any more.
    """

    def why_not(message: Message) -> Refusal | None:
        gone = message.removed_at is not None and message.author_id == by
        return None if gone else rules.why_not_remove(message, by)

    message, revision = await _mine(tx, community_id, conversation_id, by, message_id, why_not)
    picture = None
    if message.removed_at is None:
        if not await reported(tx, message):
            picture = message.picture
        message.body, message.removed_at = "", now
        message.photo_name = message.photo_width = message.photo_height = None
        await _show(tx, message, revision)
    return message, picture


async def reported(tx: Tx, message: Message) -> bool:
    """Whether somebody has shown it to the coordinators, who keep its photo."""
    return bool(
        await tx.scalar(
            select(Report.id)
            .where(Report.community_id == message.community_id, Report.message_id == message.id)
            .limit(1)
        )
    )


async def _mine(
    tx: Tx,
    community_id: int,
    conversation_id: ConversationId,
    by: PersonId,
    message_id: int,
    why_not: Callable[[Message], Refusal | None],
) -> tuple[Message, int]:
    """The message under lock, and its next revision. The room is locked first, as by `say`."""
    if await queries.participant(tx, community_id, conversation_id, by) is None:
        raise NotFound
    revision = await bump(tx, topic.room(community_id, conversation_id))
    message = await queries.message(tx, community_id, conversation_id, message_id, lock=True)
    if message is None:
        raise NotFound
    if refusal := why_not(message):
        raise refusal
    return message, revision


async def _show(tx: Tx, message: Message, revision: int) -> None:
    """On every screen, with those that quote it."""
    here, room = message.community_id, message.conversation_id
    message.revision = revision
    await tx.flush()
    await tx.execute(
        update(Message)
        .where(Message.community_id == here, Message.quotes_id == message.id)
        .values(revision=revision)
        .execution_options(synchronize_session=False)
    )
    touch(tx, topic.seen(here, room))
    for person_id in await queries.participants_of(tx, here, ConversationId(room)):
        touch(tx, topic.rooms(person_id), topic.unread(person_id))
