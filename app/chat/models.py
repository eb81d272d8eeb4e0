"""A conversation has a subject (a topic name), messages and participants."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import NewType

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base
from app.people.models import Person, one_of

ConversationId = NewType("ConversationId", int)


class MessageKind(enum.StrEnum):
    TEXT = "text"
    NOTE = "note"  # a line of the system: a change of state


class Conversation(Base):
    __tablename__ = "conversation"

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    created_at: Mapped[datetime]


class Participant(Base):
    """Who may read and write. `seen_up_to` is a revision of the conversation."""

    __tablename__ = "participant"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "conversation_id"], ["conversation.community_id", "conversation.id"]
        ),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    seen_up_to: Mapped[int] = mapped_column(default=0)


class Message(Base):
    """Never deleted, only marked. `born` and `revision` are versions of the room's topic."""

    __tablename__ = "message"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "conversation_id"], ["conversation.community_id", "conversation.id"]
        ),
        Index(
            "uq_message_client",
            "community_id",
            "conversation_id",
            "author_id",
            "client_id",
            unique=True,
        ),
        Index("ix_message_revision", "community_id", "conversation_id", "revision"),
        Index("ix_message_born", "community_id", "conversation_id", "born"),
        one_of("kind", MessageKind),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    conversation_id: Mapped[int]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(default=MessageKind.TEXT)
    body: Mapped[str]
    client_id: Mapped[uuid.UUID | None]
    born: Mapped[int]
    revision: Mapped[int]
    created_at: Mapped[datetime]

    author: Mapped[Person | None] = relationship(lazy="raise", viewonly=True)
