"""Rooms of questions when something around them changes: who lends the tool, or that it is lent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app import queue, topic
from app.chat import commands as chat
from app.chat import queries
from app.chat.models import Conversation, ConversationId
from app.db import Tx
from app.loans import kept, questions, talk
from app.loans.models import Loan
from app.notices import commands as notices
from app.people import blocks
from app.people.models import PersonId
from app.realtime import touch
from app.tools.models import Tool

SLEEP = "questions.sleep"


async def goes_on(tx: Tx, loan: Loan, now: datetime) -> None:
    """What was told of the question is told of the loan from now on; so it is with a mute."""
    here, room = loan.community_id, ConversationId(loan.conversation_id)
    begun = await tx.get_one(Conversation, (here, room))
    if begun.created_at == now:
        return  # a room of its own, of which nothing was told yet
    await queue.drop(tx, SLEEP, f"{here}/{room}")
    seated = await queries.participants_of(tx, here, room)
    await notices.move(tx, seated, here, topic.question(here, room), topic.loan(here, loan.id))


async def sleeps_later(tx: Tx, community_id: int, room_id: int, now: datetime) -> None:
    """Somebody has written: it is open for so long again, on every screen."""
    key = f"{community_id}/{room_id}"
    await queue.enqueue(tx, SLEEP, key, now + talk.READ_ONLY_AFTER, now)
    touch(tx, topic.question(community_id, room_id))


async def sleeps_sooner(tx: Tx, community_id: int, room_id: int, now: datetime) -> None:
    """What was said last is taken back: what was said before it counts; nothing, and it waits."""
    key = f"{community_id}/{room_id}"
    last = await queries.last_of(tx, community_id, room_id)
    if last is None:
        await queue.drop(tx, SLEEP, key)
    else:
        await queue.enqueue(tx, SLEEP, key, last.created_at + talk.READ_ONLY_AFTER, now)


async def sleep(tx: Tx, key: str, now: datetime) -> None:
    """A question's job, for the moment from which on it can only be read."""
    community_id, room_id = key.split("/")
    touch(tx, topic.question(int(community_id), int(room_id)))


async def seat_keeper(
    tx: Tx, tool: Tool, person_id: int, said: str, by: PersonId | None, now: datetime
) -> None:
    """One keeper more reads what is asked about the tool, but who may not meet the asker."""
    apart = await blocks.apart_from(tx, person_id)
    for room in await _open_about(tx, tool):
        if room.asker_id != person_id and room.asker_id not in apart:
            await _seat(tx, room, (person_id,), said, by, now)


async def unseat_keeper(tx: Tx, tool: Tool, person_id: int, said: str, now: datetime) -> None:
    """One keeper less. `tool.keepers` are the others by now, and somebody of them answers."""
    for room in await _open_about(tx, tool):
        if room.asker_id != person_id and await _unseat(tx, room, person_id, now):
            await _seat(tx, room, await kept.able(tx, tool, room.asker_id), said, None, now)


async def part(tx: Tx, one: int, other: int, now: datetime) -> None:
    """Of a block: a keeper leaves the room of who asked, if another keeper is there to answer."""
    for here, room_id in await questions.between(tx, one, other):
        room = await tx.get_one(Conversation, (here, room_id))
        seated = set(await queries.participants_of(tx, here, ConversationId(room_id)))
        if room.asker_id not in (one, other) or len(seated - {one, other}) == 0:
            continue
        await _unseat(tx, room, other if room.asker_id == one else one, now)


async def _open_about(tx: Tx, tool: Tool) -> Sequence[Conversation]:
    """By room, the order in which rooms are bumped."""
    rows = await tx.scalars(
        select(Conversation)
        .where(
            Conversation.community_id == tool.community_id,
            Conversation.tool_id == tool.id,
            Conversation.question,
        )
        .order_by(Conversation.id)
    )
    return rows.all()


async def _seat(
    tx: Tx, room: Conversation, people: Sequence[int], said: str, by: PersonId | None, now: datetime
) -> None:
    here, id = room.community_id, ConversationId(room.id)
    for person_id in people:
        await chat.join(tx, here, id, person_id)
    await chat.note(tx, here, id, said, by, now)
    touch(tx, topic.question(here, room.id))


async def _unseat(tx: Tx, room: Conversation, person_id: int, now: datetime) -> bool:
    """Whether they sat there. Nothing more of it comes to them by push or mail."""
    here, id = room.community_id, ConversationId(room.id)
    if await queries.participant(tx, here, room.id, person_id) is None:
        return False
    await chat.leave(tx, here, id, person_id)
    about = topic.question(here, room.id)
    await notices.mark_seen(tx, person_id, notices.EVERYTHING, now, about)
    touch(tx, about, topic.access(person_id))
    return True
