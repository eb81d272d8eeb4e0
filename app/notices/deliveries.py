"""What leaves the page for somebody's phone or letter box, and how that went."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.notices.kinds import Channel
from app.outgoing import Outgoing, Sending
from app.people.models import one_of


class Delivery(Outgoing, Base):
    """One notice by one channel, once it has been decided that it goes that way.

    Those with the same `bundle` go to a person together.
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
