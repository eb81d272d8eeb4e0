"""A lender looks after a tool: broken or missing, repaired for how much, in order again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, func, select

from app import clock
from app.db import Tx
from app.errors import NotFound, Refusal, mistyped
from app.loans import amends, off, shelf
from app.notices.models import Kind
from app.people import queries as people
from app.people.viewer import Viewer
from app.tools import queries as tools
from app.tools import rules as tool_rules
from app.tools.commands import touch_tool
from app.tools.models import Tool, ToolStatus
from app.tools.upkeep import COST_HIGHEST, WORDS_LONGEST, Upkeep, UpkeepKind

LINES_MOST = 200
STATUS = {UpkeepKind.BROKEN: ToolStatus.MAINTENANCE, UpkeepKind.MISSING: ToolStatus.MISSING}
TOLD = {UpkeepKind.BROKEN: Kind.TOOL_BROKEN, UpkeepKind.MISSING: Kind.TOOL_MISSING}


async def mark(
    tx: Tx, tool_id: int, kind: UpkeepKind, words: str, by: Viewer, now: datetime
) -> Tool:
    """Off at once: requests are declined, and whoever it is promised to is told.

    What is promised stands until the lender lends it again, or cancels.
    """
    tool = await _own(tx, tool_id, by)
    if kind not in STATUS:
        raise mistyped("kind", "Say whether it is broken or missing.")
    if tool.status not in (ToolStatus.LISTED, *off.OFF) or tool.status == STATUS[kind]:
        raise Refusal("That is known already.", "Look at it as it is now.")
    await off.take_off(tx, tool, STATUS[kind], by, now, words=check_words(words))
    await amends.tell_promised(tx, tool, TOLD[kind], by, now)
    return tool


async def mend(tx: Tx, tool_id: int, words: str, by: Viewer, now: datetime) -> Tool:
    """In order again, or found: lent from now on, and whoever it is promised to is told."""
    tool = await _own(tx, tool_id, by)
    if tool.status not in off.MUST_ANSWER:
        raise Refusal("This tool is in order.", "Look at it as it is now.")
    return await shelf.resume(tx, tool_id, by, now, check_words(words))


async def note(
    tx: Tx, tool_id: int, day: date, words: str, cents: int, by: Viewer, now: datetime
) -> Upkeep:
    """A repair that was done, and what it cost. Raises Refusal with the field."""
    tool = await _own(tx, tool_id, by)
    words = check_words(words)
    if not words:
        raise mistyped("words", "Say what was done.", "For example: new cable.")
    if not 0 <= cents <= COST_HIGHEST:
        raise mistyped("cost", f"A cost lies between 0 and {COST_HIGHEST // 100}.")
    today = clock.local_day(now, by.here.zone)
    if day > today:
        raise mistyped("day", "That day is still to come.", "Note it when it is done.")
    if (today - day).days > 20 * 366:
        raise mistyped("day", "That is very long ago.", "Look at the year.")
    row = Upkeep(
        community_id=tool.community_id,
        tool_id=tool.id,
        kind=UpkeepKind.REPAIR,
        day=day,
        words=words,
        cost_cents=cents,
        by_id=by.person_id,
        at=now,
    )
    if await _many(tx, tool):
        raise Refusal("There are very many notes already.", "Take out one that says little.")
    tx.add(row)
    await tx.flush()
    touch_tool(tx, tool)
    return row


async def take_out(tx: Tx, tool_id: int, line_id: int, by: Viewer) -> None:
    """A note that was wrong; a second time it changes nothing. What happened stays."""
    tool = await _own(tx, tool_id, by)
    await tx.execute(
        delete(Upkeep).where(
            Upkeep.community_id == tool.community_id,
            Upkeep.tool_id == tool.id,
            Upkeep.id == line_id,
            Upkeep.kind == UpkeepKind.REPAIR,
        )
    )
    touch_tool(tx, tool)


async def lines_of(tx: Tx, tool: Tool) -> Sequence[Upkeep]:
    """The newest first."""
    rows = await tx.scalars(
        select(Upkeep)
        .where(Upkeep.community_id == tool.community_id, Upkeep.tool_id == tool.id)
        .order_by(Upkeep.day.desc(), Upkeep.id.desc())
        .limit(LINES_MOST)
    )
    return rows.all()


def check_words(text: str) -> str:
    words = " ".join(tool_rules.clean(text).split())
    if len(words) > WORDS_LONGEST:
        raise mistyped("words", f"That may have {WORDS_LONGEST} characters.", "Shorten it.")
    return words


async def _many(tx: Tx, tool: Tool) -> bool:
    found = select(func.count()).where(
        Upkeep.community_id == tool.community_id, Upkeep.tool_id == tool.id
    )
    return (await tx.scalar(found) or 0) >= LINES_MOST


async def _own(tx: Tx, tool_id: int, by: Viewer) -> Tool:
    await people.still_in(tx, by)
    tool = await tools.locked(tx, by.community_id, tool_id)
    if not tool_rules.sees(tool, by):
        raise NotFound
    if refusal := tool_rules.why_not_theirs(tool, by, "look after it"):
        raise refusal
    return tool
