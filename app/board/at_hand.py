"""What waits for whoever stands before a tool: scanning its label shows that first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.loans import alone, rules, standing
from app.loans.models import Loan
from app.loans.standing import Around
from app.loans.states import Act, State
from app.loans.telling import Action, borrower_name
from app.people.viewer import Viewer

NOUNS = ("handover", "return", "return-claim")


@dataclass(frozen=True)
class AtHand:
    """What to do, with its button; without one it is done in the loan's room."""

    words: str
    path: str
    label: str
    action: Action | None = None


def find(loans: Sequence[Loan], known: Around, viewer: Viewer, now: datetime) -> AtHand | None:
    """Of these loans of one tool: who has it comes before who is to have it, the soonest first."""
    for loan in sorted(loans, key=lambda one: (not one.in_hand, one.start, one.id)):
        found = _of(loan, known, viewer, now)
        if found is not None:
            return found
    return None


def _of(loan: Loan, known: Around, viewer: Viewer, now: datetime) -> AtHand | None:
    path = f"{viewer.here.path}/loans/{loan.id}"
    if viewer.person_id == loan.borrower_id:
        lender = loan.lender.name.split()[0]
        waits = rules.why_not_while_out(loan, known.holder(loan)) is None
        if loan.tool.self_service and alone.why_not_bring(loan, viewer, now) is None:
            return AtHand("You have it. Bring it back with a photo.", path, "Bring it back")
        if waits and loan.tool.self_service and alone.why_not_take(loan, viewer, now) is None:
            return AtHand("It waits for you. Take it with a photo.", path, "Take it")
        if (
            waits
            and loan.state == State.APPROVED
            and rules.why_not(Act.FETCH, loan, viewer, now) is None
        ):
            words = f"It is promised to you. {lender} hands it over, or shows you a code."
            return AtHand(words, path, "Open the room")
        words = f"You have it from {lender}."
    elif loan.lent_by(viewer.person_id):
        borrower = (borrower_name(loan).split() or ["a neighbour"])[0]
        words = f"{borrower} has it." if loan.in_hand else f"It is promised to {borrower}."
    else:
        return None
    for action in standing.actions(loan, known, viewer, now, back="tool"):
        if action.why_not is None and action.post.removeprefix(f"{path}/") in NOUNS:
            return AtHand(words, path, action.label, action)
    return None
