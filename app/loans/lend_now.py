"""Lend now: the neighbour stands at the door. To a member, or to somebody without an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import contains_eager

from app import clock, topic, words
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, mistyped
from app.loans import (
    asked,
    choosing,
    handover,
    kept,
    news,
    queries,
    questions,
    records,
    rules,
    screens,
)
from app.loans.commands import change
from app.loans.dates import why_not_unheld
from app.loans.models import Loan, LoanEvent
from app.loans.papers import Direction
from app.loans.states import Act, State, Who
from app.notices.models import Kind
from app.people import blocks, held
from app.people.models import Membership, Person, Status
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import availability, occupied
from app.tools import queries as tool_queries
from app.tools import rules as tool_rules
from app.tools.models import Tool, ToolStatus

LEND = "lend"  # how the story calls it: there was no state before
NAME_LONGEST = 80


@dataclass(frozen=True)
class Somebody:
    """Who gets it: a member by id, else a bare name."""

    person_id: int | None = None
    name: str = ""


async def lend(
    tx: Tx, tool_id: int, whom: Somebody, end: datetime, by: Viewer, now: datetime
) -> Loan:
    """A loan that is out at once, with a room of its own.

    Raises NotFound, Refusal, or Conflict (with what is free from now on) if it is promised.
    """
    borrower = await held.both(tx, whom.person_id, by)
    tool = await tool_queries.locked(tx, by.community_id, tool_id)
    if not tool_rules.sees(tool, by):
        raise NotFound
    apart = await blocks.between(tx, by.person_id, [whom.person_id])
    if refusal := why_not_lend(tool, by) or _why_not_to(borrower, whom, by, apart is not None):
        raise refusal
    if refusal := _why_not_until(tool, end, by, now):
        raise refusal
    name = "" if borrower else _check_name(whom.name)
    if chosen := await why_not_unheld(tx, tool, now, end, whom.person_id, now):
        raise chosen
    losers = await _losers(tx, tool, whom, end, now)
    before = await queries.holder(tx, tool.community_id, tool.id)
    if before is not None:
        if before.state != State.RETURN_CLAIMED:
            raise Conflict("The tool is still out.", "Confirm its return first.", code="out")
        await handover.come_back(tx, before, Act.TAKE_BACK, by, now)
    loan = await _write(tx, tool, whom.person_id, name, end, by, now)
    for each in losers:
        await change(tx, each, Act.SUPERSEDE, None, now)
    await _tell(tx, loan, by, now)
    return await queries.locked(tx, loan.community_id, loan.id)


def why_not_lend(tool: Tool, by: Viewer) -> Refusal | None:
    """Whether this person lends this tool out at the door."""
    if refusal := tool_rules.why_not_theirs(tool, by, "lend it at the door"):
        return refusal
    if tool.status not in (ToolStatus.LISTED, ToolStatus.PAUSED):
        return Refusal("This tool is not lent at the moment.", "Lend it again first.")
    return None


def tonight(by: Viewer, now: datetime) -> datetime:
    """Due unless somebody says otherwise: the end of the local day."""
    today = clock.local_day(now, by.here.zone)
    return clock.days(today, today, by.here.zone)[1]


async def neighbours(tx: Tx, by: Viewer) -> Sequence[Membership]:
    """To whom this person could lend, by name."""
    apart = await blocks.apart_from(tx, by.person_id)
    rows = await tx.scalars(
        select(Membership)
        .join(Membership.person)
        .options(contains_eager(Membership.person))
        .where(
            Membership.community_id == by.community_id,
            Membership.status == Status.ACTIVE,
            Membership.person_id != by.person_id,
            Membership.person_id.not_in(apart),
        )
        .order_by(Person.name, Person.id)
    )
    return rows.all()


def _why_not_to(
    borrower: Membership | None, whom: Somebody, by: Viewer, apart: bool
) -> Refusal | None:
    if whom.person_id is None:
        return None
    if whom.person_id == by.person_id:
        return mistyped("borrower", "That is you.", "Choose who gets it.")
    if borrower is None or borrower.status != Status.ACTIVE or apart:
        return mistyped("borrower", "They cannot borrow here now.", "Choose somebody else.")
    return None


def _why_not_until(tool: Tool, end: datetime, by: Viewer, now: datetime) -> Refusal | None:
    """At the door the lender decides on notice and hours; how long a loan may be stays a rule."""
    longest = tool.lending.longest_days
    if end <= now:
        return mistyped("end", "That has passed.", "Choose when it should be back.")
    if clock.started_days(now, end, by.here.zone) > longest:
        may = words.count(longest, "day", "days")
        return mistyped("end", f"A loan may have {may}.", "Choose fewer days.")
    return None


def _check_name(name: str) -> str:
    name = " ".join(tool_rules.clean(name).split())
    if not name:
        raise mistyped("name", "Who gets it?", "Choose a neighbour, or write a name.")
    if len(name) > NAME_LONGEST:
        raise mistyped("name", f"A name may have {NAME_LONGEST} characters.", "Shorten it.")
    return name


async def _losers(tx: Tx, tool: Tool, whom: Somebody, end: datetime, now: datetime) -> list[Loan]:
    """Requests for this time, by room; who asked themselves is answered, not lent to twice."""
    requests = await queries.requests_of(tx, tool.community_id, tool.id)
    found = [one for one in requests if one.start < end and now < one.end]
    if any(one.borrower_id == whom.person_id for one in found if whom.person_id is not None):
        raise Conflict("They have asked for this time already.", "Approve that, and hand it over.")
    return found


async def _write(
    tx: Tx, tool: Tool, person_id: int | None, name: str, end: datetime, by: Viewer, now: datetime
) -> Loan:
    others = await kept.beside(tx, tool, by.person_id, person_id)
    people = [one for one in (by.person_id, person_id, *others) if one is not None]
    loan = Loan(
        community_id=tool.community_id,
        tool_id=tool.id,
        borrower_id=person_id,
        borrower_name=name or None,
        lender_id=by.person_id,
        keepers=others,
        conversation_id=await questions.room_for(tx, tool, person_id, people, now),
        period=Range(now, end),
        price_cents=rules.price(tool, now, end, by.here),
        state=State.OUT,
        requested_at=now,
        expires_at=now,
        decided_at=now,
        out_at=now,
    )
    tx.add(loan)
    await tx.flush()
    try:
        await availability.claim(
            tx,
            tool.community_id,
            tool.id,
            Range(*choosing.blocks(tool.lending, now, end)),
            loan_id=loan.id,
            now=now,
            person_id=person_id,
        )
    except Conflict as taken:
        taken.sentence = "The tool is promised to somebody in that time."
        taken.free = await _free(tx, tool, now)
        starts_now = bool(taken.free) and taken.free[0][0] <= now
        taken.way_out = "Lend it for less time." if starts_now else "It is free later on."
        raise
    return loan


async def _free(tx: Tx, tool: Tool, now: datetime) -> list[tuple[datetime, datetime]]:
    busy = await occupied.busy(tx, tool.community_id, [tool.id], now)
    until = now + timedelta(days=tool.lending.horizon_days)
    return occupied.free_ranges(busy.get(tool.id, []), now, until)[:3]


async def _tell(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> None:
    tx.add(
        LoanEvent(
            community_id=loan.community_id,
            loan_id=loan.id,
            act=LEND,
            from_state=None,
            to_state=loan.state,
            by_id=by.person_id,
            reason="",
            at=now,
        )
    )
    loan = await queries.locked(tx, loan.community_id, loan.id)  # with the names of all
    until = words.until(loan.end, by.here.zone, by.here.locale, now)
    whom = loan.borrower.name if loan.borrower else loan.borrower_name
    room = ConversationId(loan.conversation_id)
    await asked.goes_on(tx, loan, now)
    told = f"{by.name} lent it to {whom}, until {until}."
    await chat.note(tx, loan.community_id, room, told, by.person_id, now)
    await records.pressed(tx, loan, Direction.OUT, by.person_id, now, now)
    await news.tell(tx, loan, Kind.LENT, Who.BORROWER, now, by=by)
    await news.plan(tx, loan, now)
    touch(tx, topic.writing(loan.community_id, loan.id))
    touch(tx, topic.delivered(loan.community_id, loan.id))
    screens.show(tx, loan)
