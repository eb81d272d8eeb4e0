"""What else would do: tools of the same shelf that are free in a loan's dates."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from difflib import SequenceMatcher

from sqlalchemy import func

from app.db import Tx
from app.loans import queries
from app.loans.models import Loan
from app.loans.states import POSSESSED, State
from app.tools import keepers, occupied
from app.tools import queries as tool_queries
from app.tools.models import Tool, ToolStatus

SHOWN = 4
AMONG = 500  # tools of one shelf that are looked through


async def free_like(
    tx: Tx, loan: Loan, person_id: int, apart: Collection[int], now: datetime
) -> Sequence[Tool]:
    """Of others, the nearest in name first; nothing that is kept from this person."""
    start, end = max(loan.start, now), loan.end
    if start >= end:
        return []
    rows = await tx.scalars(
        tool_queries.with_all()
        .where(
            Tool.community_id == loan.community_id,
            Tool.category_id == loan.tool.category_id,
            Tool.status == ToolStatus.LISTED,
            Tool.id != loan.tool_id,
            keepers.not_lent_only_by({person_id, *apart}),
        )
        .order_by(func.lower(Tool.name), Tool.id)
        .limit(AMONG)
    )
    tools = rows.all()
    ids = [one.id for one in tools]
    busy = await occupied.busy(tx, loan.community_id, ids, now)
    taken = {
        tool_id for tool_id, spans in busy.items() if any(a < end and start < b for a, b in spans)
    }
    out = await queries.open_of_tools(tx, loan.community_id, ids)
    taken |= {
        one.tool_id
        for one in out
        if State(one.state) in POSSESSED and (one.end <= now or start <= now)
    }
    free = [one for one in tools if one.id not in taken]
    return sorted(free, key=lambda one: -likeness(one.name, loan.tool.name))[:SHOWN]


def likeness(one: str, other: str) -> float:
    """From 0 to 2: words they share, and how alike they are written."""
    mine, theirs = (set(re.findall(r"\w+", name.lower())) for name in (one, other))
    shared = len(mine & theirs) / max(1, len(mine | theirs))
    return shared + SequenceMatcher(None, one.lower(), other.lower()).ratio()
