"""Whether a tool is free in the dates that somebody wants, and which free ones are nearest."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import queue, words
from app.db import Tx
from app.errors import Conflict, Refusal, Span
from app.loans import choosing, queries, rules
from app.loans.models import Loan
from app.tools import availability, occupied, watches
from app.tools import queries as tools
from app.tools.commands import touch_tool
from app.tools.models import Tool

PASSED = "dates.pass"


async def free_near(
    tx: Tx, tool: Tool, start: datetime, end: datetime, now: datetime
) -> list[Span]:
    """The free periods nearest to the wanted one, at most three; a rest after it has to fit."""
    busy = await occupied.busy(tx, tool.community_id, [tool.id], now)
    until = now + timedelta(days=tool.lending.horizon_days)
    free = occupied.free_ranges(busy.get(tool.id, []), now, until)
    return occupied.nearest(free, *choosing.blocks(tool.lending, start, end))


async def refuse_taken(
    tx: Tx,
    tool: Tool,
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    but_loan: int | None = None,
    not_kept_for: int | None = None,
) -> None:
    """Raises Conflict where a loan, an offer or the lender stands in the way; not for a hold.

    For whose own occupancy does not count, see `occupied.busy`.
    """
    busy = await occupied.busy(
        tx, tool.community_id, [tool.id], now, but_loan=but_loan, not_kept_for=not_kept_for
    )
    spans = busy.get(tool.id, [])
    out = await queries.holder(tx, tool.community_id, tool.id)
    wanted = choosing.blocks(tool.lending, start, end)
    if rules.why_not_free(*wanted, spans, out, [], now):
        free = await free_near(tx, tool, start, end, now)
        refusal = rules.why_not_free(*wanted, spans, out, free, now)
        assert refusal is not None
        raise refusal


async def why_not_unheld(
    tx: Tx, tool: Tool, start: datetime, end: datetime, person_id: int | None, now: datetime
) -> Refusal | None:
    """Somebody other than this person is choosing one of these dates just now."""
    lower, upper = choosing.blocks(tool.lending, start, end)
    for one in await occupied.holds(tx, tool.community_id, tool.id, now):
        if one.person_id != person_id and one.start < upper and lower < one.end:
            return Conflict(
                "Someone is choosing these dates just now.",
                f"Try again in {words.minutes_left(one.until, now)}, when that runs out.",
                code="held",
            )
    return None


async def plan_pass(tx: Tx, tool: Tool, at: datetime, now: datetime) -> None:
    """Boards change at this instant by themselves, and no loan begins or ends then."""
    key = f"{tool.community_id}/{tool.id}/{int(at.timestamp() * 1000)}"
    if at > now:
        await queue.enqueue(tx, PASSED, key, at, now)


async def come_free(tx: Tx, loan: Loan, now: datetime) -> None:
    """Nobody has it any more: after its rest boards show that, and who watches is told."""
    rest = loan.tool.lending.buffer
    free_at = await availability.cut(tx, loan.community_id, loan.id, now, rest)
    await watches.stir(tx, loan.community_id, loan.tool_id, free_at, now)
    await plan_pass(tx, loan.tool, free_at, now)


async def passed(tx: Tx, key: str, now: datetime) -> None:
    community_id, tool_id, _ = (int(part) for part in key.split("/"))
    tool = await tools.tool(tx, community_id, tool_id)
    if tool is not None:
        await watches.stir(tx, community_id, tool_id, now, now)
        touch_tool(tx, tool)
