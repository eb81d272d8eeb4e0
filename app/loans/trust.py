"""Whom a lender trusts: who was marked, or has brought enough back in good order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import queries
from app.loans.models import Loan, LoanEvent, Trust
from app.loans.states import POSSESSED, State
from app.loans.telling import Action
from app.people import queries as people
from app.people.viewer import Viewer

GOOD_LOANS = 3


async def trusts(tx: Tx, loan: Loan, borrower_id: int, now: datetime) -> bool:
    """Whether one who lends this trusts them; never who has a tool of theirs too long just now."""
    of_the_two = (
        Loan.community_id == loan.community_id,
        queries.of_its_lender(loan),
        Loan.borrower_id == borrower_id,
    )
    late = (*of_the_two, Loan.state.in_(POSSESSED), func.upper(Loan.period) <= now)
    if await tx.scalar(select(exists().where(*late))):
        return False
    for lender_id in loan.lenders:
        if await marked(tx, loan.community_id, lender_id, borrower_id):
            return True
    disputed = exists().where(
        LoanEvent.community_id == Loan.community_id,
        LoanEvent.loan_id == Loan.id,
        LoanEvent.to_state == State.DISPUTED,
    )
    good = await tx.scalar(
        select(func.count())
        .select_from(Loan)
        .where(
            *of_the_two,
            Loan.state == State.CLOSED,
            func.coalesce(Loan.claimed_at, Loan.back_at) <= func.upper(Loan.period),
            ~disputed,
        )
    )
    return (good or 0) >= GOOD_LOANS


async def marked(tx: Tx, community_id: int, lender_id: int, borrower_id: int) -> bool:
    return await tx.get(Trust, (community_id, lender_id, borrower_id)) is not None


async def mark(tx: Tx, person_id: int, by: Viewer, now: datetime) -> None:
    """`by` trusts this neighbour with their tools. Only they know it; doing it again is nothing."""
    await people.still_in(tx, by)
    if person_id == by.person_id:
        raise Refusal("You trust yourself already.", "Mark a neighbour.")
    if await people.standing(tx, by.community_id, person_id) is None:
        raise NotFound
    row = {"community_id": by.community_id, "lender_id": by.person_id, "borrower_id": person_id}
    await tx.execute(insert(Trust).values(**row, at=now).on_conflict_do_nothing())


async def unmark(tx: Tx, person_id: int, by: Viewer) -> None:
    await people.still_in(tx, by)
    if await people.standing(tx, by.community_id, person_id) is None:
        raise NotFound
    await tx.execute(
        delete(Trust)
        .where(
            Trust.community_id == by.community_id,
            Trust.lender_id == by.person_id,
            Trust.borrower_id == person_id,
        )
        .execution_options(synchronize_session=False)
    )


async def button(tx: Tx, viewer: Viewer, loan: Loan, back: str) -> Action | None:
    """For the lender, about the borrower of this loan."""
    if not loan.lent_by(viewer.person_id) or loan.borrower is None or viewer.suspended:
        return None
    first = loan.borrower.name.split()[0]
    post = f"{viewer.here.path}/people/{loan.borrower.id}/trust"
    fields: dict[str, object] = {"back": back}
    if await marked(tx, loan.community_id, viewer.person_id, loan.borrower.id):
        told = f"You trust {first} with the tools that say so. End that, and you decide each time."
        return Action("Decide each time", f"{post}/end", "quiet", confirm=told, fields=fields)
    told = f"If you trust {first}, a request for a tool of yours that allows it is approved at once"
    told += f", unless others want the same dates. {first} is not told."
    return Action(f"Trust {first}", post, "quiet", confirm=told, fields=fields)
