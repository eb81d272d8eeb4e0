"""A loan of a community's tool: which keepers lend it, and what a block does to that."""

from __future__ import annotations

from app.db import Tx
from app.errors import Refusal
from app.loans.models import Loan
from app.people import blocks
from app.people import queries as people
from app.people.models import Status
from app.people.viewer import Apart
from app.tools.models import Tool

NOBODY = Refusal(
    "Nobody can lend this tool at the moment.", "Ask a coordinator to name another keeper."
)


async def between(tx: Tx, me: int, loan: Loan) -> Apart | None:
    """The block that keeps me from the other side: one keeper without a block is enough."""
    others: tuple[int | None, ...] = (loan.borrower_id,) if loan.lent_by(me) else loan.lenders
    return await blocks.from_each(tx, me, others)


async def lenders_for(tx: Tx, tool: Tool, borrower_id: int | None) -> tuple[int, list[int]]:
    """Who lends the tool to this person: the first one, and the others who may act as well.

    Of a community's tool those keepers who are members, and whom no block keeps from them.
    Raises Refusal where nobody is left.
    """
    if tool.owner_id is not None:
        return tool.owner_id, []
    found = await able(tx, tool, borrower_id)
    if not found:
        raise NOBODY
    return found[0], found[1:]


async def beside(tx: Tx, tool: Tool, lender_id: int, borrower_id: int | None) -> list[int]:
    """The other keepers of a loan that this one has just made."""
    found = await able(tx, tool, borrower_id)
    return [keeper for keeper in found if keeper != lender_id]


async def able(tx: Tx, tool: Tool, borrower_id: int | None) -> list[int]:
    """The keepers who could lend it to this person, in their order."""
    apart = await blocks.apart_from(tx, borrower_id) if borrower_id is not None else frozenset()
    found = []
    for keeper in tool.keepers:
        standing = await people.standing(tx, tool.community_id, keeper)
        active = standing is not None and standing.status == Status.ACTIVE
        if active and keeper != borrower_id and keeper not in apart:
            found.append(keeper)
    return found
