"""Reading conversations: messages since a revision, unread counts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import aliased, joinedload

from app.chat.models import Conversation, ConversationId, Message, MessageKind, Participant
from app.db import Tx
from app.people.models import Membership, Person, PersonId
from app.people.queries import IN_IT

PAGE = 200  # rows of one frame; more come as the newest page
OPENING = 50  # what a room opens with, and one page of its history
MANY = 100  # unread: more are not counted, nobody wants to know


async def participant(
    tx: Tx, community_id: int, conversation_id: int, person_id: int
) -> Participant | None:
    return await tx.get(Participant, (community_id, conversation_id, person_id))


async def rooms_of(
    tx: Tx, community_id: int, person_id: int, *, before: int | None = None, limit: int = OPENING
) -> Sequence[Conversation]:
    """The rooms of a person in one community, the newest first; at most `limit` + 1."""
    rows = await tx.scalars(
        select(Conversation)
        .join(
            Participant,
            and_(
                Participant.community_id == Conversation.community_id,
                Participant.conversation_id == Conversation.id,
            ),
        )
        .where(
            Participant.community_id == community_id,
            Participant.person_id == person_id,
            *([Conversation.id < before] if before is not None else []),
        )
        .order_by(Conversation.id.desc())
        .limit(limit + 1)
    )
    return rows.all()


async def participants_of(
    tx: Tx, community_id: int, conversation_id: ConversationId
) -> Sequence[int]:
    rows = await tx.scalars(
        select(Participant.person_id)
        .where(
            Participant.community_id == community_id,
            Participant.conversation_id == conversation_id,
        )
        .order_by(Participant.person_id)
    )
    return rows.all()


async def seen_by(
    tx: Tx, community_id: int, conversation_id: int, but: int
) -> list[tuple[str, int]]:
    """(name, seen up to) of everybody else in the room, the slowest reader first."""
    rows = await tx.execute(
        select(Person.name, Participant.seen_up_to)
        .join(Participant, Participant.person_id == Person.id)
        .where(
            Participant.community_id == community_id,
            Participant.conversation_id == conversation_id,
            Participant.person_id != but,
        )
        .order_by(Participant.seen_up_to, Person.id)
    )
    return [(name, up_to) for name, up_to in rows]


async def last_of(
    tx: Tx, community_id: int, conversation_id: int, person_id: int | None = None
) -> Message | None:
    """The last that this person, or anybody, has said here and not taken back."""
    return await tx.scalar(
        select(Message)
        .where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            *([Message.author_id == person_id] if person_id is not None else []),
            Message.kind != MessageKind.NOTE,
            Message.removed_at.is_(None),
        )
        .order_by(Message.born.desc())
        .limit(1)
    )


async def newest_revision(tx: Tx, community_id: int, conversation_id: int) -> int:
    revision = await tx.scalar(
        select(func.max(Message.revision)).where(
            Message.community_id == community_id, Message.conversation_id == conversation_id
        )
    )
    return revision or 0


async def newest(
    tx: Tx,
    community_id: int,
    conversation_id: int,
    *,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Message]:
    """The newest messages, oldest first; `before` pages back by birth."""
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            *([Message.born < before] if before is not None else []),
        )
        .order_by(Message.born.desc())
        .limit(limit)
    )
    return list(reversed(rows.all()))


async def changed_since(
    tx: Tx, community_id: int, conversation_id: int, since: int, *, after: int = 0
) -> list[Message]:
    """Messages born or edited after revision `since`, oldest first; at most PAGE + 1 rows.

    `after` is the birth of the last one of the page before.
    """
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            Message.revision > since,
            *([Message.born > after] if after else []),
        )
        .order_by(Message.born)
        .limit(PAGE + 1)
    )
    return list(rows.all())


async def message(
    tx: Tx, community_id: int, conversation_id: int, message_id: int, *, lock: bool = False
) -> Message | None:
    """One of this room's. `lock`: as it is now, until the end of the transaction."""
    found = (
        select(Message)
        .options(joinedload(Message.author))
        .where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            Message.id == message_id,
        )
    )
    if lock:
        found = found.with_for_update(of=Message).execution_options(populate_existing=True)
    return await tx.scalar(found)


async def first_unread(
    tx: Tx, community_id: int, conversation_id: int, person_id: int, seen_up_to: int
) -> Message | None:
    """The oldest line of somebody else that this person has not seen."""
    return await tx.scalar(
        select(Message)
        .where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            Message.born > seen_up_to,
            *_said_by_others(Message, person_id),
        )
        .order_by(Message.born)
        .limit(1)
    )


def _said_by_others(line: type[Message], person_id: int) -> tuple[ColumnElement[bool], ...]:
    """Where there is something to read: what was taken back is not waited for."""
    return (
        line.author_id.is_distinct_from(person_id),
        line.kind != MessageKind.NOTE,
        line.removed_at.is_(None),
    )


async def unread_by_room(tx: Tx, person_id: PersonId) -> dict[tuple[int, int], int]:
    """(community, conversation) → how many lines of others this person has not seen, to MANY.

    A line that is changed later is not unread again: what counts is when it was said.
    """
    seat = aliased(Participant)
    unread = (
        select(Message.id)
        .where(
            Message.community_id == seat.community_id,
            Message.conversation_id == seat.conversation_id,
            Message.born > seat.seen_up_to,
            *_said_by_others(Message, person_id),
        )
        .limit(MANY)
        .lateral()
    )
    rows = await tx.execute(
        select(seat.community_id, seat.conversation_id, func.count())
        .join(
            Membership,
            and_(
                Membership.community_id == seat.community_id,
                Membership.person_id == seat.person_id,
                Membership.status.in_(IN_IT),  # who has left finds no room to read it in
            ),
        )
        .join(unread, true())
        .where(seat.person_id == person_id)
        .group_by(seat.community_id, seat.conversation_id)
    )
    return {(community, room): count for community, room, count in rows}


async def last_lines(tx: Tx, person_id: PersonId) -> dict[tuple[int, int], Message]:
    """The last message of each of this person's rooms, however long they are."""
    seat, line = aliased(Participant), aliased(Message)
    newest = (
        select(line.id)
        .where(
            line.community_id == seat.community_id,
            line.conversation_id == seat.conversation_id,
        )
        .order_by(line.born.desc())
        .limit(1)
        .lateral()
    )
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .select_from(seat)
        .join(newest, true())
        .join(
            Message,
            and_(Message.community_id == seat.community_id, Message.id == newest.c.id),
        )
        .where(seat.person_id == person_id)
    )
    return {(line.community_id, line.conversation_id): line for line in rows}
