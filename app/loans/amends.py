"""What every act that puts something right does besides: story, room, notices, jobs, screens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app import clock, queue, topic
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.loans import news, queries, ripple, screens, story
from app.loans.commands import key
from app.loans.models import Loan
from app.loans.rules import CLOSE_AFTER, LAPSE_AFTER
from app.loans.states import State, Who
from app.notices.models import Kind
from app.people.models import Community
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import availability, occupied, watches
from app.tools.commands import touch_tool
from app.tools.models import Tool, ToolStatus
from app.tools.rules import ON_THE_BOARD
from app.tools.upkeep import Upkeep, UpkeepKind

JOBS = ("loans.expire", "loans.lapse", "loans.close")
ALL = Who.BORROWER | Who.LENDER | Who.MEDIATOR


async def tell(
    tx: Tx,
    loan: Loan,
    by: Viewer,
    now: datetime,
    note: str,
    *,
    kind: Kind | None = None,
    whom: Who = ALL,
    why: str = "",
) -> None:
    """A line in the room, a notice to the others, and every screen that shows the loan."""
    await tx.flush()
    room = ConversationId(loan.conversation_id)
    await chat.note(tx, loan.community_id, room, note, by.person_id, now)
    if kind is not None:
        await news.tell(tx, loan, kind, whom, now, by=by, reason=why)
    touch(tx, topic.help(loan.community_id))
    screens.show(tx, loan)
    await ripple.show_others(tx, loan, now)


def record(tx: Tx, loan: Loan, act: str, by: Viewer, why: str, now: datetime) -> None:
    """A line of the story that leaves the state as it is."""
    story.record(tx, loan, act, State(loan.state), by, why, now)


async def replan(tx: Tx, loan: Loan, now: datetime) -> None:
    """What the clock will do with it, now that it stands elsewhere than the table led."""
    for name in JOBS:
        await queue.drop(tx, name, key(loan))
    match State(loan.state):
        case State.REQUESTED:
            await queue.enqueue(tx, "loans.expire", key(loan), loan.expires_at, now)
        case State.APPROVED:
            await queue.enqueue(tx, "loans.lapse", key(loan), loan.end + LAPSE_AFTER, now)
        case State.RETURNED:
            await queue.enqueue(tx, "loans.close", key(loan), now + CLOSE_AFTER, now)
    await news.plan(tx, loan, now)
    touch(tx, topic.writing(loan.community_id, loan.id))
    touch(tx, topic.delivered(loan.community_id, loan.id))


async def rested_beside(tx: Tx, loan: Loan, at: datetime) -> datetime:
    """Until when it blocked what an act of that instant has freed: the tool rests as it does by
    now, but what stood beside the loan then was never in its way.
    """
    has = await occupied.of_loan(tx, loan.community_id, loan.id)
    others = await queries.next_promised(tx, loan, at)
    off = await occupied.black_outs(tx, loan.community_id, loan.tool_id, at)
    beside = [others, *(start for _, (start, _) in off)]
    near = [start for start in beside if start is not None and start >= loan.end]
    rested = min([loan.end + loan.tool.lending.buffer, *near])
    return max(rested, has[1]) if has else rested


async def block(tx: Tx, loan: Loan, start: datetime, until: datetime, now: datetime) -> None:
    """The tool is taken from then until it has rested. Raises Conflict if it is already."""
    period = Range(start, until)
    await availability.occupy(tx, loan.community_id, loan.tool_id, period, loan_id=loan.id, now=now)


async def set_tool(
    tx: Tx,
    tool: Tool,
    status: ToolStatus,
    now: datetime,
    *,
    by: Viewer | None = None,
    words: str = "",
) -> None:
    """Leaves the board, comes back to it, or hangs there as being repaired.

    `words` stand in the tool's history, which neighbours read.
    """
    if tool.status == status:
        return
    was = ToolStatus(tool.status)
    moves = (tool.status in ON_THE_BOARD) != (status in ON_THE_BOARD)
    tool.status, tool.changed_at = status, now
    await tx.flush()
    if status == ToolStatus.LISTED:
        await watches.stir(tx, tool.community_id, tool.id, now, now)
    touch_tool(tx, tool, listing=moves)
    await tool_changed(tx, tool, now)
    await _write_down(tx, tool, was, now, by, words)


BAD = {ToolStatus.MAINTENANCE: UpkeepKind.BROKEN, ToolStatus.MISSING: UpkeepKind.MISSING}


async def _write_down(
    tx: Tx, tool: Tool, was: ToolStatus, now: datetime, by: Viewer | None, words: str
) -> None:
    """Broken, missing and in order again are lines of the tool's history. Whoever it is promised
    to was told of the first two by who has seen it, and hears of the last here.
    """
    kind = BAD.get(ToolStatus(tool.status))
    if kind is None and was in BAD and tool.status == ToolStatus.LISTED:
        kind = UpkeepKind.IN_ORDER
    if kind is None:
        return
    community = await tx.get_one(Community, tool.community_id)
    tx.add(
        Upkeep(
            community_id=tool.community_id,
            tool_id=tool.id,
            kind=kind,
            day=clock.local_day(now, community.tz),
            words=words,
            by_id=by.person_id if by else None,
            at=now,
        )
    )
    await tx.flush()
    if kind is UpkeepKind.IN_ORDER:
        await tell_promised(tx, tool, Kind.TOOL_IN_ORDER, by, now)


async def tell_promised(tx: Tx, tool: Tool, kind: Kind, by: Viewer | None, now: datetime) -> None:
    """Everybody to whom the tool is promised."""
    for loan in await queries.promised(tx, tool):
        await news.tell(tx, loan, kind, Who.BORROWER, now, by=by)


async def tool_changed(tx: Tx, tool: Tool, now: datetime) -> None:
    """What its loans offer depends on whether it is lent at the moment."""
    for loan_id in await queries.shown_with(tx, tool, now):
        touch(tx, topic.amends(tool.community_id, loan_id), topic.facts(tool.community_id, loan_id))
    for loan in await queries.promised(tx, tool):
        screens.show(tx, loan)
