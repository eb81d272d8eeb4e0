"""Tools as JSON: what hangs on the board, listing and editing, pausing and archiving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app import clock, db
from app.board import queries as board
from app.board import wall
from app.board.search import Search, why_not_days, why_not_near
from app.http import idempotency
from app.http.schemas import CREATED, Key, Listed, ToolKey, cursor_after, problems
from app.loans import shelf
from app.people import blocks
from app.people.doors import ApiMember, ApiMemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import commands, queries, where
from app.tools.models import Tool
from app.tools.shapes import (
    NewTool,
    RulesAsked,
    ToolChanges,
    ToolOut,
    ToolsAsked,
    shape,
)
from app.wanted import commands as wanted

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])


@api.get("/tools", summary="What hangs on the board", responses=problems(422))
async def tools(viewer: ApiMember, asked: Annotated[ToolsAsked, Query()]) -> Listed[ToolOut]:
    """In the order in which they were listed."""
    here, now = viewer.here, clock.now()
    if asked.days and (refusal := why_not_days(*asked.days)):
        raise refusal
    async with db.snapshot() as tx:
        near = await where.cell_of(tx, viewer)
        if refusal := why_not_near(asked.distance or 0, near):
            raise refusal
        search = Search.typed(
            *(asked.q, asked.category, asked.free, asked.days),
            price=asked.max_price_cents,
            skill=asked.skill or "",
            lender=asked.lender or 0,
            district=asked.district or 0,
            near=near,
            distance=asked.distance or 0,
        )
        apart = await blocks.apart_from(tx, viewer.person_id)
        after, most = asked.cursor or 0, asked.limit + 1
        found = await wall.listed(tx, here, search, now, apart=apart, after=after, limit=most)
        page = found[: asked.limit]
        seen = await board.seen(tx, here, page, now, viewer.locale)
    return Listed(
        items=[shape(one, viewer, near) for one in board.as_seen_by(seen, apart)],
        next=cursor_after(page[-1].id) if len(found) > len(page) else None,
    )


@api.post(
    "/tools", status_code=201, summary="List a tool of your own", responses=CREATED | problems(422)
)
async def list_tool(
    request: Request, response: Response, viewer: ApiMember, new: NewTool, key: Key
) -> ToolOut:
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, new)
        if done is None:
            text = _text(new)
            tool = await commands.list_tool(tx, text, viewer, clock.now())
            await _set_rules(tx, tool, new.rules, viewer)
            if new.answer is not None:
                await wanted.listed(tx, new.answer, tool, viewer, clock.now())
            done = {"tool_id": tool.id}
            await idempotency.keep(tx, viewer.person_id, request, key, new, done)
        answer = await _answer(tx, viewer, done["tool_id"])
    response.headers["Location"] = f"/api/v1{viewer.here.path}/tools/{answer.id}"
    return answer


@api.get("/tools/{tool_id}", summary="One tool", responses=problems())
async def tool(viewer: ApiMemberEvenSuspended, tool_id: ToolKey) -> ToolOut:
    async with db.snapshot() as tx:
        return await _answer(tx, viewer, tool_id)


@api.patch("/tools/{tool_id}", summary="Change your tool", responses=problems(409, 422))
async def edit(
    request: Request, viewer: ApiMember, tool_id: ToolKey, changes: ToolChanges, key: Key
) -> ToolOut:
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, changes)
        if done is None:
            tool = await commands.edit(tx, tool_id, _text(changes), viewer, clock.now())
            await _set_rules(tx, tool, changes.rules, viewer)
            await shelf.tell_parties(tx, tool)
            done = {"tool_id": tool_id}
            await idempotency.keep(tx, viewer.person_id, request, key, changes, done)
        return await _answer(tx, viewer, tool_id)


async def _set_rules(tx: db.Tx, tool: Tool, asked: RulesAsked | None, viewer: Viewer) -> None:
    if asked is not None:
        await commands.set_terms(tx, tool, asked.over(tool.lending), viewer, clock.now())


@api.post(
    "/tools/{tool_id}/pause",
    summary="Take no requests for a while",
    responses=problems(409),
)
async def pause(request: Request, viewer: ApiMember, tool_id: ToolKey, key: Key) -> ToolOut:
    """Open requests are declined; what is approved stands."""
    return await _shelve(request, viewer, tool_id, key, shelf.pause)


@api.post("/tools/{tool_id}/pause/end", summary="Take requests again", responses=problems(409))
async def resume(request: Request, viewer: ApiMember, tool_id: ToolKey, key: Key) -> ToolOut:
    return await _shelve(request, viewer, tool_id, key, shelf.resume)


@api.post("/tools/{tool_id}/archive", summary="Take it off the board", responses=problems(409))
async def archive(request: Request, viewer: ApiMember, tool_id: ToolKey, key: Key) -> ToolOut:
    """Refused while it is out or promised to somebody."""
    return await _shelve(request, viewer, tool_id, key, shelf.archive)


@api.post(
    "/tools/{tool_id}/archive/end",
    summary="Hang it on the board again",
    responses=problems(409),
)
async def restore(request: Request, viewer: ApiMember, tool_id: ToolKey, key: Key) -> ToolOut:
    """This revives no loan."""
    return await _shelve(request, viewer, tool_id, key, shelf.restore)


def _text(asked: NewTool | ToolChanges) -> commands.ToolText:
    given = asked.model_dump(exclude={"rules", "answer"})
    parts = given.pop("parts")
    return commands.ToolText(**given, parts=None if parts is None else "\n".join(parts))


async def _shelve(
    request: Request,
    viewer: Viewer,
    tool_id: int,
    key: str | None,
    command: Callable[[db.Tx, int, Viewer, datetime], Awaitable[Tool]],
) -> ToolOut:
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, None)
        if done is None:
            await command(tx, tool_id, viewer, clock.now())
            done = {"tool_id": tool_id}
            await idempotency.keep(tx, viewer.person_id, request, key, None, done)
        return await _answer(tx, viewer, tool_id)


async def _answer(tx: db.Tx, viewer: Viewer, tool_id: Any) -> ToolOut:
    """The tool as it is in this transaction, for whoever may see it."""
    tool = await queries.tool_for(tx, viewer, tool_id)
    seen = await board.seen(tx, viewer.here, [tool], clock.now(), viewer.locale)
    (one,) = board.as_seen_by(seen, await blocks.apart_from(tx, viewer.person_id))
    return shape(one, viewer, await where.cell_of(tx, viewer))
