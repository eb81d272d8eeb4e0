"""A conversation is about a tool, and has messages and participants."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import NamedTuple, NewType

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, false, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote

from app.db import Base
from app.people.models import Person, one_of

ConversationId = NewType("ConversationId", int)


class MessageKind(enum.StrEnum):
    TEXT = "text"
    NOTE = "note"  # a line of the system: a change of state


class Picture(NamedTuple):
    """A photo on disk, as a message holds it; pixels of its largest copy."""

    name: str
    width: int
    height: int


class Conversation(Base):
    """About a tool that somebody has borrowed, or (`question`) only asks about until now."""

    __tablename__ = "conversation"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "tool_id"], ["tool.community_id", "tool.id"]),
        ForeignKeyConstraint(
            ["community_id", "after_id"], ["conversation.community_id", "conversation.id"]
        ),
        # One question at a time; and where the last talk of the two about a tool is found.
        Index(
            "uq_conversation_question",
            "community_id",
            "tool_id",
            "asker_id",
            unique=True,
            postgresql_where=text("question"),
        ),
        Index(
            "ix_conversation_tool",
            "community_id",
            "tool_id",
            "asker_id",
            postgresql_where=text("tool_id IS NOT NULL"),
        ),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    created_at: Mapped[datetime]
    tool_id: Mapped[int | None]
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    question: Mapped[bool] = mapped_column(default=False, server_default=false())
    after_id: Mapped[int | None]  # the talk of the same two about the same tool before this one


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
    """Never deleted, only emptied. `born` and `revision` are versions of the room's topic."""

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
        ForeignKeyConstraint(["community_id", "quotes_id"], ["message.community_id", "message.id"]),
        # A message that changes takes those that quote it along.
        Index(
            "ix_message_quotes",
            "community_id",
            "quotes_id",
            postgresql_where=text("quotes_id IS NOT NULL"),
        ),
        ForeignKeyConstraint(
            ["community_id", "change_id"], ["loan_change.community_id", "loan_change.id"]
        ),
        Index(
            "ix_message_change",
            "community_id",
            "change_id",
            postgresql_where=text("change_id IS NOT NULL"),
        ),
        Index(
            "ix_message_photo",
            "community_id",
            "photo_name",
            postgresql_where=text("photo_name IS NOT NULL"),
        ),
        Index(
            "ix_message_words",
            "body",
            postgresql_using="gin",
            postgresql_ops={"body": "gin_trgm_ops"},
        ),
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
    quotes_id: Mapped[int | None]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]  # its words are gone then
    change_id: Mapped[int | None]  # a note that is the card of other dates for the loan
    photo_name: Mapped[str | None]
    photo_width: Mapped[int | None]
    photo_height: Mapped[int | None]

    author: Mapped[Person | None] = relationship(lazy="raise", viewonly=True)

    @property
    def picture(self) -> Picture | None:
        if self.photo_name is None:
            return None
        return Picture(self.photo_name, self.photo_width or 0, self.photo_height or 0)


class Report(Base):
    """What somebody shows to coordinators, as it was said then: the message may change or go."""

    __tablename__ = "report"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "message_id"], ["message.community_id", "message.id"]
        ),
        Index("uq_report_message", "community_id", "message_id", "reporter_id", unique=True),
        Index("ix_report_open", "community_id", postgresql_where=text("settled_at IS NULL")),
    )

    community_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, autoincrement=True)
    message_id: Mapped[int]
    reporter_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    words: Mapped[str]
    photo_name: Mapped[str | None]
    said_at: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    outcome: Mapped[str] = mapped_column(default="", server_default="")

    reporter: Mapped[Person] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: remote(Person.id) == foreign(Report.reporter_id),
    )
    author: Mapped[Person] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: remote(Person.id) == foreign(Report.author_id),
    )
