"""What leaves the page for somebody's phone or letter box, and how that went."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.notices.kinds import Channel
from app.people.models import one_of

TRIES = 8  # further and further apart: over a day in all
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=12)


class Sending(enum.StrEnum):
    READY = "ready"
    SENT = "sent"
    FAILED = "failed"  # will not be tried again


class Delivery(Base):
    """One notice by one channel, once it has been decided that it goes that way.

    Those with the same `bundle` go to a person together. While it is being carried, `send_at` lies
    ahead: whoever dies over it leaves it to the next.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "notice_id"], ["notice.community_id", "notice.id"], ondelete="CASCADE"
        ),
        one_of("channel", Channel),
        one_of("sending", Sending),
        Index("ix_delivery_ready", "send_at", postgresql_where=text("sending = 'ready'")),
        Index("ix_delivery_person", "person_id", "channel", "bundle"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    notice_id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    bundle: Mapped[str]
    sending: Mapped[str] = mapped_column(default=Sending.READY)
    send_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]


class PushSubscription(Base):
    """A browser that can be woken. It goes with the session in which it was made."""

    __tablename__ = "push_subscription"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    session_hash: Mapped[bytes] = mapped_column(
        LargeBinary, ForeignKey("session.key_hash", ondelete="CASCADE"), index=True
    )
    endpoint: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    auth: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class PushKey(Base):
    """The instance's own key, by which push services know it: made once, at the first need."""

    __tablename__ = "push_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


def put_off(attempts: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: it is no use."""
    if attempts >= TRIES:
        return None
    growth: int = 4 ** max(0, attempts - 1)
    return min(FIRST_RETRY * growth, LONGEST_RETRY)
