"""What happens to a loan by itself: it expires, lapses, closes, and reminds people."""

from __future__ import annotations

from datetime import datetime

from app import topic
from app.db import Tx
from app.loans import news, queries, ripple, rules, shelf
from app.loans.commands import by_itself
from app.loans.models import Loan
from app.loans.states import OPEN, Act, State
from app.notices import commands as notices
from app.notices.models import Kind
from app.tools import availability
from app.tools.models import ToolStatus


async def expire(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    """A request nobody answered in time; the third in a row pauses the tool."""
    loan = await by_itself(tx, community_id, loan_id, Act.EXPIRE, now)
    if loan is not None and await queries.silent(tx, loan, rules.SILENT):
        await _pause(tx, loan, now)


async def lapse(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    """An approved loan that nobody picked up, a day after its end."""
    if await by_itself(tx, community_id, loan_id, Act.LAPSE, now):
        await availability.release(tx, community_id, loan_id, now)


async def close(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    """A returned loan, two days later."""
    await by_itself(tx, community_id, loan_id, Act.CLOSE, now)


async def remind(tx: Tx, community_id: int, loan_id: int, now: datetime) -> None:
    loan = await queries.locked(tx, community_id, loan_id)
    if State(loan.state) in OPEN:
        await news.remind(tx, loan, now)
        await ripple.tell(tx, loan, now)  # at its due instant, and a day before the next begins


async def _pause(tx: Tx, loan: Loan, now: datetime) -> None:
    """The lender seems to be away: nobody else should wait for nothing."""
    tool = await shelf.pause_by_itself(tx, loan.community_id, loan.tool_id, now)
    if tool.status != ToolStatus.PAUSED:
        return
    await notices.tell(
        tx,
        loan.lenders,
        Kind.PAUSED_FOR_SILENCE,
        loan.community_id,
        topic.tool(loan.community_id, loan.tool_id),
        {"tool": tool.name},
        now,
    )
