"""What the two at the door can do beside the plain buttons: a code on one phone, digits on the
other; for a self-service tool the borrower alone. For `loans/_loan.html`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from app.db import Tx
from app.loans import alone, codes, rules
from app.loans.alone import Box
from app.loans.codes import Shown
from app.loans.models import Loan
from app.loans.papers import Direction
from app.loans.states import Who
from app.loans.telling import Action, borrower_name
from app.people.viewer import Viewer

SHOW = {Direction.OUT: "Hand over on two phones", Direction.IN: "Give back on two phones"}
YES = {
    (Direction.OUT, Who.LENDER): "I handed it over",
    (Direction.OUT, Who.BORROWER): "I have it now",
    (Direction.IN, Who.LENDER): "I have it back",
    (Direction.IN, Who.BORROWER): "I gave it back",
}


@dataclass(frozen=True)
class Hands:
    """`show`: the button for a (new) code, None where codes make no sense now. `use`: the button
    of whoever types what `shown` is on the other's phone. `alone`: what the borrower of a
    self-service tool does with a photo; `box`: where its key is, if this is the time for it.
    """

    path: str
    other: str
    show: Action | None = None
    shown: Shown | None = None
    use: Action | None = None
    alone: Action | None = None
    box: Box | None = None


async def tell(tx: Tx, loan: Loan, viewer: Viewer, now: datetime) -> Hands:
    path = f"{viewer.here.path}/loans/{loan.id}"
    part = rules.part_of(loan, viewer)
    other = loan.lender.name if part is Who.BORROWER else borrower_name(loan)
    bare = Hands(
        path,
        (other.split() or ["them"])[0],
        alone=_alone(loan, viewer, part, path, now),
        box=await alone.box_for(tx, loan, viewer, now),
    )
    direction = codes.direction_of(loan)
    if direction is None or codes.why_not_code(loan, viewer, now):
        return bare
    shown = await codes.shown(tx, loan, viewer, now)
    return replace(
        bare,
        show=_show(loan, path, direction, shown),
        shown=shown,
        use=Action(
            YES[direction, part],
            f"{path}/code/use",
            key=f"use-{loan.id}-{loan.version}-{shown.mark}",
            fields={"version": loan.version},
        )
        if shown and not shown.mine
        else None,
    )


def _alone(loan: Loan, viewer: Viewer, part: Who, path: str, now: datetime) -> Action | None:
    direction = codes.direction_of(loan)
    if not loan.tool.self_service or part is not Who.BORROWER or direction is None:
        return None
    out = direction is Direction.OUT
    why_not = (alone.why_not_take if out else alone.why_not_bring)(loan, viewer, now)
    return Action(
        "I took it" if out else "It is back in its place",
        f"{path}/{'taking' if out else 'bringing'}",
        why_not=why_not,
        key=f"alone-{loan.id}-{loan.version}",
        fields={"version": loan.version},
    )


def _show(loan: Loan, path: str, direction: Direction, shown: Shown | None) -> Action:
    """Each press makes another code, so each drawing of the button has another key."""
    label = SHOW[direction]
    if shown is not None:
        label = "Show a new code" if shown.mine else "Show one on this phone instead"
    return Action(
        label,
        f"{path}/code",
        "quiet",
        key=f"code-{loan.id}-{loan.version}-{shown.mark if shown else 'none'}",
        fields={"version": loan.version},
    )
