"""For coordinators: what runs by itself, when it last ran, and what has failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from app import clock, db, mail, pages, queue
from app.http.schemas import Answered, Listed, problems
from app.notices.troubles import troubles
from app.people.doors import ApiCoordinator, Coordinator

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["jobs"])

SHOWN_FOR = timedelta(days=7)  # what failed for good
WORDS = {
    "loans.expire": "Requests that nobody answers run out",
    "loans.lapse": "Loans that nobody picks up lapse",
    "loans.close": "Loans that are back close after two days",
    "loans.remind": "People are reminded of their loans",
    "holds.expire": "Dates that somebody was choosing are free again",
    "changes.end": "Proposals of other dates that nobody answers end",
    "dates.pass": "Boards change when a tool has rested, and when days off begin and end",
    "waitlist.offer": "What has come free is offered to the next who waits",
    "questions.sleep": "Questions that nobody writes about any more can only be read",
    "watches.look": "Who watches a search is told of what is listed or comes free",
    "wanted.end": "What neighbours look for ends after its days, and is forgotten later",
    "waitlist.look": "Waitlists are looked through",
    "notices.step": "What nobody has seen goes on to phone and letter box",
    "deliveries.forget": "What became of pushes and mails is forgotten after a season",
    "letters.forget": "Addresses that letters went to are forgotten",
    "inventory.import": "Tables of tools come in",
    "inventory.discard": "Files of tables that are through are deleted",
    "inventory.forget": "Tables of tools that came in are forgotten",
    "photos.finish": "New photos get smaller copies",
    "photos.discard": "Photos that were taken away are deleted",
    "photos.abandon": "Photos that were sent and not kept are deleted",
    "keys.forget": "Keys of repeated commands are forgotten",
}


@router.get("/c/{slug}/jobs")
async def jobs(request: Request, viewer: Coordinator) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        return await pages.render(
            request,
            "members/jobs.html",
            tx=tx,
            jobs=[
                {
                    "words": WORDS[one.name],
                    "run": one.run,
                    "waiting": one.waiting,
                    "at": one.next_at,
                }
                for one in await queue.overview(tx, here.id, WORDS)
            ],
            failing=[
                {"job": one, "words": WORDS.get(one.name, one.name)}
                for one in await queue.failing(tx, here.id)
            ],
            missing=mail.missing(),
            troubles=await troubles(tx, here.id, clock.now() - SHOWN_FOR),
            zone=here.zone,
        )


@router.post("/c/{slug}/jobs/{job_id}/retry")
async def retry(viewer: Coordinator, job_id: Annotated[int, Path(ge=1, lt=2**62)]) -> Response:
    async with db.begin() as tx:
        await queue.hurry(tx, viewer.community_id, job_id, clock.now())
    return pages.back_to(f"{viewer.here.path}/jobs")


class JobOut(Answered):
    """All jobs of one kind. Counts of runs and failures are the whole instance's."""

    name: str = Field(examples=["loans.remind"])
    runs: int
    failures: int
    last_run_at: datetime | None
    last_error: str = Field(description="Of the last failure, if there was one")
    waiting: int = Field(description="Of this community")
    next_at: datetime | None


@api.get("/jobs", summary="What runs by itself", responses=problems())
async def jobs_as_json(viewer: ApiCoordinator) -> Listed[JobOut]:
    """For coordinators."""
    zone = viewer.here.zone
    async with db.snapshot() as tx:
        found = await queue.overview(tx, viewer.community_id, WORDS)
    return Listed(
        items=[
            JobOut(
                name=one.name,
                runs=one.run.runs if one.run else 0,
                failures=one.run.failures if one.run else 0,
                last_run_at=one.run.last_run_at.astimezone(zone) if one.run else None,
                last_error=one.run.last_error if one.run else "",
                waiting=one.waiting,
                next_at=one.next_at.astimezone(zone) if one.next_at else None,
            )
            for one in found
        ],
        next=None,
    )
