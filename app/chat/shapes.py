"""Messages as JSON."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import ConfigDict, Field

from app.chat import rules, search
from app.chat.models import Message, MessageKind
from app.http.schemas import ID_LIMIT, Answered, Asked, Id, Named, Paged
from app.people.viewer import Here


class MessageOut(Answered):
    id: int = Field(examples=[913])
    kind: MessageKind = Field(description="text: somebody said it; note: something happened")
    author: Named | None = Field(description="null: it happened by itself")
    body: str = Field(
        examples=["Can I fetch it at six?"], description="Plain text; empty once it is taken back"
    )
    client_id: uuid.UUID | None = Field(description="As its author's program named it")
    quotes: int | None = Field(description="The message that it refers to", examples=[None])
    photo: str | None = Field(examples=[None], description="Where it is to be had")
    revision: int = Field(examples=[5], description="Send the highest as `since` for what is new")
    at: datetime
    edited_at: datetime | None = Field(examples=[None])
    removed_at: datetime | None = Field(examples=[None], description="Its author took it back")


class NewMessage(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "body": "Can I fetch it at six?",
                    "client_id": "8a1f3f5e-7f0a-4c3e-9b52-0d3f6f1f8f11",
                }
            ]
        }
    )

    body: str = Field(max_length=rules.LONGEST)
    client_id: uuid.UUID | None = Field(
        None, description="Made by you: sent again, it is the same message, not a second one"
    )
    quotes: Id | None = Field(None, description="A message of the same room that this one answers")


class OtherWords(Asked):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"body": "Can I fetch it at seven?"}]}
    )

    body: str = Field(max_length=rules.LONGEST)


class ReadAsked(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"up_to": 5}]})

    up_to: int = Field(ge=0, lt=ID_LIMIT, description="The highest `revision` that was shown")


class MessagesAsked(Paged):
    since: int = Field(0, ge=0, lt=ID_LIMIT, description="A `revision`: only what changed after it")


class WordsAsked(Paged):
    q: str = Field(min_length=1, max_length=search.LONGEST, examples=["ladder"])


class FoundOut(Answered):
    room_id: int = Field(examples=[19])
    message: MessageOut


class RoomOut(Answered):
    id: int = Field(examples=[19])
    tool: Named | None = Field(description="What is talked about")
    loan_id: int | None = Field(examples=[42], description="null: a question, no loan yet")
    unread: int = Field(examples=[2], description="Of others; more than 100 are not counted")
    last: MessageOut | None


def message_out(message: Message, here: Here) -> MessageOut:
    author, rooms = message.author, f"/api/v1{here.path}/rooms"
    return MessageOut(
        id=message.id,
        kind=MessageKind(message.kind),
        author=Named(id=author.id, name=author.name) if author else None,
        body=message.body,
        client_id=message.client_id,
        quotes=message.quotes_id,
        photo=f"{rooms}/{message.conversation_id}/photos/{message.photo_name}"
        if message.photo_name
        else None,
        revision=message.revision,
        at=message.created_at.astimezone(here.zone),
        edited_at=message.edited_at and message.edited_at.astimezone(here.zone),
        removed_at=message.removed_at and message.removed_at.astimezone(here.zone),
    )
