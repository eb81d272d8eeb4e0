"""What a waitlist does by itself: offers what has come free, passes on what nobody took.

Everything here holds the tool's row: so the order is kept, and an offer is made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app import topic
from app.db import Tx
from app.errors import Span
from app.loans import queries, turns, waits
from app.notices import commands as notices
from app.notices.models import Kind
from app.people.models import Community, Status
from app.people.viewer import Here, Viewer
from app.realtime import touch
from app.tools import availability, keepers, occupied
from app.tools import queries as tool_queries
from app.tools.models import Tool, ToolStatus
from app.tools.wishes import Outcome, Wish


async def offer(tx: Tx, community_id: int, tool_id: int, now: datetime) -> None:
    """What is free by now is offered to the next whose wish it fits; what ran out passes on."""
    tool = await tool_queries.locked(tx, community_id, tool_id)
    here = Here.of(await tx.get_one(Community, community_id))
    line = everybody = await waits.line(tx, community_id, tool_id)
    changed = [await _settle(tx, wish, tool, here, now) for wish in line]
    line = [wish for wish in line if wish.outcome == Outcome.OPEN]
    if line and tool.status == ToolStatus.LISTED:
        apart = await keepers.apart_from(tx, tool)
        taken = await waits.taken(tx, here, tool_id, now)
        for hold in await occupied.holds(tx, community_id, tool_id, now):  # its end wakes us again
            taken = taken.and_also((hold.start, hold.end))
        for wish in line:
            if wish.offered is not None or not _may_have(wish, apart):
                continue
            span = turns.fitting(wish, taken, here, now)
            if span is not None and (wish.not_before is None or span[0] >= wish.not_before):
                until = turns.answer_by(span, taken, here, now)
                await _make_offer(tx, tool, wish, span, until, here, now)
                taken = taken.and_also(span)
                changed.append(True)
    if any(changed):
        await show(tx, tool, everybody)


async def look(tx: Tx, now: datetime) -> None:
    """Time alone makes dates fit, and holds run out: each line is looked at now and then."""
    for community_id, tool_id in await waits.waited_for(tx):
        await availability.wake(tx, community_id, tool_id, now, now)


async def paused(tx: Tx, tool: Tool, now: datetime) -> None:
    """Nothing is offered meanwhile; everybody keeps their place, and hears of it."""
    line = await waits.line(tx, tool.community_id, tool.id)
    for wish in line:
        await take_back(tx, wish, now)
    await tell(tx, tool, [wish.person_id for wish in line], Kind.WAIT_PAUSED, {}, now)
    await show(tx, tool, line)


async def archived(tx: Tx, tool: Tool, now: datetime) -> None:
    """Nobody waits for what is not lent any more."""
    line = await waits.line(tx, tool.community_id, tool.id)
    for wish in line:
        await end(tx, wish, Outcome.GONE, now)
    await tell(tx, tool, [wish.person_id for wish in line], Kind.WAIT_GONE, {}, now)
    await show(tx, tool, line)


async def person_left(tx: Tx, community_id: int, person_id: int, now: datetime) -> None:
    """Who goes waits for nothing here. Holds each tool, in the order of all locks."""
    for wish in await waits.wishes_of(tx, person_id, [community_id]):
        tool = await tool_queries.locked(tx, community_id, wish.tool_id)
        line = await waits.line(tx, community_id, wish.tool_id)
        if mine := of(line, person_id):
            await end(tx, mine, Outcome.GONE, now)
            await show(tx, tool, line)


async def reconsider(tx: Tx, people: Iterable[int], now: datetime) -> None:
    """Somebody was suspended or blocked: what is kept for them may have to pass on."""
    for community_id, tool_id in await waits.offered_to(tx, people):
        await availability.wake(tx, community_id, tool_id, now, now)


async def show(tx: Tx, tool: Tool, line: Iterable[Wish]) -> None:
    """Every screen that shows this line, or what is kept for somebody in it."""
    here = tool.community_id
    touch(tx, topic.waitlist(here, tool.id), topic.tool(here, tool.id), topic.dates(here, tool.id))
    touch(tx, topic.board(here))
    for wish in line:
        touch(tx, topic.things(wish.person_id), topic.waiting(wish.person_id))
    if holder := await queries.holder(tx, here, tool.id):  # "Someone is waiting"
        touch(tx, topic.loan(here, holder.id))


def of(line: Sequence[Wish], person_id: int) -> Wish | None:
    """Somebody's place in a line."""
    return next((wish for wish in line if wish.person_id == person_id), None)


