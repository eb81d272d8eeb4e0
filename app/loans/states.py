"""The life of a loan as a table: (state, act) → (next state, who may)."""

from __future__ import annotations

import enum
from datetime import timedelta


class State(enum.StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    OUT = "out"
    RETURN_CLAIMED = "return_claimed"
    RETURNED = "returned"
    DISPUTED = "disputed"
    CLOSED = "closed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    NO_SHOW = "no_show"


class Act(enum.StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"
    EXPIRE = "expire"
    CANCEL = "cancel"
    HAND_OVER = "hand_over"
    LAPSE = "lapse"
    NO_SHOW = "no_show"
    CLAIM_RETURN = "claim_return"
    NOT_HERE = "not_here"
    TAKE_BACK = "take_back"
    FETCH = "fetch"  # the borrower, with the code of the lender's phone or by self-service
    GIVE_BACK = "give_back"
    CLOSE = "close"
    CHANGE = "change"
    WAIT = "wait"
    FETCHED = "fetched"
    DISPUTE = "dispute"
    SETTLE = "settle"


class Who(enum.Flag):
    """The part somebody plays in one loan; a coordinator may also be its lender."""

    NOBODY = 0
    BORROWER = enum.auto()
    LENDER = enum.auto()
    COORDINATOR = enum.auto()
    SYSTEM = enum.auto()
    MEDIATOR = enum.auto()


B, L, A, S = Who.BORROWER, Who.LENDER, Who.COORDINATOR, Who.SYSTEM
M = Who.MEDIATOR

MOVES: dict[tuple[State, Act], tuple[State, Who]] = {
    (State.REQUESTED, Act.APPROVE): (State.APPROVED, L | A | S),
    (State.REQUESTED, Act.SUPERSEDE): (State.SUPERSEDED, S),
    (State.REQUESTED, Act.DECLINE): (State.DECLINED, L | A | S),
    (State.REQUESTED, Act.WITHDRAW): (State.WITHDRAWN, B),
    (State.REQUESTED, Act.EXPIRE): (State.EXPIRED, S),
    (State.APPROVED, Act.CANCEL): (State.CANCELLED, B | L | A),
    (State.APPROVED, Act.HAND_OVER): (State.OUT, L),
    (State.APPROVED, Act.FETCH): (State.OUT, B),
    (State.APPROVED, Act.LAPSE): (State.LAPSED, S),
    (State.APPROVED, Act.NO_SHOW): (State.NO_SHOW, L | A),
    (State.OUT, Act.CLAIM_RETURN): (State.RETURN_CLAIMED, B),
    (State.RETURN_CLAIMED, Act.NOT_HERE): (State.OUT, L),
    (State.OUT, Act.TAKE_BACK): (State.RETURNED, L | A),
    (State.RETURN_CLAIMED, Act.TAKE_BACK): (State.RETURNED, L | A),
    (State.OUT, Act.GIVE_BACK): (State.RETURNED, B),
    (State.RETURN_CLAIMED, Act.GIVE_BACK): (State.RETURNED, B),
    (State.RETURNED, Act.CLOSE): (State.CLOSED, L | S),
    # The state stays: other dates agreed on, a late tool waited for, "I have it" said.
    (State.APPROVED, Act.CHANGE): (State.APPROVED, B | L),
    (State.OUT, Act.CHANGE): (State.OUT, B | L),
    (State.APPROVED, Act.WAIT): (State.APPROVED, B),
    (State.APPROVED, Act.FETCHED): (State.APPROVED, B),
    (State.OUT, Act.DISPUTE): (State.DISPUTED, B | L),
    (State.RETURNED, Act.DISPUTE): (State.DISPUTED, B | L),
    (State.DISPUTED, Act.SETTLE): (State.CLOSED, B | L | M),
}

FINAL = frozenset(
    {
        State.CLOSED,
        State.DECLINED,
        State.WITHDRAWN,
        State.EXPIRED,
        State.SUPERSEDED,
        State.CANCELLED,
        State.LAPSED,
        State.NO_SHOW,
    }
)
POSSESSED = frozenset({State.OUT, State.RETURN_CLAIMED})
"""The borrower has the tool, or says that it was brought back."""
OPEN = frozenset(State) - FINAL
UNDO_WITHIN = timedelta(minutes=10)
UNDOABLE = frozenset(
    {
        Act.APPROVE,
        Act.DECLINE,
        Act.WITHDRAW,
        Act.CANCEL,
        Act.HAND_OVER,
        Act.NO_SHOW,
        Act.CLAIM_RETURN,
        Act.TAKE_BACK,
    }
)
"""What whoever did it may take back for a while, if nobody has built on it."""
