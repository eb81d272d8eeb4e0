"""A notice: one thing that one person should know, and whether they have seen it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base
from app.people.models import Person


class Kind(enum.StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    HANDED_OVER = "handed_over"
    RETURN_CLAIMED = "return_claimed"
    NOT_HERE = "not_here"
    TAKEN_BACK = "taken_back"
    NO_SHOW = "no_show"
    LAPSED = "lapsed"
    PAUSED_FOR_SILENCE = "paused_for_silence"
    # Reminders: each once for its loan and due instant.
    ANSWER_SOON = "answer_soon"
    STARTS_SOON = "starts_soon"
    WAS_IT_FETCHED = "was_it_fetched"
    DUE_SOON = "due_soon"
    DUE = "due"
    LATE = "late"
    CONFIRM_RETURN = "confirm_return"
    STUCK = "stuck"
    APPROVED_AT_ONCE = "approved_at_once"
    # Of hand-overs that the borrower confirms, and of lending at the door.
    FETCHED = "fetched"
    GIVEN_BACK = "given_back"
    LENT = "lent"
    # Other dates, and what a late return means for others.
    CHANGE_PROPOSED = "change_proposed"
    CHANGE_AGREED = "change_agreed"
    CHANGE_REFUSED = "change_refused"
    CHANGE_WITHDRAWN = "change_withdrawn"
    CHANGE_ENDED = "change_ended"
    AT_RISK = "at_risk"
    NEXT_WAITS = "next_waits"
    SOMEONE_WAITS = "someone_waits"
    WILL_WAIT = "will_wait"
    FETCH_SAID = "fetch_said"
    # What went wrong, and how it is put right.
    INCIDENT = "incident"
    OFFER = "offer"
    SETTLED = "settled"
    FOUND = "found"
    AMOUNT = "amount"
    MEDIATOR_NAMED = "mediator_named"
    MEDIATOR_JOINED = "mediator_joined"
    MEDIATOR_ASKED = "mediator_asked"
    MEDIATOR_LEFT = "mediator_left"
    UNDONE = "undone"
    FREE_AGAIN = "free_again"
    CORRECTED = "corrected"
    UNSAFE = "unsafe"
    TOOL_UNSAFE = "tool_unsafe"
    TOOL_MISSING = "tool_missing"
    TOOL_BROKEN = "tool_broken"
    TOOL_IN_ORDER = "tool_in_order"
    # The waitlist.
    OFFERED = "offered"
    OFFER_RAN_OUT = "offer_ran_out"
    WAIT_PAUSED = "wait_paused"
    WAIT_OVER = "wait_over"
    WAIT_GONE = "wait_gone"
    MOVED_IN_LINE = "moved_in_line"
    LINE_CHANGED = "line_changed"
    # What somebody wrote: one for each room until it is seen. It is counted there, not by the bell.
    MESSAGE = "message"
    KEEPER_NAMED = "keeper_named"
    KEEPER_RELEASED = "keeper_released"
    REPORTED = "reported"
    # What somebody asks all neighbours for, and searches that are watched.
    WANTED_ANSWERED = "wanted_answered"
    WANTED_LISTED = "wanted_listed"
    WANTED_REPORTED = "wanted_reported"
    WANTED_REMOVED = "wanted_removed"
    WATCHED = "watched"


class Notice(Base):
    """`subject` is the topic of what it is about; `facts` what its sentence needs besides.

    `kind` has no CHECK: kinds come with features, and a sentence for each is a test's business.
    """

    __tablename__ = "notice"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
        Index("ix_notice_person", "person_id", "id"),
        Index("ix_notice_unseen", "person_id", postgresql_where=text("seen_at IS NULL")),
        Index(
            "uq_notice_once",
            "community_id",
            "person_id",
            "subject",
            "kind",
            "due_at",
            unique=True,
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    person_id: Mapped[int]
    kind: Mapped[str]
    subject: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    due_at: Mapped[datetime | None]
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]

    by: Mapped[Person | None] = relationship(lazy="raise", viewonly=True)
