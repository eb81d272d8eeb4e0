"""A tool's past: how often it was lent and for how long, and what was repaired."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app import words
from app.clock import local_day
from app.db import Tx
from app.loans import queries, repairs, telling
from app.loans.models import Loan
from app.people import blocks
from app.people.viewer import Viewer
from app.tools import keepers, rules
from app.tools.models import Tool, ToolStatus
from app.tools.upkeep import Upkeep, UpkeepKind

LOANS_SHOWN = 12
HAPPENED = {
    UpkeepKind.BROKEN: ("wrench", "Broken"),
    UpkeepKind.MISSING: ("circle-help", "Missing"),
    UpkeepKind.REPAIR: ("wrench", "Repaired"),
    UpkeepKind.IN_ORDER: ("circle-check", "In order again"),
}


async def of_tool(tx: Tx, viewer: Viewer, tool: Tool, now: datetime) -> Mapping[str, object] | None:
    """For `tools/_history.html` and its lender's page. None where nothing may be said.

    A tool that is off has no past for neighbours, so that who stands behind a block, and sees it
    as paused, does not learn from its past that it is lent.
    """
    lends = viewer.person_id in tool.lenders
    apart = await blocks.apart_from(tx, viewer.person_id)
    if not lends and (tool.status != ToolStatus.LISTED or keepers.hidden_from(tool, apart)):
        return None
    here = viewer.here
    count, average, longest = await _durations(tx, tool)
    lines = await repairs.lines_of(tx, tool)
    costs = lends or (tool.owner_id is None and viewer.is_coordinator)
    spent = sum(line.cost_cents for line in lines)
    return {
        "count": count,
        "average": _long(average),
        "longest": _long(longest),
        "loans": await _loans(tx, viewer, tool, now) if lends else [],
        "lines": [_line(line, viewer, now, costs) for line in lines],
        "spent": words.money(spent, here.currency, viewer.locale) if costs and spent else "",
        "maintenance_path": f"{here.path}/tools/{tool.id}/maintenance"
        if rules.may_change(tool, viewer)
        else "",
    }


async def _durations(tx: Tx, tool: Tool) -> tuple[int, timedelta, timedelta]:
    """How often it was out, and how long when it came back: on average, and at most."""
    took = Loan.back_at - Loan.out_at
    row = await tx.execute(
        select(func.count(Loan.out_at), func.avg(took), func.max(took)).where(
            Loan.community_id == tool.community_id, Loan.tool_id == tool.id
        )
    )
    count, average, longest = row.one()
    return count, average or timedelta(), longest or timedelta()


async def _loans(tx: Tx, viewer: Viewer, tool: Tool, now: datetime) -> list[dict[str, object]]:
    """The last ones that went out; a link only to rooms that are the viewer's own."""
    rows = await tx.scalars(
        queries.with_all()
        .where(
            Loan.community_id == tool.community_id,
            Loan.tool_id == tool.id,
            Loan.out_at.is_not(None),
        )
        .order_by(Loan.out_at.desc(), Loan.id.desc())
        .limit(LOANS_SHOWN)
    )
    here = viewer.here
    return [
        {
            "path": f"{here.path}/loans/{one.id}" if viewer.person_id in one.parties else "",
            "who": telling.borrower_name(one),
            "when": words.period(one.start, one.end, here.zone, viewer.locale, now),
            "took": _long(one.back_at - one.out_at) if one.back_at and one.out_at else "",
        }
        for one in rows
    ]


def _line(line: Upkeep, viewer: Viewer, now: datetime, costs: bool) -> dict[str, object]:
    here, kind = viewer.here, UpkeepKind(line.kind)
    icon, said = HAPPENED[kind]
    cost = words.money(line.cost_cents, here.currency, viewer.locale)
    return {
        "id": line.id,
        "icon": icon,
        "said": said,
        "day": words.day(line.day, viewer.locale, local_day(now, here.zone)),
        "words": line.words,
        "cost": cost if costs and line.cost_cents else "",
        "is_repair": kind is UpkeepKind.REPAIR,
    }


def _long(took: timedelta) -> str:
    """'3 hours', '2 days'; '' for nothing."""
    hours = round(took / timedelta(hours=1))
    if took <= timedelta():
        return ""
    if hours < 24:
        return words.count(max(1, hours), "hour", "hours")
    return words.count(round(took / timedelta(days=1)), "day", "days")
