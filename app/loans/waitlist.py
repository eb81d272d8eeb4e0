"""Waiting for a tool: joining the line and leaving it, and answering an offer.

Everything here holds the tool's row: so the order is kept, and an offer is answered once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app import clock
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, Span
from app.loans import commands, offers, queries, rules, turns, waits
from app.loans.models import Loan
from app.notices.models import Kind
from app.people import queries as people
from app.people.viewer import Viewer
from app.tools import availability, keepers
from app.tools import queries as tool_queries
from app.tools.models import Tool
from app.tools.wishes import Outcome, Wish


async def join(
    tx: Tx,
    tool_id: int,
    by: Viewer,
    now: datetime,
    *,
    period: Span | None = None,
    days: int | None = None,
) -> Wish:
    """Waits for these dates, or for any `days` in a row. Raises NotFound, Refusal or Conflict."""
    tool, line = await _line_of(tx, tool_id, by)
    apart = await keepers.between(tx, by.person_id, tool)
    if period is not None:
        refusal = rules.why_not_request(tool, *period, by, apart, now)
    else:
        wrong = turns.why_not_days(days or 0, tool.lending, by.here, now)
        refusal = rules.why_not_ask(tool, by, apart) or wrong
    if refusal:
        raise refusal
    if any(wish.person_id == by.person_id for wish in line):
        raise Conflict("You wait for this tool already.", "Look at your place.", code="state")
    wish = Wish(
        community_id=by.community_id,
        tool_id=tool_id,
        person_id=by.person_id,
        period=Range(*period) if period else None,
        days=None if period else days,
        turn=max((one.turn for one in line), default=0) + 1,
        asked_at=now,
        outcome=Outcome.OPEN,
    )
    taken = await waits.taken(tx, by.here, tool_id, now)
    if refusal := turns.why_not_wait(wish, line, taken, by.here, now):
        raise refusal
    tx.add(wish)
    await tx.flush()
    await offers.show(tx, tool, [*line, wish])
    return wish


async def join_like(tx: Tx, tool_id: int, loan_id: int, by: Viewer, now: datetime) -> Wish:
    """Waits for the dates that one has asked for in vain."""
    loan = await queries.loan_for(tx, by, loan_id)
    if loan.tool_id != tool_id or loan.borrower_id != by.person_id:
        raise NotFound
    return await join(tx, tool_id, by, now, period=(loan.start, loan.end))


async def leave(tx: Tx, tool_id: int, by: Viewer, now: datetime) -> Tool:
    """Waits no more; what was offered goes to the next. A second time it changes nothing."""
    tool, line = await _line_of(tx, tool_id, by)
    mine = offers.of(line, by.person_id)
    if mine is not None:
        await offers.end(tx, mine, Outcome.LEFT, now)
        await offers.show(tx, tool, line)
    return tool


async def accept(
    tx: Tx, tool_id: int, by: Viewer, now: datetime, *, accept_safety: bool = False
) -> Loan:
    """The offer becomes a request, and its dates stay blocked until that is answered."""
    tool, line = await _line_of(tx, tool_id, by)
    wish = offers.of(line, by.person_id)
    if refusal := turns.why_not_offered(wish, now):
        raise refusal
    assert wish is not None, "who has no wish was refused"
    assert wish.offer is not None, "nor who has no offer"
    start, end = turns.as_said(wish, wish.offer, by.here)
    today = clock.day_start(clock.local_day(now, by.here.zone), by.here.zone)
    loan = await commands.request(
        tx,
        tool_id,
        max(start, today),
        end,
        by,
        now,
        accept_safety=accept_safety,
        offered=True,
    )
    wish.outcome, wish.ended_at = Outcome.TAKEN, now
    wish.offered = wish.offered_until = None
    await tx.flush()
    await offers.show(tx, tool, line)
    return loan


async def decline(tx: Tx, tool_id: int, by: Viewer, now: datetime) -> Tool:
    """Not these dates: they go to the next. Who waits for any days keeps the place."""
    tool, line = await _line_of(tx, tool_id, by)
    wish = offers.of(line, by.person_id)
    if refusal := turns.why_not_offered(wish, now):
        raise refusal
    assert wish is not None, "who has no wish was refused"
    await offers.pass_on(tx, wish, by.here, now)
    await offers.show(tx, tool, line)
    return tool


async def move(
    tx: Tx, tool_id: int, person_id: int, place: int, by: Viewer, now: datetime, reason: str
) -> Tool:
    """A coordinator puts somebody at another place, from 1 on, and says why: both are told."""
    tool, line = await _line_of(tx, tool_id, by)
    if refusal := turns.why_not_move(line, person_id, by):
        raise refusal
    if not (reason := rules.check_reason(reason)):
        raise Refusal(
            "They waited in this order: say why you change it.",
            "Write a sentence as the reason.",
            status=422,
            field_name="reason",
        )
    moved = offers.of(line, person_id)
    assert moved is not None, "who does not wait was refused"
    order = [wish for wish in line if wish is not moved]
    order.insert(min(max(place, 1), len(line)) - 1, moved)
    for turn, wish in enumerate(order, 1):
        wish.turn = turn
    await tx.flush()
    facts = {"place": str(order.index(moved) + 1), "reason": reason, "other": moved.person.name}
    await offers.tell(tx, tool, (person_id,), Kind.MOVED_IN_LINE, facts, now, by)
    await offers.tell(tx, tool, tool.lenders, Kind.LINE_CHANGED, facts, now, by)
    await offers.show(tx, tool, line)
    await availability.wake(tx, tool.community_id, tool.id, now, now)
    return tool


async def _line_of(tx: Tx, tool_id: int, by: Viewer) -> tuple[Tool, Sequence[Wish]]:
    """The tool under its lock, with everybody who waits for it."""
    await tool_queries.tool_for(tx, by, tool_id)
    await people.still_in(tx, by)
    tool = await tool_queries.locked(tx, by.community_id, tool_id)
    return tool, await waits.line(tx, by.community_id, tool_id)
