"""A question about a tool before any request: a room of the two that their next loan takes over."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.sql import Select

from app import topic
from app.chat import commands as chat
from app.chat import queries, timeline
from app.chat.models import Conversation, ConversationId, Message, Participant
from app.db import Tx
from app.loans import kept, rules
from app.loans.models import Loan
from app.loans.states import OPEN
from app.notices import commands as notices
from app.people import queries as people
from app.people.models import Person
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import keepers
from app.tools import queries as tool_queries
from app.tools.models import Tool


async def asked_in(tx: Tx, tool_id: int, by: Viewer, client_id: uuid.UUID) -> int | None:
    """The room in which this very question has been asked already."""
    return await tx.scalar(
        select(Message.conversation_id)
        .join(
            Conversation,
            and_(
                Conversation.community_id == Message.community_id,
                Conversation.id == Message.conversation_id,
            ),
        )
        .where(
            Conversation.community_id == by.community_id,
            Conversation.tool_id == tool_id,
            Conversation.asker_id == by.person_id,
            Message.author_id == by.person_id,
            Message.client_id == client_id,
        )
    )


async def room_to_ask(tx: Tx, tool_id: int, by: Viewer, now: datetime) -> ConversationId:
    """The room in which the two talk about the tool now; else a new one.

    Raises NotFound for a tool the viewer may not see, Refusal as a request would.
    """
    tool = await tool_queries.tool_for(tx, by, tool_id)
    await people.still_in(tx, by)
    await tool_queries.locked(tx, by.community_id, tool_id)
    apart = await keepers.between(tx, by.person_id, tool)
    if refusal := rules.why_not_ask(tool, by, apart):
        raise refusal
    lender_id, others = await kept.lenders_for(tx, tool, by.person_id)
    here, me = by.community_id, by.person_id
    room = await _of_open_loan(tx, tool, me) or await _open(tx, tool, me)
    if room is None:
        before = await _last(tx, tool, me)
        everybody = (me, lender_id, *others)
        room = await chat.open_for(
            tx, here, everybody, now, tool_id=tool.id, asker_id=me, question=True, after_id=before
        )
        touch(tx, topic.question(here, room))
    return ConversationId(room)


async def room_for(
    tx: Tx, tool: Tool, borrower_id: int | None, with_whom: Iterable[int], now: datetime
) -> ConversationId:
    """The room of a new loan: the one of the borrower's question, or one of its own.

    Whoever makes a loan holds the tool's row, as `ask` does.
    """
    here, everybody = tool.community_id, tuple(with_whom)
    room = await _open(tx, tool, borrower_id) if borrower_id is not None else None
    if room is None:
        before = await _last(tx, tool, borrower_id) if borrower_id is not None else None
        return await chat.open_for(
            tx, here, everybody, now, tool_id=tool.id, asker_id=borrower_id, after_id=before
        )
    asked = await tx.get_one(Conversation, (here, room))
    asked.question = False
    seated = await queries.participants_of(tx, here, ConversationId(room))
    for person_id in set(seated) - set(everybody):  # it may be lent by others than it was
        await chat.leave(tx, here, ConversationId(room), person_id)
        about = topic.question(here, room)
        await notices.mark_seen(tx, person_id, notices.EVERYTHING, now, about)
    for person_id in everybody:
        await chat.join(tx, here, ConversationId(room), person_id)
    touch(tx, topic.question(here, room))
    return ConversationId(room)


async def _of_open_loan(tx: Tx, tool: Tool, asker_id: int) -> int | None:
    return await tx.scalar(
        select(Loan.conversation_id)
        .where(
            Loan.community_id == tool.community_id,
            Loan.tool_id == tool.id,
            Loan.borrower_id == asker_id,
            Loan.state.in_(OPEN),
        )
        .order_by(Loan.id.desc())
        .limit(1)
    )


async def _open(tx: Tx, tool: Tool, asker_id: int) -> int | None:
    return await tx.scalar(_talks(tool, asker_id).where(Conversation.question))


async def _last(tx: Tx, tool: Tool, asker_id: int) -> int | None:
    return await tx.scalar(_talks(tool, asker_id).order_by(Conversation.id.desc()).limit(1))


def _talks(tool: Tool, asker_id: int) -> Select[int]:
    return select(Conversation.id).where(
        Conversation.community_id == tool.community_id,
        Conversation.tool_id == tool.id,
        Conversation.asker_id == asker_id,
    )


@dataclass(frozen=True)
class Question:
    """A room of a question, as one of its people sees it: keepers talk with who has asked."""

    conversation: Conversation
    tool: Tool
    others: Sequence[tuple[int, str]]

    @property
    def room_id(self) -> int:
        return self.conversation.id

    @property
    def with_whom(self) -> str:
        return " and ".join(name for _, name in self.others) or "nobody"


async def questions_of(
    tx: Tx,
    person_id: int,
    *,
    only: tuple[int, int] | None = None,
    before: int | None = None,
    limit: int = 200,
) -> Sequence[Question]:
    """The newest of a person's rooms that belong to no loan; `only` one (community, room).

    `before` pages by room.
    """
    asked = (
        select(Conversation, Tool)
        .join(
            Participant,
            and_(
                Participant.community_id == Conversation.community_id,
                Participant.conversation_id == Conversation.id,
            ),
        )
        .join(
            Tool,
            and_(Tool.community_id == Conversation.community_id, Tool.id == Conversation.tool_id),
        )
        .options(joinedload(Tool.photo), joinedload(Tool.category))
        .where(Participant.person_id == person_id, Conversation.question)
        .order_by(Conversation.id.desc())
        .limit(limit)
    )
    if before is not None:
        asked = asked.where(Conversation.id < before)
    if only:
        asked = asked.where(Conversation.community_id == only[0], Conversation.id == only[1])
    found = [(conversation, tool) for conversation, tool in await tx.execute(asked)]
    names = await _others(tx, [(one.community_id, one.id) for one, _ in found], person_id)
    return [
        Question(one, tool, _opposite(one, names.get(one.id, ()), person_id)) for one, tool in found
    ]


def _opposite(
    room: Conversation, others: Sequence[tuple[int, str]], person_id: int
) -> Sequence[tuple[int, str]]:
    """The other side: who lends it; for each of those only who has asked."""
    if room.asker_id == person_id:
        return others
    return [one for one in others if one[0] == room.asker_id]


async def _others(
    tx: Tx, rooms: Sequence[tuple[int, int]], but: int
) -> dict[int, list[tuple[int, str]]]:
    """Room → (id, name) of everybody else in it; `rooms` as the index has them."""
    if not rooms:
        return {}
    seat = tuple_(Participant.community_id, Participant.conversation_id)
    rows = await tx.execute(
        select(Participant.conversation_id, Person.id, Person.name)
        .join(Person, Person.id == Participant.person_id)
        .where(seat.in_(rooms), Participant.person_id != but)
        .order_by(Person.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for room, person_id, name in rows:
        found.setdefault(room, []).append((person_id, name))
    return found


async def between(tx: Tx, one: int, other: int) -> Sequence[tuple[int, int]]:
    """(community, room) of the questions in which both can write."""
    first, second = aliased(Participant), aliased(Participant)
    same = and_(
        first.community_id == second.community_id,
        first.conversation_id == second.conversation_id,
    )
    rows = await tx.execute(
        select(Conversation.community_id, Conversation.id)
        .join(
            first,
            and_(
                first.community_id == Conversation.community_id,
                first.conversation_id == Conversation.id,
            ),
        )
        .join(second, same)
        .where(first.person_id == one, second.person_id == other, Conversation.question)
    )
    return [(community_id, room) for community_id, room in rows]


async def before(tx: Tx, community_id: int, room_id: int, person_id: int) -> int | None:
    """The room in which the two have talked about the same tool before, if it is theirs still."""
    room = await tx.get(Conversation, (community_id, room_id))
    if room is None or room.after_id is None:
        return None
    seat = await queries.participant(tx, community_id, room.after_id, person_id)
    return seat.conversation_id if seat else None


async def later(tx: Tx, community_id: int, room_id: int, person_id: int) -> int | None:
    """The one in which they went on after this."""
    room = await tx.get(Conversation, (community_id, room_id))
    if room is None or room.tool_id is None:
        return None
    return await tx.scalar(
        select(Participant.conversation_id)
        .join(
            Conversation,
            and_(
                Conversation.community_id == Participant.community_id,
                Conversation.id == Participant.conversation_id,
            ),
        )
        .where(
            Participant.person_id == person_id,
            Conversation.community_id == community_id,
            Conversation.tool_id == room.tool_id,
            Conversation.asker_id == room.asker_id,
            Conversation.after_id == room_id,
        )
        .order_by(Conversation.id)
        .limit(1)
    )


async def beside(tx: Tx, viewer: Viewer, room_id: int) -> dict[str, Any]:
    """The ways to what the two said about the same tool before and later, "" for none."""
    at = (viewer.community_id, room_id, viewer.person_id)
    rooms = {"before_path": await before(tx, *at), "later_path": await later(tx, *at)}
    return {name: timeline.path_of(viewer, one) if one else "" for name, one in rooms.items()}
