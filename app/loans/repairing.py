"""The lender's page, and the API, of a tool's upkeep: broken, missing, repaired, in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi import Form as Field
from pydantic import ConfigDict
from pydantic import Field as Shape

from app import clock, db, pages
from app.errors import NotFound, Refusal, mistyped
from app.http import idempotency
from app.http.schemas import ID_LIMIT, Answered, Asked, Key, Listed, ToolKey, problems
from app.loans import off, past, repairs
from app.loans.once import once
from app.people.doors import ApiMember, Member
from app.people.forms import Form
from app.people.viewer import Viewer
from app.tools import queries as tools
from app.tools import rules as tool_rules
from app.tools.models import ToolStatus
from app.tools.upkeep import COST_HIGHEST, Upkeep, UpkeepKind

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])
LineKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[3])]
Typed = Annotated[str, Field(max_length=4000)]
Act = Callable[[db.Tx, datetime], Awaitable[object]]


@router.get("/c/{slug}/tools/{tool_id}/maintenance")
async def maintenance(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    return await _page(request, viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/maintenance")
async def mark(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    kind: Typed = "",
    said: Typed = "",
    idempotency_key: Typed = "",
) -> Response:
    async def act(tx: db.Tx, now: datetime) -> None:
        if kind not in tuple(UpkeepKind):
            raise mistyped("kind", "Say whether it is broken or missing.")
        await repairs.mark(tx, tool_id, UpkeepKind(kind), said, viewer, now)

    typed = {"kind": kind, "said": said}
    try:
        await _once(request, viewer, idempotency_key, typed, act)
    except Refusal as refusal:
        return await _page(request, viewer, tool_id, mark=Form.again(refusal, **typed))
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")


@router.post("/c/{slug}/tools/{tool_id}/maintenance/end")
async def mend(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    said: Typed = "",
    idempotency_key: Typed = "",
) -> Response:
    async def act(tx: db.Tx, now: datetime) -> None:
        await repairs.mend(tx, tool_id, said, viewer, now)

    try:
        await _once(request, viewer, idempotency_key, {"said": said}, act)
    except Refusal as refusal:
        return await _page(request, viewer, tool_id, mark=Form.again(refusal, said=said))
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")


@router.post("/c/{slug}/tools/{tool_id}/repairs")
async def note(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    words: Typed = "",
    day: Typed = "",
    cost: Typed = "",
    idempotency_key: Typed = "",
) -> Response:
    async def act(tx: db.Tx, now: datetime) -> None:
        await repairs.note(tx, tool_id, _day(day), words, _cents(cost), viewer, now)

    typed = {"words": words, "day": day, "cost": cost}
    try:
        await _once(request, viewer, idempotency_key, typed, act)
    except Refusal as refusal:
        return await _page(request, viewer, tool_id, form=Form.again(refusal, **typed))
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}/maintenance")


@router.post("/c/{slug}/tools/{tool_id}/repairs/{line_id}/end")
async def take_out(viewer: Member, tool_id: ToolKey, line_id: LineKey) -> Response:
    async with db.begin() as tx:
        await repairs.take_out(tx, tool_id, line_id, viewer)
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}/maintenance")


async def _once(
    request: Request, viewer: Viewer, key: str | None, body: idempotency.Body, act: Act
) -> None:
    named = idempotency.key_of(request, key)
    async with db.begin() as tx:
        await once(tx, request, viewer, named, body, lambda: act(tx, clock.now()))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise mistyped("day", "That is not a day.", "Choose the day of the repair.") from None


def _cents(text: str) -> int:
    try:
        return tool_rules.cents_from(text)
    except ValueError:
        raise mistyped("cost", "That is not a cost.", "Write it like 12.50.") from None


async def _page(
    request: Request,
    viewer: Viewer,
    tool_id: int,
    *,
    form: Form = Form(),
    mark: Form = Form(),
) -> Response:
    here, now = viewer.here, clock.now()
    async with db.snapshot() as tx:
        tool = await tools.tool_for(tx, viewer, tool_id)
        if refusal := tool_rules.why_not_theirs(tool, viewer, "look after it"):
            raise refusal
        return await pages.render(
            request,
            "tools/maintenance.html",
            tx=tx,
            status=max(form.status, mark.status),
            tool={
                "name": tool.name,
                "path": f"{here.path}/tools/{tool.id}",
                "of_all": tool.owner_id is None,
            },
            off=tool.status in off.MUST_ANSWER,
            missing=tool.status == ToolStatus.MISSING,
            told=await past.of_tool(tx, viewer, tool, now),
            today=clock.local_day(now, here.zone).isoformat(),
            currency=here.currency,
            form=replace(form, key=pages.fresh_key()),
            mark=replace(mark, key=pages.fresh_key()),
        )


# --- the API


class Trouble(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "broken"}]})

    kind: UpkeepKind = Shape(description="`broken` or `missing`")
    words: str = Shape("", max_length=4000, description="Neighbours read it")


class Mended(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"words": "New cable"}]})

    words: str = Shape("", max_length=4000, description="Neighbours read it")


class RepairAsked(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"day": "2026-05-03", "words": "New cable", "cost_cents": 1250}]
        }
    )

    day: date
    words: str = Shape(max_length=4000, description="Neighbours read it")
    cost_cents: int = Shape(0, ge=0, le=COST_HIGHEST, description="Only who lends it sees it")


class UpkeepOut(Answered):
    id: int = Shape(examples=[3])
    kind: UpkeepKind
    day: date = Shape(examples=["2026-05-03"])
    words: str = Shape(examples=["New cable"])
    cost_cents: int = Shape(examples=[1250])


@api.get("/tools/{tool_id}/repairs", summary="Your tool's upkeep", responses=problems())
async def upkeep(viewer: ApiMember, tool_id: ToolKey) -> Listed[UpkeepOut]:
    """Broken, missing, repaired, in order again; the newest first, at most 200. For its lender."""
    async with db.snapshot() as tx:
        tool = await tools.tool_for(tx, viewer, tool_id)
        if refusal := tool_rules.why_not_theirs(tool, viewer, "look after it"):
            raise refusal
        lines = await repairs.lines_of(tx, tool)
    return Listed(items=[_shape(one) for one in lines], next=None)


@api.post(
    "/tools/{tool_id}/repairs",
    status_code=201,
    summary="Note a repair",
    responses=problems(409, 422),
)
async def note_repair(
    request: Request, viewer: ApiMember, tool_id: ToolKey, done: RepairAsked, key: Key
) -> UpkeepOut:
    async with db.begin() as tx:
        seen = await idempotency.recall(tx, viewer.person_id, request, key, done)
        if seen is None:
            row = await repairs.note(
                tx, tool_id, done.day, done.words, done.cost_cents, viewer, clock.now()
            )
            seen = {"id": row.id}
            await idempotency.keep(tx, viewer.person_id, request, key, done, seen)
        row_now = await tx.get(Upkeep, (viewer.community_id, int(seen["id"])))
        if row_now is None:
            raise NotFound
        return _shape(row_now)


@api.delete(
    "/tools/{tool_id}/repairs/{line_id}",
    status_code=204,
    summary="Take out a note",
    responses=problems(),
)
async def take_out_repair(viewer: ApiMember, tool_id: ToolKey, line_id: LineKey) -> None:
    async with db.begin() as tx:
        await repairs.take_out(tx, tool_id, line_id, viewer)


@api.post(
    "/tools/{tool_id}/maintenance",
    summary="Your tool is broken or missing",
    responses=problems(409, 422),
)
async def break_tool(
    request: Request, viewer: ApiMember, tool_id: ToolKey, trouble: Trouble, key: Key
) -> Listed[UpkeepOut]:
    """Off at once: requests are declined, whoever it is promised to is told."""

    async def act(tx: db.Tx, now: datetime) -> None:
        await repairs.mark(tx, tool_id, trouble.kind, trouble.words, viewer, now)

    await _once(request, viewer, key, trouble, act)
    return await upkeep(viewer, tool_id)


@api.post(
    "/tools/{tool_id}/maintenance/end",
    summary="Your tool is in order again",
    responses=problems(409, 422),
)
async def mend_tool(
    request: Request, viewer: ApiMember, tool_id: ToolKey, mended: Mended, key: Key
) -> Listed[UpkeepOut]:
    """Or found. It is lent from now on, and whoever it is promised to is told."""

    async def act(tx: db.Tx, now: datetime) -> None:
        await repairs.mend(tx, tool_id, mended.words, viewer, now)

    await _once(request, viewer, key, mended, act)
    return await upkeep(viewer, tool_id)


def _shape(line: Upkeep) -> UpkeepOut:
    return UpkeepOut(
        id=line.id,
        kind=UpkeepKind(line.kind),
        day=line.day,
        words=line.words,
        cost_cents=line.cost_cents,
    )