def _may_have(wish: Wish, apart: Iterable[int]) -> bool:
    """Passed over, but not forgotten: who is suspended, or kept from the lender by a block."""
    return wish.standing.status == Status.ACTIVE and wish.person_id not in apart


async def _make_offer(
    tx: Tx, tool: Tool, wish: Wish, span: Span, until: datetime, here: Here, now: datetime
) -> None:
    kept = (span[0], span[1] + tool.lending.buffer)  # a loan and the tool's rest after it
    await availability.offer(
        tx, here.id, tool.id, kept, person_id=wish.person_id, until=until, now=now
    )
    wish.offered, wish.offered_at, wish.offered_until = Range(*span), now, until
    await tx.flush()
    facts = {**_when(turns.as_said(wish, span, here)), "until": until.isoformat()}
    await tell(tx, tool, (wish.person_id,), Kind.OFFERED, facts, now)
    await availability.wake(tx, here.id, tool.id, until, now)


async def _settle(tx: Tx, wish: Wish, tool: Tool, here: Here, now: datetime) -> bool:
    """Ends what has run out or passed; whether anything changed."""
    if wish.offered_until is not None and wish.offered_until <= now:
        assert wish.offer is not None, "what runs out was offered"
        facts = _when(turns.as_said(wish, wish.offer, here))
        await pass_on(tx, wish, here, now)
        await tell(tx, tool, (wish.person_id,), Kind.OFFER_RAN_OUT, facts, now)
        return True
    if wish.offered is not None:
        apart = await keepers.apart_from(tx, tool)
        if not _may_have(wish, apart):
            await take_back(tx, wish, now)
            return True
    nothing = turns.Taken((), rules=tool.lending)
    if wish.dates is not None and wish.offered is None and turns.is_over(wish, nothing, here, now):
        await end(tx, wish, Outcome.OVER, now)
        await tell(tx, tool, (wish.person_id,), Kind.WAIT_OVER, _when(wish.dates), now)
        return True
    return False


async def pass_on(tx: Tx, wish: Wish, here: Here, now: datetime) -> None:
    """What was not taken is not offered to them again; a wish for just these dates is over."""
    assert wish.offer is not None, "there is something to pass on"
    if wish.dates is not None:
        await end(tx, wish, Outcome.PASSED, now)
        return
    taken = await waits.taken(tx, here, wish.tool_id, now)
    wish.not_before = turns.gap_around(wish.offer, taken, now)[1]
    await take_back(tx, wish, now)


async def take_back(tx: Tx, wish: Wish, now: datetime) -> None:
    if wish.offered is not None:
        wish.offered = wish.offered_at = wish.offered_until = None
        await tx.flush()
        await availability.end_offer(tx, wish.community_id, wish.tool_id, wish.person_id, now)


async def end(tx: Tx, wish: Wish, outcome: Outcome, now: datetime) -> None:
    had = wish.offered is not None
    wish.outcome, wish.ended_at = outcome, now
    wish.offered = wish.offered_at = wish.offered_until = None
    await tx.flush()
    if had:
        await availability.end_offer(tx, wish.community_id, wish.tool_id, wish.person_id, now)


def _when(span: Span) -> dict[str, str]:
    return {"start": span[0].isoformat(), "end": span[1].isoformat()}


async def tell(
    tx: Tx,
    tool: Tool,
    whom: Iterable[int],
    kind: Kind,
    facts: dict[str, str],
    now: datetime,
    by: Viewer | None = None,
) -> None:
    await notices.tell(
        tx,
        whom,
        kind,
        tool.community_id,
        topic.tool(tool.community_id, tool.id),
        {"tool": tool.name, **facts},
        now,
        by_id=by.person_id if by else None,
    )
