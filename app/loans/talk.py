"""Whether somebody can write in a room: what the loan it belongs to says about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, select

from app import topic
from app.chat import queries as chat
from app.chat.models import Conversation, ConversationId
from app.db import Tx
from app.errors import Refusal
from app.loans import kept, queries, rules
from app.loans.models import Loan
from app.people import blocks
from app.people import rules as people
from app.people.viewer import Apart, Viewer
from app.tools.models import Tool

READ_ONLY_AFTER = timedelta(days=30)


def why_not_write(loan: Loan, by: Viewer, now: datetime) -> Refusal | None:
    """Long after its end a room can only be read; before that, what every loan asks."""
    if loan.ended_at is not None and now >= loan.ended_at + READ_ONLY_AFTER:
        return Refusal(
            "This loan ended more than 30 days ago, so its room can only be read.",
            "Ask for the tool again: that opens a room of its own.",
            status=403,
            code="over",
        )
    return rules.why_not_write(loan, by)


async def loan_in(tx: Tx, community_id: int, room_id: int) -> Loan | None:
    """The loan that a room belongs to, with everything its page shows."""
    return await tx.scalar(
        queries.with_all().where(Loan.community_id == community_id, Loan.conversation_id == room_id)
    )


async def why_not_write_in(
    tx: Tx,
    room_id: int,
    by: Viewer,
    now: datetime,
    loan: Loan | None = None,
    *,
    wakes: bool = False,
) -> Refusal | None:
    """Why somebody of this room cannot write in it; `loan` spares whoever has it a query.

    `wakes`: a question asked anew, which opens a room that has gone to sleep.
    """
    loan = loan or await loan_in(tx, by.community_id, room_id)
    if loan is not None:
        shut = why_not_write(loan, by, now)
    elif by.suspended:
        shut = Refusal("Your membership is suspended.", "Ask a coordinator.", status=403)
    else:
        shut = None if wakes else await _why_not_asleep(tx, room_id, by, now)
    return shut or people.why_not_write_to(await _apart(tx, room_id, loan, by))


async def _why_not_asleep(tx: Tx, room_id: int, by: Viewer, now: datetime) -> Refusal | None:
    """A question that nobody has written about for long can only be read."""
    last = await chat.last_of(tx, by.community_id, room_id)
    if last is None or now < last.created_at + READ_ONLY_AFTER:
        return None
    room = await tx.get(Conversation, (by.community_id, room_id))
    mine = room is not None and room.asker_id == by.person_id
    return Refusal(
        "Nobody has written here for 30 days, so this question can only be read.",
        "Ask again on the page of the tool: that opens it."
        if mine
        else "When they ask again, it opens.",
        status=403,
        code="over",
    )


async def _apart(tx: Tx, room_id: int, loan: Loan | None, by: Viewer) -> Apart | None:
    """The block that keeps somebody from the whole other side of a room.

    A mediator keeps it open for two who blocked each other.
    """
    if loan is not None:
        return None if loan.mediator_id else await kept.between(tx, by.person_id, loan)
    seated = await chat.participants_of(tx, by.community_id, ConversationId(room_id))
    return await blocks.from_each(tx, by.person_id, seated)


async def subject_of(tx: Tx, community_id: int, room_id: int) -> str:
    """What notices of a room are about: its loan, or the question that is all there is yet."""
    loan_id = await tx.scalar(
        select(Loan.id).where(Loan.community_id == community_id, Loan.conversation_id == room_id)
    )
    if loan_id is None:
        return topic.question(community_id, room_id)
    return topic.loan(community_id, loan_id)


async def tool_names(tx: Tx, by: Viewer, rooms: Collection[int]) -> dict[int, str]:
    """What is talked about in each of these rooms."""
    rows = await tx.execute(
        select(Conversation.id, Tool.name)
        .join(
            Tool,
            and_(Tool.community_id == Conversation.community_id, Tool.id == Conversation.tool_id),
        )
        .where(Conversation.community_id == by.community_id, Conversation.id.in_(rooms))
    )
    return dict(rows.all())


async def loans_of(tx: Tx, by: Viewer, rooms: Collection[int]) -> dict[int, int]:
    """Room → the loan that it belongs to; a question's is in none."""
    rows = await tx.execute(
        select(Loan.conversation_id, Loan.id).where(
            Loan.community_id == by.community_id, Loan.conversation_id.in_(rooms)
        )
    )
    return dict(rows.all())


async def shut(tx: Tx, since: datetime, until: datetime) -> Sequence[tuple[int, int]]:
    """(community, loan) of those whose room has become read-only within (since, until]."""
    rows = await tx.execute(
        select(Loan.community_id, Loan.id).where(
            Loan.ended_at > since - READ_ONLY_AFTER, Loan.ended_at <= until - READ_ONLY_AFTER
        )
    )
    return [(community_id, loan_id) for community_id, loan_id in rows]
