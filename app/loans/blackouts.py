"""Days on which a tool is not lent: its owner needs it, or is away."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import Range

from app.clock import local_day
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, mistyped
from app.loans import choosing, commands, queries
from app.loans.dates import free_near, plan_pass, refuse_taken, why_not_unheld
from app.loans.states import Act
from app.people import queries as people
from app.people.viewer import Viewer
from app.tools import availability
from app.tools import queries as tools
from app.tools import rules as tool_rules
from app.tools.commands import touch_tool
from app.tools.models import Tool

FURTHEST_DAYS = 365
NEEDED = "The lender needs it in these days."


async def black_out(
    tx: Tx, tool_id: int, start: datetime, end: datetime, by: Viewer, now: datetime
) -> Tool:
    """Nobody can have it then; requests for these days are declined with that reason.

    Raises Conflict (with free periods) where it is promised, out or closed already.
    """
    tool = await _own(tx, tool_id, by)
    if refusal := _why_not(start, end, by, now):
        raise refusal
    try:
        await refuse_taken(tx, tool, start, end, now)
    except Conflict as taken:
        taken.sentence = "The tool is promised, out or closed in these days."
        taken.way_out = "Choose other days, or cancel that loan first."
        raise
    if held := await why_not_unheld(tx, tool, start, end, None, now):
        raise held
    rest = tool.lending.buffer
    for loan in await queries.requests_of(tx, tool.community_id, tool.id):
        if loan.start < end and start < loan.end + rest:
            await commands.change(tx, loan, Act.DECLINE, by, now, reason=NEEDED)
    try:
        period = Range(max(start, now), end)
        await availability.black_out(tx, tool.community_id, tool.id, period, now)
    except Conflict as taken:
        taken.free = await free_near(tx, tool, start, end, now)
        raise
    for at in (start, end):
        await plan_pass(tx, tool, at, now)
    touch_tool(tx, tool)
    return tool


async def end(tx: Tx, tool_id: int, blackout_id: int, by: Viewer, now: datetime) -> Tool:
    """It is lent in those days again. Raises NotFound where there is nothing to end."""
    tool = await _own(tx, tool_id, by)
    if not await availability.end_black_out(tx, tool.community_id, tool.id, blackout_id, now):
        raise NotFound
    touch_tool(tx, tool)
    return tool


def why_not_own(tool: Tool, by: Viewer) -> Refusal | None:
    return tool_rules.why_not_theirs(tool, by, "do this")


async def _own(tx: Tx, tool_id: int, by: Viewer) -> Tool:
    tool = await tools.tool_for(tx, by, tool_id)
    await people.still_in(tx, by)
    await tools.locked(tx, by.community_id, tool_id)
    if refusal := why_not_own(tool, by):
        raise refusal
    return tool


def _why_not(start: datetime, end: datetime, by: Viewer, now: datetime) -> Refusal | None:
    if start >= end:
        return mistyped("end", "The end comes before the start.", "Choose a later end.")
    if end <= now:
        return mistyped("start", "These days have passed.", "Choose today or a later day.")
    zone = by.here.zone
    last = local_day(now, zone) + timedelta(days=FURTHEST_DAYS)
    if local_day(end - choosing.INSTANT, zone) > last:
        return mistyped("end", "That is more than a year ahead.", "Choose an earlier day.")
    return None
