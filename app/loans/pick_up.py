"""Where a loan's tool is fetched: the exact place, for the two of it and nobody else.

From a day before the start, once it is promised, until it is back. Whoever a block stands between
settles the rest through a mediator, without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import topic
from app.db import Tx
from app.loans import queries, rules
from app.loans.models import Loan
from app.loans.states import State, Who
from app.people.viewer import Apart, Viewer
from app.realtime import touch
from app.tools import grid, places, where
from app.tools.places import PlaceText

EARLY = rules.EARLY_PICK_UP


@dataclass(frozen=True)
class PickUp:
    """`point`: latitude and longitude, or "". Before its time nothing but `later`."""

    address: str = ""
    point: str = ""
    later: bool = False


async def tell(tx: Tx, loan: Loan, by: Viewer, apart: Apart | None, now: datetime) -> PickUp | None:
    """Asked for anew with each drawing. `apart`: the block between the two, if there is one."""
    promised = State(loan.state) is State.APPROVED and not by.suspended
    if not _is_of_it(loan, by, apart) or not (loan.in_hand or promised):
        return None
    place = await where.exact(tx, loan.tool)
    if place is None or not (place.address or place.lat is not None):
        return None
    if promised and now < loan.start - EARLY:
        return PickUp(later=True)
    return PickUp(place.address, grid.typed(place.lat, place.lon))


async def keep(
    tx: Tx, text: PlaceText, by: Viewer, now: datetime, tool_id: int | None = None
) -> None:
    """The place of a person, or of a tool. Who may read it now reads the new one at once."""
    await _show(tx, by.community_id, await places.keep(tx, text, by, now, tool_id))


async def forget(tx: Tx, by: Viewer, tool_id: int | None = None) -> None:
    await _show(tx, by.community_id, await places.forget(tx, by, tool_id))


async def _show(tx: Tx, community_id: int, tool_ids: Sequence[int]) -> None:
    for loan in await queries.open_of_tools(tx, community_id, tool_ids):
        touch(tx, topic.loan(community_id, loan.id))


def _is_of_it(loan: Loan, by: Viewer, apart: Apart | None) -> bool:
    part = rules.part_of(loan, by)
    return apart is None and loan.borrower_id is not None and part in (Who.BORROWER, Who.LENDER)
