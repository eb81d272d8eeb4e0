"""Choosing dates on a tool's page: what they come to, and holding them for a while."""

from __future__ import annotations

from datetime import datetime

from app import clock, db
from app.board import quick
from app.board.quick import Choice
from app.errors import NotFound, Refusal, Span
from app.loans import holds, rules
from app.loans.dates import refuse_taken
from app.people.viewer import Viewer
from app.tools import keepers
from app.tools import queries as tools
from app.tools.models import Tool

SOFT = ("held", "holds")  # not held, but they can be asked for


async def look(
    tx: db.Tx, viewer: Viewer, tool: Tool, typed: dict[str, str], now: datetime
) -> Choice:
    """What these dates come to, for whoever looks at them; changes nothing."""
    here = viewer.here
    mine = await holds.own(tx, tool, viewer.person_id, now)
    try:
        period = quick.typed_period(typed, here)
        if period is not None:
            apart = await keepers.between(tx, viewer.person_id, tool)
            if refusal := rules.why_not_request(tool, *period, viewer, apart, now):
                raise refusal
            await refuse_taken(tx, tool, *period, now)
    except Refusal as refusal:
        return quick.choice(tool, None, mine, here, now, viewer.locale, why_not=refusal)
    return quick.choice(tool, period, mine, here, now, viewer.locale)


async def hold(viewer: Viewer, tool_id: int, typed: dict[str, str]) -> Choice:
    """Holds the typed dates, or says why not; then those that were held before are let go."""
    now, here = clock.now(), viewer.here
    period: Span | None = None
    why_not: Refusal | None = None
    async with db.begin() as tx:
        try:
            period = quick.typed_period(typed, here)
            async with tx.begin_nested():
                if period is not None:
                    await holds.hold(tx, tool_id, *period, viewer, now)
        except Refusal as refusal:
            why_not = refusal
        tool = await tools.tool_for(tx, viewer, tool_id)
        mine = await holds.own(tx, tool, viewer.person_id, now)
        if mine is not None and (why_not is not None or period is None):
            await holds.let_go(tx, tool_id, viewer, now)
            mine = None
    note = why_not if why_not and why_not.code in SOFT else None
    hard = None if note else why_not
    return quick.choice(tool, period, mine, here, now, viewer.locale, why_not=hard, note=note)


def dates_named(held: str) -> Span:
    """What a page says it holds: two instants; nonsense is like a page that holds nothing."""
    try:
        start, end = (datetime.fromisoformat(part) for part in held.split("/"))
    except ValueError:
        raise NotFound from None
    if start.tzinfo is None or end.tzinfo is None:
        raise NotFound
    return start, end
