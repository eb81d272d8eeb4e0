"""The owner's page, and the API, of days on which a tool is not lent; and the button of trust."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi import Form as Field
from pydantic import Field as Shape

from app import clock, db, pages
from app.errors import Refusal
from app.http import idempotency
from app.http.schemas import ID_LIMIT, Key, Listed, Period, ToolKey, problems
from app.loans import blackouts, periods, trust
from app.loans.shapes import PeriodAsked
from app.people import doors
from app.people.doors import ApiMember, Member
from app.people.forms import Form
from app.people.viewer import Viewer
from app.tools import occupied
from app.tools import queries as tools

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])
Typed = Annotated[str, Field(max_length=200)]
BlackoutKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[9])]
PersonKey = Annotated[int, Path(ge=1, lt=2**62)]


class BlackoutOut(Period):
    id: int = Shape(examples=[9])


@router.get("/c/{slug}/tools/{tool_id}/blackouts")
async def days_off(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    return await _page(request, viewer, tool_id, Form())


@router.post("/c/{slug}/tools/{tool_id}/blackouts")
async def black_out(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    start: Typed = "",
    end: Typed = "",
    idempotency_key: Typed = "",
) -> Response:
    typed = {"start": start, "end": end}
    try:
        key = idempotency.key_of(request, idempotency_key)
        async with db.begin() as tx:
            await tools.tool_for(tx, viewer, tool_id)
            if await idempotency.recall(tx, viewer.person_id, request, key, typed) is None:
                period = periods.period_from(start, end, "", "", viewer.here.zone)
                await blackouts.black_out(tx, tool_id, *period, viewer, clock.now())
                outcome = {"tool_id": tool_id}
                await idempotency.keep(tx, viewer.person_id, request, key, typed, outcome)
    except Refusal as refusal:
        if refusal.status == 403:
            raise
        return await _page(request, viewer, tool_id, Form.again(refusal, **typed))
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}/blackouts")


@router.post("/c/{slug}/tools/{tool_id}/blackouts/{blackout_id}/end")
async def end(viewer: Member, tool_id: ToolKey, blackout_id: BlackoutKey) -> Response:
    async with db.begin() as tx:
        await blackouts.end(tx, tool_id, blackout_id, viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}/blackouts")


async def _page(request: Request, viewer: Viewer, tool_id: int, form: Form) -> Response:
    here, now = viewer.here, clock.now()
    async with db.snapshot() as tx:
        tool = await tools.tool_for(tx, viewer, tool_id)
        if refusal := blackouts.why_not_own(tool, viewer):
            raise refusal
        path = f"{here.path}/tools/{tool.id}"
        return await pages.render(
            request,
            "tools/blackouts.html",
            tx=tx,
            status=form.status,
            tool={"name": tool.name, "path": path},
            found=await occupied.black_outs(tx, here.id, tool.id, now),
            today=clock.local_day(now, here.zone).isoformat(),
            form=replace(form, key=pages.fresh_key(), post=f"{path}/blackouts"),
        )


@router.post("/c/{slug}/people/{person_id}/trust")
async def mark(viewer: Member, person_id: PersonKey, back: Typed = "") -> Response:
    async with db.begin() as tx:
        await trust.mark(tx, person_id, viewer, clock.now())
    return pages.back_to(doors.inside(back or viewer.here.path))


@router.post("/c/{slug}/people/{person_id}/trust/end")
async def unmark(viewer: Member, person_id: PersonKey, back: Typed = "") -> Response:
    async with db.begin() as tx:
        await trust.unmark(tx, person_id, viewer)
    return pages.back_to(doors.inside(back or viewer.here.path))


@api.get("/tools/{tool_id}/blackouts", summary="When your tool is not lent", responses=problems())
async def listed(viewer: ApiMember, tool_id: ToolKey) -> Listed[BlackoutOut]:
    """As far as they are not over; for its owner."""
    async with db.snapshot() as tx:
        return Listed(items=await _shapes(tx, viewer, tool_id), next=None)


@api.post(
    "/tools/{tool_id}/blackouts",
    status_code=201,
    summary="Do not lend your tool for some days",
    responses=problems(409, 422),
)
async def add(
    request: Request, viewer: ApiMember, tool_id: ToolKey, dates: PeriodAsked, key: Key
) -> Listed[BlackoutOut]:
    """Requests for these days are declined; refused where it is promised or out."""
    async with db.begin() as tx:
        if await idempotency.recall(tx, viewer.person_id, request, key, dates) is None:
            period = dates.period(viewer.here.zone)
            await blackouts.black_out(tx, tool_id, *period, viewer, clock.now())
            await idempotency.keep(tx, viewer.person_id, request, key, dates, {"done": True})
        return Listed(items=await _shapes(tx, viewer, tool_id), next=None)


@api.delete(
    "/tools/{tool_id}/blackouts/{blackout_id}",
    status_code=204,
    summary="Lend it in these days again",
    responses=problems(),
)
async def remove(viewer: ApiMember, tool_id: ToolKey, blackout_id: BlackoutKey) -> None:
    async with db.begin() as tx:
        await blackouts.end(tx, tool_id, blackout_id, viewer, clock.now())


async def _shapes(tx: db.Tx, viewer: Viewer, tool_id: int) -> list[BlackoutOut]:
    tool = await tools.tool_for(tx, viewer, tool_id)
    if refusal := blackouts.why_not_own(tool, viewer):
        raise refusal
    zone = viewer.here.zone
    found = await occupied.black_outs(tx, tool.community_id, tool.id, clock.now())
    return [
        BlackoutOut(id=one, start=start.astimezone(zone), end=end.astimezone(zone))
        for one, (start, end) in found
    ]
