"""Reporting a message, and what coordinators see of it: pages and JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from pydantic import ConfigDict, Field

from app import clock, db, pages, topic
from app.chat import reports, rules, timeline
from app.chat.models import Report
from app.errors import Refusal
from app.http import problems as answers
from app.http import throttle
from app.http.again import typed_again
from app.http.schemas import ID_LIMIT, Answered, Asked, Listed, Named, problems
from app.people.doors import (
    ApiCoordinator,
    ApiMemberEvenSuspended,
    Coordinator,
    MemberEvenSuspended,
)
from app.people.viewer import Here

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["rooms"])
Key = Annotated[int, Path(ge=1, lt=ID_LIMIT)]
Reason = Annotated[str, Form()]


@router.post("/c/{slug}/rooms/{room_id}/messages/{message_id}/report")
async def report(
    request: Request,
    viewer: MemberEvenSuspended,
    room_id: Key,
    message_id: Key,
    reason: Reason = "",
) -> Response:
    back = f"{timeline.path_of(viewer, room_id)}/messages/{message_id}"
    try:
        await throttle.spend(f"report:{viewer.person_id}", "report", limit="20/hour")
        async with db.begin() as tx:
            await reports.report(tx, room_id, message_id, reason, viewer, clock.now())
    except Refusal as refusal:
        return await typed_again(
            request, refusal, reason, field="reason", label="Why you report it", back=back
        )
    if answers.wants_json(request):
        return Response(status_code=204)
    return pages.back_to(back)


@router.get("/c/{slug}/reports")
async def page(request: Request, viewer: Coordinator) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.reports(viewer.community_id))
        return await pages.render(request, "chat/reports.html", tx=tx, reports_html=html)


@router.post("/c/{slug}/reports/{report_id}/settlement")
async def settle(
    request: Request, viewer: Coordinator, report_id: Key, reason: Reason = ""
) -> Response:
    back = f"{viewer.here.path}/reports"
    try:
        async with db.begin() as tx:
            await reports.settle(tx, report_id, reason, viewer, clock.now())
    except Refusal as refusal:
        return await typed_again(
            request, refusal, reason, field="reason", label="What you did", back=back
        )
    return pages.back_to(back)


class NewReport(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "This is a threat."}]})

    reason: str = Field(max_length=rules.REASON_LONGEST)


class ReportOut(Answered):
    id: int = Field(examples=[3])
    reporter: Named
    author: Named
    reason: str = Field(examples=["This is a threat."])
    words: str = Field(description="As they were when it was reported")
    said_at: datetime
    at: datetime
    settled_at: datetime | None = Field(examples=[None])
    outcome: str = Field(examples=[""])


class Reported(Answered):
    id: int = Field(examples=[3])
    reason: str


@api.post(
    "/rooms/{room_id}/messages/{message_id}/report",
    status_code=201,
    summary="Show a message to the coordinators",
    responses=problems(409, 422, 429),
)
async def report_message(
    viewer: ApiMemberEvenSuspended, room_id: Key, message_id: Key, new: NewReport
) -> Reported:
    """A copy of it is kept for them, whatever its author does then. Twice is once."""
    await throttle.spend(f"report:{viewer.person_id}", "report", limit="20/hour")
    async with db.begin() as tx:
        made = await reports.report(tx, room_id, message_id, new.reason, viewer, clock.now())
        return Reported(id=made.id, reason=made.reason)


@api.get("/reports", summary="What was reported", responses=problems())
async def reported(viewer: ApiCoordinator) -> Listed[ReportOut]:
    """For coordinators: what is open first. Nothing of rooms that are their own."""
    async with db.snapshot() as tx:
        found = await reports.reports_for(tx, viewer)
    return Listed(items=[_out(one, viewer.here) for one in found], next=None)


@api.post("/reports/{report_id}/settlement", summary="Say what came of it", responses=problems(422))
async def settle_report(viewer: ApiCoordinator, report_id: Key, new: NewReport) -> ReportOut:
    async with db.begin() as tx:
        found = await reports.settle(tx, report_id, new.reason, viewer, clock.now())
        return _out(found, viewer.here)


def _out(one: Report, here: Here) -> ReportOut:
    return ReportOut(
        id=one.id,
        reporter=Named(id=one.reporter_id, name=one.reporter.name),
        author=Named(id=one.author_id, name=one.author.name),
        reason=one.reason,
        words=one.words,
        said_at=one.said_at.astimezone(here.zone),
        at=one.created_at.astimezone(here.zone),
        settled_at=one.settled_at and one.settled_at.astimezone(here.zone),
        outcome=one.outcome,
    )
