"""Asking something about a tool before any days: from its page, and as JSON."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import ConfigDict, Field
from sqlalchemy.orm import joinedload

from app import clock, db, pages
from app.board.tool_page import ToolKey, tool_page_with
from app.chat import rules
from app.chat.models import Message
from app.errors import Refusal, mistyped
from app.http import idempotency, throttle
from app.http.schemas import Answered, Asked, Key, Named, problems
from app.loans import saying
from app.people.doors import ApiMember, Member
from app.people.forms import Form as Typed

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["rooms"])


@router.post("/c/{slug}/tools/{tool_id}/questions")
async def ask(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    about: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """On to the room in which it was asked; the client id makes a retry the same question."""
    try:
        await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
        named = _named(client_id)
        async with db.begin() as tx:
            said = await saying.ask(tx, tool_id, about, viewer, clock.now(), named)
    except Refusal as refusal:
        asked = Typed.again(refusal, body=about)
        return await tool_page_with(request, viewer, tool_id, asked=asked)
    return pages.back_to(f"{viewer.here.path}/rooms/{said.conversation_id}")


def _named(client_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(client_id) if client_id else uuid.uuid4()
    except ValueError:
        raise mistyped("", "This form is broken.", "Reload the page.") from None


class NewQuestion(Asked):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"body": "Does it fit into a bicycle bag?"}]}
    )

    body: str = Field(max_length=rules.LONGEST)
    client_id: uuid.UUID | None = Field(
        None, description="Made by you: sent again, it is the same question, not a second one"
    )


class QuestionOut(Answered):
    room_id: int = Field(examples=[19], description="Go on in `/rooms/{room_id}/messages`")
    message_id: int = Field(examples=[913])
    author: Named
    body: str


@api.post(
    "/tools/{tool_id}/questions",
    status_code=201,
    summary="Ask something about a tool",
    responses=problems(409, 422, 429),
)
async def ask_about(
    request: Request, viewer: ApiMember, tool_id: ToolKey, new: NewQuestion, key: Key
) -> QuestionOut:
    """Opens a room of you and the lender; the next loan of the tool to you goes on in it."""
    await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
    me = viewer.person_id
    async with db.begin() as tx:
        done = await idempotency.recall(tx, me, request, key, new)
        if done is None:
            named, now = new.client_id or uuid.uuid4(), clock.now()
            said = await saying.ask(tx, tool_id, new.body, viewer, now, named)
            done = {"message_id": said.id}
            await idempotency.keep(tx, me, request, key, new, done)
        message = await tx.get_one(
            Message,
            (viewer.community_id, done["message_id"]),
            options=[joinedload(Message.author)],
            populate_existing=True,
        )
        return QuestionOut(
            room_id=message.conversation_id,
            message_id=message.id,
            author=Named(id=me, name=viewer.name),
            body=message.body,
        )
