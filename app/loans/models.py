"""A loan, and the events that tell its story."""

from __future__ import annotations

from datetime import datetime
from typing import NewType

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    and_,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote

from app.db import Base
from app.loans.states import FINAL, MOVES, POSSESSED, UNDO_WITHIN, UNDOABLE, Act, State
from app.people.models import Person, one_of
from app.tools.models import Tool

LoanId = NewType("LoanId", int)
INSTANTS = {
    Act.APPROVE: "decided_at",
    Act.DECLINE: "decided_at",
    Act.HAND_OVER: "out_at",
    Act.FETCH: "out_at",
    Act.CLAIM_RETURN: "claimed_at",
    Act.TAKE_BACK: "back_at",
    Act.GIVE_BACK: "back_at",
    Act.WAIT: "waits_since",
    Act.FETCHED: "fetched_said_at",
}


class Loan(Base):
    __tablename__ = "loan"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        ForeignKeyConstraint(
            ["community_id", "borrower_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(
            ["community_id", "lender_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(
            ["community_id", "conversation_id"], ["conversation.community_id", "conversation.id"]
        ),
        # One possession: whoever has the tool in hand, nobody else has.
        Index(
            "uq_loan_possession",
            "community_id",
            "tool_id",
            unique=True,
            postgresql_where=text(
                "state IN ('out', 'return_claimed') OR (state = 'disputed' AND back_at IS NULL)"
            ),
        ),
        # What the clock looks through every second: few of all there ever were.
        Index("ix_loan_open", "community_id", "id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_loan_tool", "community_id", "tool_id", "state"),
        Index("ix_loan_borrower", "community_id", "borrower_id", "state"),
        Index("ix_loan_lender", "community_id", "lender_id", "state"),
        Index(
            "ix_loan_keepers",
            "keepers",
            postgresql_using="gin",
            postgresql_where=text("cardinality(keepers) > 0"),
        ),
        Index("ix_loan_conversation", "community_id", "conversation_id", unique=True),
        # The clock asks every second which last acts can no longer be undone.
        Index("ix_loan_undo", "undo_until", postgresql_where=text("undo_until IS NOT NULL")),
        Index("ix_loan_mediator", "mediator_id", postgresql_where=text("mediator_id IS NOT NULL")),
        ForeignKeyConstraint(
            ["community_id", "mediator_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(
            ["community_id", "named_id"], ["membership.community_id", "membership.person_id"]
        ),
        CheckConstraint(
            "mediator_id <> lender_id AND mediator_id IS DISTINCT FROM borrower_id"
            " OR mediator_id IS NULL",
            name="mediator",
        ),
        one_of("state", State),
        CheckConstraint("NOT isempty(period)", name="period"),
        CheckConstraint("(borrower_id IS NULL) <> (borrower_name IS NULL)", name="borrower"),
        CheckConstraint("borrower_id <> lender_id", name="own_tool"),
        CheckConstraint(
            "lender_id <> ALL (keepers) AND (borrower_id <> ALL (keepers) OR borrower_id IS NULL)",
            name="keepers",
        ),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    tool_id: Mapped[int]
    borrower_id: Mapped[int | None]
    borrower_name: Mapped[str | None]
    lender_id: Mapped[int]
    keepers: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)  # who lends it, too
    conversation_id: Mapped[int]
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    price_cents: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default=State.REQUESTED)
    version: Mapped[int] = mapped_column(default=1)
    reason: Mapped[str] = mapped_column(default="")
    place: Mapped[str] = mapped_column(default="")
    deposit_cents: Mapped[int] = mapped_column(default=0)  # as agreed; paid from hand to hand
    safety: Mapped[str] = mapped_column(default="")  # the note that the borrower has accepted
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    out_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    back_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    waits_since: Mapped[datetime | None]  # the borrower knows that the tool is late, and waits
    fetched_said_at: Mapped[datetime | None]  # "I have it", says the borrower; the lender has not
    undo_until: Mapped[datetime | None]
    mediator_id: Mapped[int | None]
    named_id: Mapped[int | None]  # named as mediator by one; the other has not agreed yet
    named_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    tool: Mapped[Tool] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: and_(
            remote(Tool.community_id) == Loan.community_id,
            remote(Tool.id) == foreign(Loan.tool_id),
        ),
    )
    borrower: Mapped[Person | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: remote(Person.id) == foreign(Loan.borrower_id),
    )
    lender: Mapped[Person] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: remote(Person.id) == foreign(Loan.lender_id),
    )

    @property
    def start(self) -> datetime:
        assert self.period.lower is not None, "a loan's period is bounded"
        return self.period.lower

    @property
    def end(self) -> datetime:
        assert self.period.upper is not None, "a loan's period is bounded"
        return self.period.upper

    @property
    def in_hand(self) -> bool:
        """Somebody has the tool by this loan: the rows of `uq_loan_possession`."""
        state = State(self.state)
        return state in POSSESSED or (state is State.DISPUTED and self.back_at is None)

    @property
    def lenders(self) -> tuple[int, ...]:
        """The lender, and the other keepers of a community's tool; nobody before it is kept."""
        return (self.lender_id, *(self.keepers or ()))

    @property
    def parties(self) -> tuple[int, ...]:
        """Everybody with an account on one of the two sides."""
        return self.lenders if self.borrower_id is None else (self.borrower_id, *self.lenders)

    def lent_by(self, person_id: int) -> bool:
        return person_id in self.lenders

    def same_side(self, one: int, other: int) -> bool:
        """Whether two who have acted cannot agree with each other: keepers speak with one voice.

        Also those who were keepers then, and are not any more.
        """
        return (one == self.borrower_id) == (other == self.borrower_id)

    def other_than(self, person_id: int) -> int | None:
        """The other party; None where the borrower has no account."""
        return self.lender_id if person_id == self.borrower_id else self.borrower_id

    def move(self, act: Act, now: datetime) -> State:
        """The next state by the table of moves, and its instant; the rule was asked before."""
        was = State(self.state)
        self.state, _ = MOVES[was, act]
        self.version += 1
        if act in INSTANTS:
            setattr(self, INSTANTS[act], now)
        if act is Act.NOT_HERE:
            self.claimed_at = None
        if act is Act.CHANGE:  # other dates, other questions
            self.waits_since = self.fetched_said_at = None
        if self.state in FINAL:
            self.ended_at = now
        self.undo_until = now + UNDO_WITHIN if act in UNDOABLE else None
        return was

    def undo(self, act: Act, was: State) -> None:
        """Back to the state that this last act has led out of; the rule was asked before."""
        assert act in UNDOABLE, act
        assert MOVES[was, act][0] == self.state, "only what was done last is undone"
        self.state = was
        self.version += 1
        self.ended_at = self.undo_until = None
        if act in INSTANTS:
            setattr(self, INSTANTS[act], None)
        if act in (Act.DECLINE, Act.CANCEL):
            self.reason = ""
        if act is Act.CLAIM_RETURN:
            self.place = ""

    def correct(
        self,
        to: State,
        period: Range[datetime],
        out_at: datetime | None,
        back_at: datetime | None,
        now: datetime,
    ) -> State:
        """What is really so, beside the table of moves; the rule was asked before."""
        was = State(self.state)
        self.state, self.period = to, period
        self.out_at, self.back_at = out_at, back_at
        self.version += 1
        self.undo_until = None
        if to is State.REQUESTED:
            self.decided_at = None
        else:
            self.decided_at = self.decided_at or now
        self.claimed_at = (self.claimed_at or now) if to is State.RETURN_CLAIMED else None
        self.ended_at = (self.ended_at or now) if to in FINAL else None
        return was


# As its index says it: few loans are of a community's tool with several keepers.
KEPT = func.cardinality(Loan.keepers) > literal_column("0")


class Trust(Base):
    """A lender trusts a borrower: where a tool says so, a request of theirs is approved at once."""

    __tablename__ = "trust"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "lender_id"], ["membership.community_id", "membership.person_id"]
        ),
        ForeignKeyConstraint(
            ["community_id", "borrower_id"], ["membership.community_id", "membership.person_id"]
        ),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    lender_id: Mapped[int] = mapped_column(primary_key=True)
    borrower_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class LoanEvent(Base):
    """One line of a loan's story: added, never rewritten."""

    __tablename__ = "loan_event"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "loan_id"], ["loan.community_id", "loan.id"]),
        Index("ix_loan_event_loan", "community_id", "loan_id", "id"),
        Index("ix_loan_event_recent", "community_id", "at"),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    loan_id: Mapped[int]
    act: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
