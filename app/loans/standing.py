"""A loan as it stands for one of its two: its own state, what is proposed for it, what puts it at
risk, and the buttons that follow from all of that. Lists and pages tell it alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import joinedload

from app.db import Tx
from app.errors import Refusal
from app.loans import off, proposal_words, proposals, ripple, rules, telling
from app.loans.models import Loan
from app.loans.proposal import ChangeState, LoanChange
from app.loans.proposal_words import Proposed
from app.loans.proposals import CAN_CHANGE
from app.loans.states import Act, State, Who
from app.loans.telling import Action, Told
from app.people.viewer import Apart, Here, Viewer

NEVER_FETCHED = "It was never fetched."


@dataclass(frozen=True)
class Around:
    """What else there is to know of some loans, read in two queries however many they are."""

    holders: Mapping[tuple[int, int], Loan]
    changes: Mapping[tuple[int, int], LoanChange]

    def holder(self, loan: Loan) -> Loan | None:
        return self.holders.get((loan.community_id, loan.tool_id))

    def change(self, loan: Loan) -> LoanChange | None:
        return self.changes.get((loan.community_id, loan.id))

    def at_risk(self, loan: Loan, now: datetime) -> bool:
        return ripple.at_risk(loan, self.holder(loan), now)


async def around(tx: Tx, loans: Sequence[Loan]) -> Around:
    changing = sorted((o.community_id, o.id) for o in loans if State(o.state) in CAN_CHANGE)
    changes: dict[tuple[int, int], LoanChange] = {}
    if changing:
        rows = await tx.scalars(
            select(LoanChange)
            .options(joinedload(LoanChange.by))
            .where(
                tuple_(LoanChange.community_id, LoanChange.loan_id).in_(changing),
                LoanChange.state == ChangeState.OPEN,
            )
        )
        changes = {(one.community_id, one.loan_id): one for one in rows}
    return Around(await ripple.holders(tx, loans), changes)


def tell(loan: Loan, known: Around, here: Here, person_id: int, now: datetime, locale: str) -> Told:
    told, change = telling.tell(loan, here, person_id, now, locale), known.change(loan)
    if rules.is_late(loan, now) and loan.lent_by(person_id):
        borrower = told.borrower_name.split()[0]
        told = replace(told, next_step=f"Is it back? {borrower} should bring it", my_turn=True)
    if known.at_risk(loan, now):
        told = ripple.retell(told, loan, person_id)
    elif _was_it_fetched(loan, now):
        told = _asked_whether(told, loan, person_id)
    elif off.is_asked(loan) and (loan.lent_by(person_id) or person_id == loan.borrower_id):
        told = off.retell(told, loan, person_id)
    if change is not None:
        told = proposal_words.retell(told, change, loan, person_id, here, now, locale)
    return told


def _was_it_fetched(loan: Loan, now: datetime) -> bool:
    return loan.state == State.APPROVED and now >= loan.end


def _asked_whether(told: Told, loan: Loan, person_id: int) -> Told:
    if not loan.fetched_said_at:
        return replace(told, next_step="Was it handed over?", my_turn=True)
    if person_id == loan.borrower_id:
        return replace(told, next_step="You said that you have it", my_turn=False)
    step = f"{told.borrower_name.split()[0]} says that it was handed over. Was it?"
    return replace(told, next_step=step, my_turn=True)


def actions(
    loan: Loan, known: Around, viewer: Viewer, now: datetime, back: str = ""
) -> list[Action]:
    """The buttons besides those that answer a proposal; a late tool's come first."""
    part = rules.part_of(loan, viewer)
    if part is Who.BORROWER:
        if known.at_risk(loan, now):
            return ripple.choices(loan, viewer, now, back)
        if _was_it_fetched(loan, now):
            return _fetched_or_not(loan, viewer, now, back)
    offered = telling.actions(loan, viewer, known.holder(loan), now, back)
    if part is Who.LENDER and off.is_asked(loan):
        return off.choices(loan, offered, viewer, now, back)
    return offered


def _fetched_or_not(loan: Loan, viewer: Viewer, now: datetime, back: str) -> list[Action]:
    path = f"{viewer.here.path}/loans/{loan.id}"
    fields: dict[str, object] = {"version": loan.version} | ({"back": back} if back else {})
    if loan.fetched_said_at:
        return []
    return [
        Action(
            "Yes, I have it",
            f"{path}/fetched",
            why_not=rules.why_not(Act.FETCHED, loan, viewer, now),
            key=f"fetched-{loan.id}-{loan.version}",
            fields=fields,
        ),
        Action(
            "No, never",
            f"{path}/cancellation",
            "quiet",
            rules.why_not(Act.CANCEL, loan, viewer, now),
            key=f"never-{loan.id}-{loan.version}",
            fields=fields | {"reason": NEVER_FETCHED},
        ),
    ]


def proposed(
    loan: Loan,
    known: Around,
    viewer: Viewer,
    now: datetime,
    why_not_free: Refusal | None = None,
    back: str = "",
) -> Proposed | None:
    change = known.change(loan)
    if change is None:
        return None
    return proposal_words.tell(change, loan, viewer, now, why_not_free, back)


@dataclass(frozen=True)
class Way:
    """The way to the form for other dates, or why there is none."""

    path: str
    why_not: Refusal | None


def way_to_propose(
    loan: Loan, known: Around, viewer: Viewer, apart: Apart | None, now: datetime
) -> Way | None:
    """Nothing where the loan has no dates to change, or an answer is awaited."""
    if State(loan.state) not in CAN_CHANGE or known.change(loan) is not None:
        return None
    refusal = proposals.why_not_propose(loan, viewer, apart, None, now)
    return Way(f"{viewer.here.path}/loans/{loan.id}/changes", refusal)
