"""What one should know, as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from app import clock, db
from app.http.schemas import ID_LIMIT, Answered, Asked, Listed, Paged, cursor_after, problems
from app.notices import commands, queries, telling
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
