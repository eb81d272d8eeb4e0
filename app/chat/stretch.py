"""What the page of a room asks besides its newest lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload

from app.chat.models import Message
from app.chat.queries import OPENING
from app.db import Tx


async def after(
    tx: Tx, community_id: int, conversation_id: int, born: int, limit: int = OPENING
) -> list[Message]:
    """The messages that follow a birth, oldest first."""
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            Message.born > born,
        )
        .order_by(Message.born)
        .limit(limit)
    )
    return list(rows.all())


async def has_photo(tx: Tx, community_id: int, conversation_id: int, name: str) -> bool:
    """Whether a message of this room shows it."""
    found = await tx.scalar(
        select(Message.id).where(
            Message.community_id == community_id,
            Message.conversation_id == conversation_id,
            Message.photo_name == name,
        )
    )
    return found is not None


async def above_each(tx: Tx, community_id: int, messages: Sequence[Message]) -> dict[int, datetime]:
    """When the line above each of these was written; nothing for the first of a room."""
    line, above = aliased(Message), aliased(Message)
    written = (
        select(above.created_at)
        .where(
            above.community_id == line.community_id,
            above.conversation_id == line.conversation_id,
            above.born < line.born,
        )
        .order_by(above.born.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(line.id, written).where(
            line.community_id == community_id, line.id.in_([one.id for one in messages])
        )
    )
    return {message_id: at for message_id, at in rows if at is not None}


async def quoted_by(tx: Tx, community_id: int, messages: Sequence[Message]) -> dict[int, Message]:
    """The messages that these refer to, by id."""
    ids = {one.quotes_id for one in messages if one.quotes_id is not None}
    if not ids:
        return {}
    rows = await tx.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .where(Message.community_id == community_id, Message.id.in_(ids))
    )
    return {one.id: one for one in rows}
