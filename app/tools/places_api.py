"""Places as JSON: one's own, that of a tool, that of a loan one has, and the districts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field

from app import clock, db
from app.errors import NotFound
from app.http import idempotency, throttle
from app.http.schemas import Answered, Asked, Id, Key, Listed, LoanKey, Named, ToolKey, problems
from app.loans import kept, pick_up
from app.loans import queries as loan_queries
from app.people.doors import ApiMember, ApiMemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import grid, queries, rules, where
from app.tools.places import ADDRESS_LONGEST, PlaceText

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["places"])


class PickUpOut(Answered):
    address: str = Field(examples=["Elm Street 4, second bell"])
    point: str = Field(examples=["52.52, 13.4"], description="Latitude and longitude, or empty")


class PlaceOut(PickUpOut):
    district: Named | None


class PlaceSet(Asked):
    """One of the three is enough."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"address": "Elm Street 4, second bell", "point": "52.52, 13.40"}]
        }
    )

    address: str = Field("", max_length=ADDRESS_LONGEST, description="For who borrows from you")
    point: str = Field("", max_length=60, pattern=r"^[-+0-9.,; ]*$", description="Likewise")
    district: Id | None = Field(None, description="For all members, see `/districts`")


@api.get("/place", summary="Where your tools are", responses=problems())
async def place(viewer: ApiMember) -> PlaceOut:
    """Empty until you say so. Your distances to tools count from here."""
    async with db.snapshot() as tx:
        return await _shape(tx, viewer, None)


@api.post("/place", summary="Say where your tools are", responses=problems(409, 422, 429))
async def set_place(request: Request, viewer: ApiMember, key: Key, new: PlaceSet) -> PlaceOut:
    """Replaces what you said before. It is sent nowhere else."""
    return await _set(request, viewer, key, new, None)


@api.post("/place/end", status_code=204, summary="Forget your place", responses=problems())
async def forget_place(viewer: ApiMember) -> None:
    async with db.begin() as tx:
        await pick_up.forget(tx, viewer)


@api.get("/tools/{tool_id}/place", summary="Where your tool is", responses=problems())
async def tool_place(viewer: ApiMember, tool_id: ToolKey) -> PlaceOut:
    """Empty for one that is where your others are."""
    async with db.snapshot() as tx:
        tool = await queries.tool_for(tx, viewer, tool_id)
        if refusal := rules.why_not_edit(tool, viewer):
            raise refusal
        return await _shape(tx, viewer, tool_id)


@api.post(
    "/tools/{tool_id}/place",
    summary="Say that a tool is elsewhere",
    responses=problems(409, 422, 429),
)
async def set_tool_place(
    request: Request, viewer: ApiMember, tool_id: ToolKey, key: Key, new: PlaceSet
) -> PlaceOut:
    return await _set(request, viewer, key, new, tool_id)


@api.post(
    "/tools/{tool_id}/place/end",
    status_code=204,
    summary="It is where your others are",
    responses=problems(),
)
async def forget_tool_place(viewer: ApiMember, tool_id: ToolKey) -> None:
    async with db.begin() as tx:
        await pick_up.forget(tx, viewer, tool_id)


@api.get("/loans/{loan_id}/place", summary="Where to fetch it", responses=problems())
async def loan_place(viewer: ApiMemberEvenSuspended, loan_id: LoanKey) -> PickUpOut:
    """For the two of a loan, from a day before the start until it is back; else 404."""
    async with db.snapshot() as tx:
        loan = await loan_queries.loan_for(tx, viewer, loan_id)
        apart = await kept.between(tx, viewer.person_id, loan)
        found = await pick_up.tell(tx, loan, viewer, apart, clock.now())
    if found is None or found.later:
        raise NotFound
    return PickUpOut(address=found.address, point=found.point)


@api.get("/districts", summary="The districts", responses=problems())
async def districts(viewer: ApiMember) -> Listed[Named]:
    async with db.snapshot() as tx:
        found = await where.districts(tx, viewer.community_id)
    return Listed(items=[Named(id=one.id, name=one.name) for one in found], next=None)


async def _set(
    request: Request, viewer: Viewer, key: str | None, new: PlaceSet, tool_id: int | None
) -> PlaceOut:
    await throttle.spend(f"place:{viewer.person_id}", "place", limit="60/hour")
    async with db.begin() as tx:
        if await idempotency.recall(tx, viewer.person_id, request, key, new) is None:
            text = PlaceText(new.address, new.district, new.point)
            await pick_up.keep(tx, text, viewer, clock.now(), tool_id)
            await idempotency.keep(tx, viewer.person_id, request, key, new, {"done": True})
        return await _shape(tx, viewer, tool_id)


async def _shape(tx: db.Tx, viewer: Viewer, tool_id: int | None) -> PlaceOut:
    """Whoever asks for a tool's has been found to lend it."""
    found = await where.place_of(tx, viewer, tool_id)
    if found is None:
        return PlaceOut(address="", point="", district=None)
    names = {one.id: one.name for one in await where.districts(tx, viewer.community_id)}
    district = found.district_id
    return PlaceOut(
        address=found.address,
        point=grid.typed(found.lat, found.lon),
        district=Named(id=district, name=names[district]) if district in names else None,
    )
