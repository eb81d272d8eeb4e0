"""People, communities and who belongs where."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import NewType
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, LargeBinary, false, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base

PersonId = NewType("PersonId", int)
CommunityId = NewType("CommunityId", int)


class Role(enum.StrEnum):
    MEMBER = "member"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


class Status(enum.StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"


class JoinRule(enum.StrEnum):
    OPEN = "open"
    REQUEST = "request"
    INVITE = "invite"


def one_of(column: str, kind: type[enum.StrEnum]) -> CheckConstraint:
    """A CHECK that keeps a text column within an enum's words."""
    words = ", ".join(f"'{word}'" for word in kind)
    return CheckConstraint(f"{column} IN ({words})", name=column)


class Person(Base):
    __tablename__ = "person"
    __table_args__ = (
        Index("uq_person_email", func.lower(text("email")), unique=True),
        CheckConstraint("char_length(name) BETWEEN 1 AND 80", name="name"),
        Index(
            "ix_person_hands_over",
            "hands_over_until",
            postgresql_where=text("hands_over_until IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    locale: Mapped[str] = mapped_column(default="en-GB")
    last_community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime]
    # Off unless switched on; others see it only in a room that is theirs, too.
    shows_here: Mapped[bool] = mapped_column(default=False, server_default=false())
    shows_typing: Mapped[bool] = mapped_column(default=False, server_default=false())
    shows_last: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Since when the e-mail is proved theirs: mail about others goes to no other address.
    verified_at: Mapped[datetime | None]
    # Until when they say that they can hand over; cleared by the clock, so it leaves no history.
    hands_over_until: Mapped[datetime | None]


class Community(Base):
    __tablename__ = "community"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'", name="slug"),
        one_of("join_rule", JoinRule),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    zone: Mapped[str]
    locale: Mapped[str] = mapped_column(default="en-GB")
    join_rule: Mapped[str] = mapped_column(default=JoinRule.REQUEST)
    area: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(default="EUR")
    created_at: Mapped[datetime]

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class Membership(Base):
    __tablename__ = "membership"
    __table_args__ = (one_of("role", Role), one_of("status", Status))

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(default=Role.MEMBER)
    status: Mapped[str] = mapped_column(default=Status.PENDING)
    note: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]
    joined_at: Mapped[datetime | None]
    # A coordinator said no or sent them away: from then on only a coordinator lets them in.
    removed_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="raise", viewonly=True)
    community: Mapped[Community] = relationship(lazy="raise", viewonly=True)


class Block(Base):
    """One person keeps another away, in all communities; both directions count alike.

    Outside any community, as people are. A deleted person's blocks go with them.
    """

    __tablename__ = "block"
    __table_args__ = (CheckConstraint("blocker_id <> blocked_id", name="oneself"),)

    blocker_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    blocked_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime]


class Session(Base):
    """A signed-in browser. The cookie holds a secret; the row holds only its hash."""

    __tablename__ = "session"

    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    device: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ApiToken(Base):
    """A bearer token of the JSON API: hashed, and ended by 30 idle days."""

    __tablename__ = "api_token"

    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class JoinLink(Base):
    """A code that makes a member. Derived from SECRET_KEY and the nonce, looked up by hash."""

    __tablename__ = "join_link"

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    uses_left: Mapped[int]


class ResetLink(Base):
    """A one-use link with which a person sets a new password: handed over in person, or mailed."""

    __tablename__ = "reset_link"

    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"))
    made_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    mailed: Mapped[bool] = mapped_column(default=False, server_default=false())


class ConfirmLink(Base):
    """A one-use link that proves an address, and only that of the time when it was sent."""

    __tablename__ = "confirm_link"

    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    email: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Instance(Base):
    """The one row that says whether this instance has been set up."""

    __tablename__ = "instance"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    set_up_at: Mapped[datetime | None]
