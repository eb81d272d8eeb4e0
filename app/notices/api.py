"""What one should know, as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from app import clock, db, topic
from app.http.schemas import (
    ID_LIMIT,
    Answered,
    Asked,
    Listed,
    LoanKey,
    Paged,
    cursor_after,
    problems,
)
from app.loans import queries as loans
from app.notices import commands, queries, telling, truth
from app.notices.models import Kind
from app.people.doors import ApiMemberEvenSuspended

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["notices"])


class NoticeOut(Answered):
    id: int = Field(examples=[311])
    kind: Kind
    sentence: str = Field(examples=["Ben Okafor asks for your Cordless drill, 3–5 May."])
    subject: str = Field(examples=["c1/loan/42"], description="The topic of what it is about")
    at: datetime
    seen: bool


class ReminderOut(Answered):
    whom: str = Field(examples=["Ben Okafor"])
    sentence: str = Field(examples=["The Cordless drill is due back soon: Sun 5 May."])
    told_at: datetime
    state: Literal["seen", "mailed", "pushed", "failed", "told"] = Field(
        description="How far it has come; told: it stands on the page"
    )
    at: datetime = Field(description="When it came there")
    partly: bool = Field(description="Not all of their devices took the push")


class SeenAsked(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"up_to": 311}]})

    up_to: int = Field(ge=0, lt=ID_LIMIT, description="The highest id that was shown")


@api.get("/notices", summary="Your notices here", responses=problems(422))
async def notices(
    viewer: ApiMemberEvenSuspended, asked: Annotated[Paged, Query()]
) -> Listed[NoticeOut]:
    """The newest first."""
    async with db.snapshot() as tx:
        found = await queries.notices_here(tx, viewer, before=asked.cursor, limit=asked.limit + 1)
    page, here, now = found[: asked.limit], viewer.here, clock.now()
    return Listed(
        items=[
            NoticeOut(
                id=one.id,
                kind=Kind(one.kind),
                sentence=telling.tell(one, here, now, viewer.locale).sentence,
                subject=one.subject,
                at=one.at.astimezone(here.zone),
                seen=one.seen_at is not None,
            )
            for one in page
        ],
        next=cursor_after(page[-1].id) if len(found) > len(page) else None,
    )


@api.post("/notices/seen", status_code=204, summary="You have seen them", responses=problems(422))
async def seen(viewer: ApiMemberEvenSuspended, body: SeenAsked) -> None:
    """In all your communities, up to this id."""
    async with db.begin() as tx:
        await commands.mark_seen(tx, viewer.person_id, body.up_to, clock.now())


@api.get(
    "/loans/{loan_id}/reminders",
    summary="What became of a loan's reminders",
    responses=problems(),
)
async def reminders(viewer: ApiMemberEvenSuspended, loan_id: LoanKey) -> Listed[ReminderOut]:
    """The newest few, oldest first, for everybody in the room; there is never a second page."""
    async with db.snapshot() as tx:
        loan = await loans.loan_for(tx, viewer, loan_id)
        found = await truth.reminders_of(tx, viewer, topic.loan(loan.community_id, loan.id))
    zone = viewer.here.zone
    return Listed(
        next=None,
        items=[
            ReminderOut(
                whom=one.whom,
                sentence=one.sentence,
                told_at=one.told_at.astimezone(zone),
                state=one.state,
                at=one.at.astimezone(zone),
                partly=one.partly,
            )
            for one in found
        ],
    )
