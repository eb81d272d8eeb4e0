"""Waitlists as JSON: joining, one's place, the order for the lender, answering an offer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from app import clock, db
from app.http import idempotency
from app.http.schemas import (
    CREATED,
    Key,
    Listed,
    Named,
    Period,
    ToolKey,
    problems,
)
from app.loans import outlook, queries, quiet, rules, turns, waitlist, waits
from app.loans.once import once
from app.loans.shapes import LoanOut, shapes
from app.loans.waiting_shapes import (
    InLine,
    MoveAsked,
    NewWish,
    OfferOut,
    OfferTaken,
    WaitlistOut,
    WishOut,
)
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Here, Viewer
from app.tools import keepers
from app.tools import queries as tool_queries
from app.tools.wishes import Wish

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["waitlists"])
MAY_FAIL = problems(409, 422)


@api.get("/tools/{tool_id}/waitlist", summary="Who waits for a tool", responses=problems())
async def waitlist_of_tool(viewer: ApiMemberEvenSuspended, tool_id: ToolKey) -> WaitlistOut:
    """Your own place and how many wait; order and names for the lender and coordinators."""
    async with db.snapshot() as tx:
        return await _answer(tx, viewer, tool_id)


@api.get("/waitlist", summary="What you wait for here", responses=problems())
async def wishes(viewer: ApiMemberEvenSuspended) -> Listed[WishOut]:
    """What is offered to you first."""
    async with db.snapshot() as tx:
        wishes = await waits.wishes_of(tx, viewer.person_id, [viewer.community_id])
        found = [await _answer(tx, viewer, wish.tool_id) for wish in wishes]
    return Listed(items=[one.mine for one in found if one.mine], next=None)


@api.post(
    "/tools/{tool_id}/waitlist",
    status_code=201,
    summary="Wait for a tool",
    responses=CREATED | MAY_FAIL,
)
async def wait_for(
    request: Request,
    response: Response,
    viewer: ApiMemberEvenSuspended,
    tool_id: ToolKey,
    new: NewWish,
    key: Key,
) -> WaitlistOut:
    """Refused with free dates where you need not wait."""

    async def act(tx: db.Tx, now: datetime) -> object:
        if new.like is not None:
            return await waitlist.join_like(tx, tool_id, new.like, viewer, now)
        period = new.period(viewer.here)
        return await waitlist.join(tx, tool_id, viewer, now, period=period, days=new.days)

    answer = await _act(request, viewer, tool_id, key, new, act)
    response.headers["Location"] = f"/api/v1{viewer.here.path}/tools/{tool_id}/waitlist"
    return answer


@api.post("/tools/{tool_id}/waitlist/end", summary="Wait no more", responses=MAY_FAIL)
async def wait_no_more(
    request: Request, viewer: ApiMemberEvenSuspended, tool_id: ToolKey, key: Key
) -> WaitlistOut:
    return await _act(
        request,
        viewer,
        tool_id,
        key,
        None,
        lambda tx, now: waitlist.leave(tx, tool_id, viewer, now),
    )


@api.post(
    "/tools/{tool_id}/waitlist/offer/acceptance",
    summary="Accept what is kept for you",
    responses=MAY_FAIL,
)
async def accept_offer(
    request: Request,
    viewer: ApiMemberEvenSuspended,
    tool_id: ToolKey,
    key: Key,
    body: OfferTaken | None = None,
) -> LoanOut:
    """It becomes a request; its dates stay blocked until the lender answers."""
    read = body is not None and body.accept_safety
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, body)
        if done is None:
            now = clock.now()
            loan = await waitlist.accept(tx, tool_id, viewer, now, accept_safety=read)
            done = {"loan_id": loan.id}
            await idempotency.keep(tx, viewer.person_id, request, key, body, done)
        found = await queries.loan_for(tx, viewer, done["loan_id"])
        (answer,) = await shapes(tx, [found], viewer)
        return answer


@api.post(
    "/tools/{tool_id}/waitlist/offer/refusal",
    summary="Decline what is kept for you",
    responses=MAY_FAIL,
)
async def decline_offer(
    request: Request, viewer: ApiMemberEvenSuspended, tool_id: ToolKey, key: Key
) -> WaitlistOut:
    """It goes to the next. Who waits for any days keeps the place."""
    return await _act(
        request,
        viewer,
        tool_id,
        key,
        None,
        lambda tx, now: waitlist.decline(tx, tool_id, viewer, now),
    )


@api.post("/tools/{tool_id}/waitlist/order", summary="Move somebody", responses=MAY_FAIL)
async def move_in_line(
    request: Request, viewer: ApiMemberEvenSuspended, tool_id: ToolKey, body: MoveAsked, key: Key
) -> WaitlistOut:
    """For coordinators who do not wait for it themselves."""
    return await _act(
        request,
        viewer,
        tool_id,
        key,
        body,
        lambda tx, now: waitlist.move(
            tx, tool_id, body.person, body.place, viewer, now, body.reason
        ),
    )


async def _act(
    request: Request,
    viewer: Viewer,
    tool_id: int,
    key: str | None,
    body: Any,
    act: Callable[[db.Tx, datetime], Awaitable[object]],
) -> WaitlistOut:
    """One command, once per key; the answer is the waitlist as it is then."""
    async with db.begin() as tx:
        await once(tx, request, viewer, key, body, lambda: act(tx, clock.now()))
        return await _answer(tx, viewer, tool_id)


async def _answer(tx: db.Tx, viewer: Viewer, tool_id: int) -> WaitlistOut:
    here, now = viewer.here, clock.now()
    tool = await tool_queries.tool_for(tx, viewer, tool_id)
    line = await waits.line(tx, here.id, tool_id)
    apart = await keepers.between(tx, viewer.person_id, tool)
    mine = next((wish for wish in line if wish.person_id == viewer.person_id), None)
    sees_names = turns.why_not_see_names(tool, viewer) is None
    paused = rules.why_not_ask(tool, viewer, apart) is not None
    found, sentence = None, outlook.NOT_LENT
    if mine and not paused:
        taken = await waits.taken(tx, here, tool_id, now)
        found, sentence = outlook.outlook(mine, line, taken, here, now, viewer.locale)
    return WaitlistOut(
        length=len(line) if mine or sees_names or not paused else 0,
        mine=mine
        and WishOut(
            tool=Named(id=tool.id, name=tool.name),
            place=line.index(mine) + 1,
            length=len(line),
            probably_from=found and found[0].astimezone(here.zone),
            sentence=sentence,
            offer=_offer(mine, here, now),
            **_wanted(mine, here),
        ),
        line=[_in_line(wish, place, here) for place, wish in enumerate(line, 1)]
        if sees_names
        else None,
    )


def _wanted(wish: Wish, here: Here) -> dict[str, Any]:
    dates = wish.dates and [at.astimezone(here.zone) for at in wish.dates]
    return {
        "start": dates and dates[0],
        "end": dates and dates[1],
        "days": wish.days,
    }


def _in_line(wish: Wish, place: int, here: Here) -> InLine:
    offered = wish.offer and [at.astimezone(here.zone) for at in wish.offer]
    return InLine(
        person=Named(id=wish.person_id, name=wish.person.name),
        place=place,
        offered=Period(start=offered[0], end=offered[1]) if offered else None,
        **_wanted(wish, here),
    )


def _offer(wish: Wish, here: Here, now: datetime) -> OfferOut | None:
    if wish.offer is None or wish.offered_until is None:
        return None
    start, end = (at.astimezone(here.zone) for at in wish.offer)
    return OfferOut(
        start=start,
        end=end,
        until=wish.offered_until.astimezone(here.zone),
        seconds_left=int(quiet.left(now, wish.offered_until, here.zone).total_seconds()),
    )
