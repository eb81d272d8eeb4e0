"""Showing a message to coordinators: a copy is frozen, whatever its author does with it then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.sql import Select

from app import topic
from app.chat import queries, rules
from app.chat.models import ConversationId, Message, Participant, Report
from app.db import Tx
from app.errors import NotFound
from app.http.log import security
from app.notices import commands as notices
from app.notices.models import Kind
from app.people import queries as people
from app.people import rules as people_rules
from app.people.models import Role
from app.people.viewer import Viewer
from app.realtime import bump, touch

SHOWN = 100


async def report(
    tx: Tx, room_id: int, message_id: int, reason: str, by: Viewer, now: datetime
) -> Report:
    """Once for each message and person; a second time answers with the first.

    Raises NotFound for a stranger, Refusal for one's own words, for what has been taken back, and
    for a reason that is missing or too long.
    """
    here = by.community_id
    if await queries.participant(tx, here, room_id, by.person_id) is None:
        raise NotFound
    await bump(tx, topic.room(here, room_id))  # its author takes nothing back meanwhile
    message = await queries.message(tx, here, room_id, message_id, lock=True)
    if message is None:
        raise NotFound
    if found := await reported(tx, message, by.person_id):
        return found
    why = rules.check_reason(reason)
    if refusal := rules.why_not_report(message, by.person_id):
        raise refusal
    assert message.author_id is not None, "the rule has looked"
    made = Report(
        community_id=here,
        message_id=message.id,
        reporter_id=by.person_id,
        author_id=message.author_id,
        reason=why,
        words=message.body,
        photo_name=message.photo_name,
        said_at=message.created_at,
        created_at=now,
    )
    tx.add(made)
    await tx.flush()
    touch(tx, topic.reports(here))
    await _tell_coordinators(tx, made, room_id, by, now)
    security("reported", person=by.person_id, whose=message.author_id, community=here)
    return made


async def _tell_coordinators(tx: Tx, made: Report, room_id: int, by: Viewer, now: datetime) -> None:
    """Those who can judge it: nobody who is a party, or has a seat in that room."""
    here, room = made.community_id, ConversationId(room_id)
    helpers = await people.with_roles(tx, here, (Role.COORDINATOR, Role.ADMIN))
    seated = await queries.participants_of(tx, here, room)
    author = await people.person(tx, made.author_id)
    await notices.tell(
        tx,
        set(helpers) - {*seated, made.author_id},
        Kind.REPORTED,
        here,
        topic.reports(here),
        {"other": author.name, "reason": made.reason},
        now,
        by_id=by.person_id,
    )


async def settle(tx: Tx, report_id: int, outcome: str, by: Viewer, now: datetime) -> Report:
    """A coordinator who has no part in it says what came of it. The copy stays."""
    if refusal := people_rules.why_not_coordinate(by):
        raise refusal
    found = await tx.scalar(_for(by).where(Report.id == report_id).with_for_update(of=Report))
    if found is None:
        raise NotFound
    if found.settled_at is None:
        found.outcome = rules.check_reason(outcome)
        found.settled_at, found.settled_by = now, by.person_id
        await tx.flush()
        touch(tx, topic.reports(by.community_id))
    return found


async def reports_for(tx: Tx, by: Viewer, *, only: int | None = None) -> Sequence[Report]:
    """What is open, then what was settled, the newest first. None of rooms that are one's own."""
    found = _for(by).order_by(Report.settled_at.is_not(None), Report.id.desc()).limit(SHOWN)
    rows = await tx.scalars(found if only is None else found.where(Report.id == only))
    return rows.all()


def _for(by: Viewer) -> Select[Report]:
    """Nobody judges what was said in their own room."""
    seated = exists().where(
        and_(
            Participant.community_id == Message.community_id,
            Participant.conversation_id == Message.conversation_id,
            Participant.person_id == by.person_id,
        )
    )
    party = or_(Report.reporter_id == by.person_id, Report.author_id == by.person_id)
    return (
        select(Report)
        .join(
            Message,
            and_(Message.community_id == Report.community_id, Message.id == Report.message_id),
        )
        .options(joinedload(Report.reporter), joinedload(Report.author))
        .where(Report.community_id == by.community_id, ~seated, ~party)
    )


async def reported(tx: Tx, message: Message, person_id: int) -> Report | None:
    return await tx.scalar(
        select(Report).where(
            Report.community_id == message.community_id,
            Report.message_id == message.id,
            Report.reporter_id == person_id,
        )
    )
