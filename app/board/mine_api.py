"""What one person says and keeps for themselves, as JSON: handing over now, tools kept in mind."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from app import clock, db
from app.http.schemas import Answered, Asked, Listed, Named, ToolKey, problems
from app.people.doors import ApiMember
from app.people.viewer import Viewer
from app.tools import handing_over, rules, saved

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])


class HandingOver(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"length": "2"}]})

    length: Literal["1", "2", "evening"] = Field(description="Hours, or until this evening ends")


class HandingOverOut(Answered):
    until: datetime | None = Field(description="null: not now", examples=["2026-05-03T15:00:00Z"])


@api.get("/handing-over", summary="Until when you can hand over", responses=problems())
async def hands_over(viewer: ApiMember) -> HandingOverOut:
    async with db.snapshot() as tx:
        return await _until(tx, viewer)


@api.put(
    "/handing-over",
    summary="Say that you can hand over now",
    responses=problems(422),
)
async def hand_over_for_now(viewer: ApiMember, said: HandingOver) -> HandingOverOut:
    """Neighbours see it on your free tools. It ends by itself, and is kept nowhere."""
    async with db.begin() as tx:
        await handing_over.begin(tx, said.length, viewer, clock.now())
        return await _until(tx, viewer)


@api.delete("/handing-over", status_code=204, summary="Not any more", responses=problems())
async def hand_over_no_more(viewer: ApiMember) -> None:
    async with db.begin() as tx:
        await handing_over.end(tx, viewer.person_id)


async def _until(tx: db.Tx, viewer: Viewer) -> HandingOverOut:
    found = await handing_over.until_when(tx, viewer.person_id, clock.now())
    return HandingOverOut(until=found and found.astimezone(viewer.here.zone))


@api.get("/saved", summary="The tools you keep in mind", responses=problems())
async def saved_tools(viewer: ApiMember) -> Listed[Named]:
    """The newest first, at most a hundred. Nobody else sees them."""
    async with db.snapshot() as tx:
        found = await saved.of_person(tx, viewer)
    seen = [one for one in found if rules.sees(one, viewer)]
    return Listed(items=[Named(id=one.id, name=one.name) for one in seen], next=None)


@api.put(
    "/saved/{tool_id}", status_code=204, summary="Keep a tool in mind", responses=problems(409)
)
async def save_tool(viewer: ApiMember, tool_id: ToolKey) -> None:
    async with db.begin() as tx:
        await saved.save(tx, tool_id, viewer, clock.now())


@api.delete("/saved/{tool_id}", status_code=204, summary="Let go of it", responses=problems())
async def let_go_of_tool(viewer: ApiMember, tool_id: ToolKey) -> None:
    async with db.begin() as tx:
        await saved.let_go(tx, tool_id, viewer)
