"""May this coordinator do this to this neighbour, and may this one leave?"""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import NotFound, Refusal
from app.loans.models import Loan
from app.loans.states import State
from app.people.models import Membership, Role, Status
from app.people.rules import why_not_coordinate
from app.people.viewer import Viewer

IN_IT = (Status.ACTIVE, Status.SUSPENDED)
HAS_A_TOOL = (State.OUT, State.RETURN_CLAIMED, State.DISPUTED)
LAST_ADMIN = Refusal(
    "The last admin stays.", "Make somebody else an admin first.", lifted_by="admin"
)


def why_not_act(standing: Membership, by: Viewer) -> Refusal | None:
    """What holds for everything that is done to a member. Raises NotFound for who has left."""
    if refusal := why_not_coordinate(by):
        return refusal
    if standing.status == Status.LEFT:
        raise NotFound
    if standing.person_id == by.person_id:
        return Refusal("Nobody decides about themselves.", lifted_by="another coordinator")
    if standing.role != Role.MEMBER and by.role != Role.ADMIN:
        return Refusal("Only an admin decides about coordinators.", lifted_by="admin", status=403)
    return None


def why_not_role(
    standing: Membership, by: Viewer, role: str, admins: Sequence[int]
) -> Refusal | None:
    """Roles are given by admins, never to oneself; `admins` are the ids of the active ones."""
    if refusal := why_not_coordinate(by):
        return refusal
    if by.role != Role.ADMIN:
        return Refusal("Only an admin gives roles.", lifted_by="admin", status=403)
    if refusal := why_not_act(standing, by):
        return refusal
    if standing.status != Status.ACTIVE:
        return Refusal("Only an active member can have a role.", "Let them in first.")
    if role != Role.ADMIN and is_last_admin(standing, admins):
        return LAST_ADMIN
    return None


def why_not_go(
    standing: Membership, loans: Sequence[Loan], admins: Sequence[int]
) -> Refusal | None:
    """Whether somebody can go now: not with a neighbour's tool, nor while theirs is out."""
    if is_last_admin(standing, admins):
        return LAST_ADMIN
    for loan in loans:
        if loan.state not in HAS_A_TOOL:
            continue
        if loan.borrower_id == standing.person_id:
            return Refusal(
                f"{loan.tool.name} has not been given back yet.",
                f"First it goes back to {loan.lender.name}.",
                lifted_by="its return",
            )
        return Refusal(
            f"{loan.tool.name} is still lent.", "First it comes back.", lifted_by="its return"
        )
    return None


def is_last_admin(standing: Membership, admins: Sequence[int]) -> bool:
    return standing.role == Role.ADMIN and list(admins) == [standing.person_id]


def expects(standing: Membership, *wanted: Status, done: Status) -> bool:
    """True if there is something to do; False if it is done already.

    Raises Refusal if somebody else has decided otherwise meanwhile.
    """
    if standing.status == done:
        return False
    if standing.status not in wanted:
        raise Refusal("This has been decided meanwhile.", "Look at the members as they are now.")
    return True
