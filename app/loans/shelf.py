"""Pausing, archiving and bringing back a tool: what its loans must hear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app import topic
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import amends, off, offers, queries
from app.loans.models import Loan
from app.loans.states import State
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import availability
from app.tools import queries as tool_queries
from app.tools import rules as tool_rules
from app.tools.models import Tool, ToolStatus


async def pause(tx: Tx, tool_id: int, by: Viewer, now: datetime, reason: str = "") -> Tool:
    """Nobody can ask for it; open requests are declined with the reason, loans stand."""
    tool, _ = await _own(tx, tool_id, by)
    if tool.status != ToolStatus.LISTED:
        raise Refusal("This tool is not on the board.", "Look at it as it is now.")
    await off.take_off(tx, tool, ToolStatus.PAUSED, by, now, reason)
    return tool


async def pause_by_itself(tx: Tx, community_id: int, tool_id: int, now: datetime) -> Tool:
    """The lender seems to be away. Requests stand until they run out: they may be back before."""
    tool = await tool_queries.locked(tx, community_id, tool_id)
    if tool.status == ToolStatus.LISTED:
        await amends.set_tool(tx, tool, ToolStatus.PAUSED, now)
        await offers.paused(tx, tool, now)
    return tool


async def resume(tx: Tx, tool_id: int, by: Viewer, now: datetime, words: str = "") -> Tool:
    """After a pause, when it is repaired, or found again; `words` stand in its history then."""
    tool, _ = await _own(tx, tool_id, by)
    if tool.status not in off.OFF:
        raise Refusal("This tool is not paused.", "Look at it as it is now.")
    await availability.wake(tx, tool.community_id, tool.id, now, now)
    await amends.set_tool(tx, tool, ToolStatus.LISTED, now, by=by, words=words)
    return tool


async def repair(tx: Tx, tool_id: int, by: Viewer, now: datetime) -> Tool:
    """Damaged: nobody can ask for it until the owner lends it again; what is approved stands."""
    tool, _ = await _own(tx, tool_id, by)
    if tool.status in (ToolStatus.LISTED, ToolStatus.PAUSED):
        await off.take_off(tx, tool, ToolStatus.MAINTENANCE, by, now)
    return tool


async def archive(tx: Tx, tool_id: int, by: Viewer, now: datetime) -> Tool:
    """Takes it off the board for good. Refused while it is out or promised to somebody."""
    tool, loans = await _own(tx, tool_id, by)
    if tool.status == ToolStatus.ARCHIVED:
        raise Refusal("This tool is already archived.", "You can bring it back.")
    if refusal := why_not_archive(loans):
        raise refusal
    await off.decline_all(tx, tool, by, now, "The tool is no longer lent.")
    await offers.archived(tx, tool, now)
    await amends.set_tool(tx, tool, ToolStatus.ARCHIVED, now)
    return tool


async def restore(tx: Tx, tool_id: int, by: Viewer, now: datetime) -> Tool:
    """Back on the board; this revives no loan."""
    tool, _ = await _own(tx, tool_id, by)
    if tool.status != ToolStatus.ARCHIVED:
        raise Refusal("This tool is not archived.", "Look at it as it is now.")
    await amends.set_tool(tx, tool, ToolStatus.LISTED, now)
    return tool


async def tell_parties(tx: Tx, tool: Tool) -> None:
    """Whoever borrows it, lends it or did so sees its new name or picture in their lists."""
    rows = await tx.execute(
        select(Loan.borrower_id, Loan.lender_id, Loan.keepers)
        .where(Loan.community_id == tool.community_id, Loan.tool_id == tool.id)
        .distinct()
    )
    people = {one for borrower, lender, keepers in rows for one in (borrower, lender, *keepers)}
    for person_id in people:
        if person_id is None:
            continue
        touch(tx, topic.things(person_id), topic.rooms(person_id))


def why_not_archive(loans: Sequence[Loan]) -> Refusal | None:
    if any(loan.in_hand for loan in loans):
        return Refusal(
            "This tool is out.", "Archive it when it is back.", "the borrower, by bringing it back"
        )
    if any(loan.state == State.APPROVED for loan in loans):
        return Refusal(
            "This tool is promised to somebody.", "Cancel that loan first, with the reason."
        )
    return None


async def _own(tx: Tx, tool_id: int, by: Viewer) -> tuple[Tool, Sequence[Loan]]:
    await people.still_in(tx, by)
    tool = await tool_queries.locked(tx, by.community_id, tool_id)
    if not tool_rules.sees(tool, by):
        raise NotFound
    if refusal := tool_rules.why_not_theirs(tool, by, "do this"):
        raise refusal
    return tool, await queries.open_of_tools(tx, tool.community_id, [tool.id])
