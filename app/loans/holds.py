"""Dates that somebody is choosing: blocked for ten minutes, shown to others without a name."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import Range

from app import queue, topic, words
from app.db import Tx
from app.errors import Conflict, Refusal, Span
from app.loans import choosing, rules
from app.loans.dates import free_near, refuse_taken, why_not_unheld
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import availability, keepers, occupied
from app.tools import queries as tools
from app.tools.models import HoldTurn, Tool

TURN = timedelta(minutes=10)
REST = timedelta(minutes=30)  # after one that ran out: no other of the same tool
AT_MOST = 3  # tools a person
JOB = "holds.expire"
ASK = "You can ask for dates without holding them."


async def hold(
    tx: Tx, tool_id: int, start: datetime, end: datetime, by: Viewer, now: datetime
) -> datetime:
    """Holds these dates and lets go of others of the same tool; answers until when.

    Choosing anew does not begin a new turn. Raises NotFound, Refusal or Conflict (with free
    periods; code `held` where somebody else is choosing them).
    """
    tool = await tools.tool_for(tx, by, tool_id)
    await people.still_in(tx, by)
    # A person's holds are counted; the lock on this tool does not keep those of others still.
    lock = func.hashtextextended(f"holds/{by.person_id}", 0)
    await tx.execute(select(func.pg_advisory_xact_lock(lock)))
    await tools.locked(tx, by.community_id, tool_id)
    apart = await keepers.between(tx, by.person_id, tool)
    if refusal := rules.why_not_request(tool, start, end, by, apart, now):
        raise refusal
    await refuse_taken(tx, tool, start, end, now)
    if held := await why_not_unheld(tx, tool, start, end, by.person_id, now):
        held.way_out = f"{held.way_out} Or ask for them all the same: the lender decides."
        held.free = await free_near(tx, tool, start, end, now)
        raise held
    until = await _until(tx, tool, by, now)
    period = Range(*choosing.blocks(tool.lending, start, end))
    try:
        await availability.hold(
            tx, tool.community_id, tool.id, period, person_id=by.person_id, until=until, now=now
        )
    except Conflict as taken:
        taken.free = await free_near(tx, tool, start, end, now)
        raise
    await queue.enqueue(tx, JOB, _key(tool, by.person_id), until, now)
    touch(tx, topic.dates(tool.community_id, tool.id))
    return until


async def let_go(tx: Tx, tool_id: int, by: Viewer, now: datetime, only: Span | None = None) -> None:
    """Frees what this person holds of a tool; `only` if it is still the dates of that page."""
    tool = await tools.tool_for(tx, by, tool_id)
    await tools.locked(tx, by.community_id, tool_id)
    mine = await own(tx, tool, by.person_id, now)
    if mine is None or (only is not None and only != (mine.start, mine.end)):
        return
    await availability.let_go(tx, tool.community_id, tool.id, by.person_id, now)
    turn = await tx.get(HoldTurn, (tool.community_id, tool.id, by.person_id))
    if turn is not None:
        turn.let_go = True
    await queue.drop(tx, JOB, _key(tool, by.person_id))
    touch(tx, topic.dates(tool.community_id, tool.id))


async def expire(tx: Tx, key: str, now: datetime) -> None:
    """The job at the end of a hold: its dates are free again on every open page."""
    community_id, tool_id, _ = (int(part) for part in key.split("/"))
    await tools.locked(tx, community_id, tool_id)
    await availability.drop_expired(tx, community_id, tool_id, now)
    await availability.wake(tx, community_id, tool_id, now, now)
    touch(tx, topic.dates(community_id, tool_id))


async def own(tx: Tx, tool: Tool, person_id: int, now: datetime) -> occupied.Hold | None:
    found = await occupied.holds(tx, tool.community_id, tool.id, now)
    return next((one for one in found if one.person_id == person_id), None)


async def _until(tx: Tx, tool: Tool, by: Viewer, now: datetime) -> datetime:
    """The end of this person's turn at this tool; Refusal where they have to wait for another."""
    key = (tool.community_id, tool.id, by.person_id)
    if await own(tx, tool, by.person_id, now) is None:
        if await occupied.held_by(tx, by.person_id, now) >= AT_MOST:
            raise Refusal(f"You hold dates of {AT_MOST} tools already.", ASK, code="holds")
        long_ago = (HoldTurn.person_id == by.person_id, HoldTurn.ends_at <= now - REST)
        await tx.execute(
            delete(HoldTurn).where(*long_ago).execution_options(synchronize_session=False)
        )
    turn = await tx.get(HoldTurn, key, populate_existing=True)
    if turn is None:
        turn = HoldTurn(
            community_id=tool.community_id,
            tool_id=tool.id,
            person_id=by.person_id,
            ends_at=now + TURN,
        )
        tx.add(turn)
    elif turn.ends_at <= now:
        if not turn.let_go:
            wait = words.minutes_left(turn.ends_at + REST, now)
            raise Refusal(
                f"You have held dates of this tool; you can again in {wait}.", ASK, code="holds"
            )
        turn.ends_at = now + TURN
    turn.let_go = False
    await tx.flush()
    return turn.ends_at


def _key(tool: Tool, person_id: int) -> str:
    """How the job names a hold."""
    return f"{tool.community_id}/{tool.id}/{person_id}"
