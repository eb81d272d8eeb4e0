"""A tool that is not lent at the moment: what that means for whoever asked for it, waits for it,
or was promised it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.db import Tx
from app.loans import amends, offers, queries, rules
from app.loans.commands import change
from app.loans.models import Loan
from app.loans.states import Act, State
from app.loans.telling import Action, Told
from app.people.viewer import Viewer
from app.tools.models import Tool, ToolStatus

PAUSED = "The tool is paused."
WHY = {
    ToolStatus.PAUSED: PAUSED,
    ToolStatus.MAINTENANCE: "The tool is damaged and has to be repaired first.",
    ToolStatus.MISSING: "The tool is missing.",
}
UNSAFE = "The tool is not safe and has to be looked at first."
OFF = tuple(WHY)
MUST_ANSWER = tuple(rules.UNFIT)


async def take_off(
    tx: Tx,
    tool: Tool,
    status: ToolStatus,
    by: Viewer,
    now: datetime,
    reason: str = "",
    words: str = "",
) -> None:
    """Requests are declined with the reason, offers taken back; who is promised it keeps that
    until somebody cancels. `words` stand in the tool's history.
    """
    await decline_all(tx, tool, by, now, reason or WHY[status])
    await offers.paused(tx, tool, now)
    await amends.set_tool(tx, tool, status, now, by=by, words=words)


async def decline_all(tx: Tx, tool: Tool, by: Viewer, now: datetime, reason: str) -> None:
    """What was asked for, in the lender's name; whoever else acts answers for nobody."""
    for loan in await queries.requests_of(tx, tool.community_id, tool.id):
        may = rules.why_not(Act.DECLINE, loan, by, now) is None
        await change(tx, loan, Act.DECLINE, by if may else None, now, reason=reason)


def is_asked(loan: Loan) -> bool:
    """Whether it is to be said of a promised loan if it takes place at all."""
    return loan.state == State.APPROVED and loan.tool.status in OFF


def retell(told: Told, loan: Loan, person_id: int) -> Told:
    """A promised loan of such a tool, as one of its two sees it."""
    status = ToolStatus(loan.tool.status)
    how = rules.UNFIT.get(status, WHY[status]).rstrip(".")
    if person_id == loan.borrower_id:
        lender = told.lender_name.split()[0]
        step, mine = f"{how}: {lender} says whether you get it all the same", False
    elif status in MUST_ANSWER:
        step, mine = f"{how}: lend it again in time, or cancel this loan", True
    else:
        step, mine = f"{how}: hand it over as promised, or cancel this loan", told.my_turn
    return replace(told, next_step=step, my_turn=mine)


def choices(
    loan: Loan, offered: Sequence[Action], viewer: Viewer, now: datetime, back: str = ""
) -> list[Action]:
    """The lender's buttons: to cancel takes one tap, the reason is known."""
    status = ToolStatus(loan.tool.status)
    fields: dict[str, object] = {"version": loan.version, "reason": WHY[status]}
    path = f"{viewer.here.path}/loans/{loan.id}/cancellation"
    cancel = Action(
        "Cancel this loan",
        path,
        "danger",
        rules.why_not(Act.CANCEL, loan, viewer, now),
        key=f"off-{loan.id}-{loan.version}",
        fields=fields | ({"back": back} if back else {}),
    )
    others = [one for one in offered if one.post != path]
    return [cancel, *others] if status in MUST_ANSWER else [*others, cancel]
