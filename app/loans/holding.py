"""As JSON: what dates come to, holding them while one chooses, and whom one trusts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from app import clock, db
from app.errors import Refusal
from app.http import throttle
from app.http.schemas import ID_LIMIT, Period, ToolKey, problems
from app.loans import holds, rules, trust
from app.loans.dates import refuse_taken, why_not_unheld
from app.loans.shapes import PeriodAsked
from app.people.doors import ApiMember, ApiMemberEvenSuspended
from app.tools import keepers
from app.tools import queries as tools

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["loans"])
PersonKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[3])]


class QuoteOut(Period):
    """What these dates come to, and whether they can be asked for."""

    days: int = Field(examples=[3], description="Started days of the community's calendar")
    price_cents: int = Field(examples=[750], description="For the whole period")
    deposit_cents: int = Field(examples=[0], description="Paid between people, not by ToolShare")
    currency: str = Field(examples=["EUR"])
    possible: bool
    sentence: str | None = Field(None, description="Why not")
    way_out: str | None = None
    free: list[Period] | None = Field(None, description="The nearest free periods, if taken")
    chosen_by_others: bool = Field(
        description="Somebody is choosing them just now; they can be asked for all the same"
    )


class HoldOut(Period):
    """Held for you. `end` has the tool's rest after a loan in it."""

    until: datetime
    seconds_left: int = Field(examples=[600])


@api.get("/tools/{tool_id}/quote", summary="What dates would come to", responses=problems(422))
async def quote(
    viewer: ApiMemberEvenSuspended, tool_id: ToolKey, asked: Annotated[PeriodAsked, Query()]
) -> QuoteOut:
    """Changes nothing. Write a `+` in an address as `%2B`."""
    here, now = viewer.here, clock.now()
    start, end = asked.period(here.zone)
    why_not: Refusal | None = None
    async with db.snapshot() as tx:
        tool = await tools.tool_for(tx, viewer, tool_id)
        apart = await keepers.between(tx, viewer.person_id, tool)
        try:
            if refusal := rules.why_not_request(tool, start, end, viewer, apart, now):
                raise refusal
            await refuse_taken(tx, tool, start, end, now)
        except Refusal as refusal:
            why_not = refusal
        held = why_not is None and await why_not_unheld(tx, tool, start, end, viewer.person_id, now)
    free = [
        Period(start=one.astimezone(here.zone), end=other.astimezone(here.zone))
        for one, other in (why_not.free if why_not else ())
    ]
    counts = start < end
    return QuoteOut(
        start=start.astimezone(here.zone),
        end=end.astimezone(here.zone),
        days=clock.started_days(start, end, here.zone) if counts else 0,
        price_cents=rules.price(tool, start, end, here) if counts else 0,
        deposit_cents=tool.deposit_cents,
        currency=here.currency,
        possible=why_not is None,
        sentence=why_not.sentence if why_not else None,
        way_out=why_not.way_out if why_not else None,
        free=free or None,
        chosen_by_others=bool(held),
    )


@api.post(
    "/tools/{tool_id}/hold",
    summary="Hold dates while you choose",
    responses=problems(409, 422, 429),
)
async def hold(viewer: ApiMemberEvenSuspended, tool_id: ToolKey, dates: PeriodAsked) -> HoldOut:
    """For ten minutes, one for a tool; again with other dates moves it, not its end.

    A request with your own hold, or its end, frees it.
    """
    await throttle.spend(f"hold:{viewer.person_id}", "hold", limit="60/minute")
    now, zone = clock.now(), viewer.here.zone
    async with db.begin() as tx:
        until = await holds.hold(tx, tool_id, *dates.period(zone), viewer, now)
        tool = await tools.tool_for(tx, viewer, tool_id)
        mine = await holds.own(tx, tool, viewer.person_id, now)
    assert mine is not None, "it has just been made"
    return HoldOut(
        start=mine.start.astimezone(zone),
        end=mine.end.astimezone(zone),
        until=until.astimezone(zone),
        seconds_left=int((until - now).total_seconds()),
    )


@api.delete(
    "/tools/{tool_id}/hold",
    status_code=204,
    summary="Let go of the dates you hold",
    responses=problems(),
)
async def let_go(viewer: ApiMemberEvenSuspended, tool_id: ToolKey) -> None:
    """Nothing held is nothing to let go: that is no fault."""
    async with db.begin() as tx:
        await holds.let_go(tx, tool_id, viewer, clock.now())


@api.put(
    "/people/{person_id}/trust",
    status_code=204,
    summary="Trust a neighbour with your tools",
    responses=problems(409),
)
async def mark(viewer: ApiMember, person_id: PersonKey) -> None:
    """Where a tool of yours says so, their requests are approved at once. They are not told."""
    async with db.begin() as tx:
        await trust.mark(tx, person_id, viewer, clock.now())


@api.delete(
    "/people/{person_id}/trust",
    status_code=204,
    summary="Decide on each request again",
    responses=problems(),
)
async def unmark(viewer: ApiMember, person_id: PersonKey) -> None:
    """Who brings your tools back in time keeps the trust that grows from that."""
    async with db.begin() as tx:
        await trust.unmark(tx, person_id, viewer)
