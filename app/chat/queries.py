"""Reading conversations: messages since a revision, unread counts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import joinedload

from app.chat.models import ConversationId, Message, MessageKind, Participant
from app.db import Tx
from app.people.models import Membership, PersonId
from app.people.queries import IN_IT

PAGE = 200


async def participant(
    tx: Tx, community_id: int, conversation_id: int, person_id: int
) -> Participant | None:
    return await tx.get(Participant, (community_id, conversation_id, person_id))


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
    tx: Tx, community_id: int, conversation_id: int, since: int
) -> list[Message]:
    """Messages born or edited after revision `since`, oldest first; at most PAGE + 1 rows."""
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            Message.revision > since,
        )
        .order_by(Message.born)
        .limit(PAGE + 1)
    )
    return list(rows.all())


async def unread_by_room(tx: Tx, person_id: PersonId) -> dict[tuple[int, int], int]:
    """(community, conversation) → how many lines of others this person has not seen."""
    rows = await tx.execute(
        select(Message.community_id, Message.conversation_id, func.count())
        .join(
            Participant,
            and_(
                Participant.community_id == Message.community_id,
                Participant.conversation_id == Message.conversation_id,
            ),
        )
        .join(
            Membership,
            and_(
                Membership.community_id == Participant.community_id,
                Membership.person_id == Participant.person_id,
                Membership.status.in_(IN_IT),  # who has left finds no room to read it in
            ),
        )
        .where(
            Participant.person_id == person_id,
            Message.revision > Participant.seen_up_to,
            Message.author_id.is_distinct_from(person_id),
            Message.kind == MessageKind.TEXT,
        )
        .group_by(Message.community_id, Message.conversation_id)
    )
    return {(community, room): count for community, room, count in rows}


async def last_lines(tx: Tx, person_id: PersonId) -> dict[tuple[int, int], Message]:
    """The last message of each of this person's rooms."""
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .join(
            Participant,
            and_(
                Participant.community_id == Message.community_id,
                Participant.conversation_id == Message.conversation_id,
                Participant.person_id == person_id,
            ),
        )
        .ext(distinct_on(Message.community_id, Message.conversation_id))
        .order_by(Message.community_id, Message.conversation_id, Message.born.desc())
    )
    return {(line.community_id, line.conversation_id): line for line in rows}
