"""What two neighbours say to each other about a loan, as JSON."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field
from sqlalchemy.orm import joinedload

from app import clock, db
from app.chat import commands, queries, rules
from app.chat.models import ConversationId, Message, MessageKind
from app.http import idempotency, throttle
from app.http.schemas import (
    ID_LIMIT,
    Answered,
    Asked,
    Key,
    Listed,
    LoanKey,
    Named,
    Paged,
    cursor_after,
    problems,
)
from app.loans import news
from app.loans import queries as loans
from app.loans import rules as loan_rules
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Here

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["rooms"])


class MessageOut(Answered):
    id: int = Field(examples=[913])
    kind: MessageKind = Field(description="text: somebody said it; note: something happened")
    author: Named | None = Field(description="null: it happened by itself")
    body: str = Field(examples=["Can I fetch it at six?"])
    client_id: uuid.UUID | None = Field(description="As its author's program named it")
    revision: int = Field(examples=[5], description="Send the highest as `since` for what is new")
    at: datetime


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


class MessagesAsked(Paged):
    since: int = Field(0, ge=0, lt=ID_LIMIT, description="A `revision`: only what came after it")


@api.get(
    "/loans/{loan_id}/messages",
    summary="What was said, oldest first",
    responses=problems(422),
)
async def messages(
    viewer: ApiMemberEvenSuspended, loan_id: LoanKey, asked: Annotated[MessagesAsked, Query()]
) -> Listed[MessageOut]:
    """Only for borrower and lender."""
    since = max(asked.since, asked.cursor or 0)
    async with db.snapshot() as tx:
        loan = await loans.loan_for(tx, viewer, loan_id)
        found = await queries.changed_since(tx, loan.community_id, loan.conversation_id, since)
    page = found[: asked.limit]
    return Listed(
        items=[_shape(message, viewer.here) for message in page],
        next=cursor_after(page[-1].revision) if len(found) > len(page) else None,
    )


@api.post(
    "/loans/{loan_id}/messages",
    status_code=201,
    summary="Say something",
    responses=problems(409, 422, 429),
)
async def say(
    request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, new: NewMessage, key: Key
) -> MessageOut:
    """Only for borrower and lender."""
    await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
    async with db.begin() as tx:
        loan = await loans.loan_for(tx, viewer, loan_id)
        if refusal := loan_rules.why_not_write(loan, viewer):
            raise refusal
        done = await idempotency.recall(tx, viewer.person_id, request, key, new)
        if done is None:
            room, named = ConversationId(loan.conversation_id), new.client_id or uuid.uuid4()
            said = await commands.say(
                tx, loan.community_id, room, viewer.person_id, new.body, named, clock.now()
            )
            await news.of_words(tx, loan, viewer, clock.now())
            done = {"message_id": said.id}
            await idempotency.keep(tx, viewer.person_id, request, key, new, done)
        message = await tx.get_one(
            Message,
            (loan.community_id, done["message_id"]),
            options=[joinedload(Message.author)],
            populate_existing=True,
        )
        return _shape(message, viewer.here)


def _shape(message: Message, here: Here) -> MessageOut:
    author = message.author
    return MessageOut(
        id=message.id,
        kind=MessageKind(message.kind),
        author=Named(id=author.id, name=author.name) if author else None,
        body=message.body,
        client_id=message.client_id,
        revision=message.revision,
        at=message.created_at.astimezone(here.zone),
    )
