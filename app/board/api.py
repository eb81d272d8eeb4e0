"""When a tool is free, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from app import clock, db
from app.board import calendar, queries
from app.errors import Span
from app.http.schemas import Answered, Period, ToolKey, problems
from app.people import blocks
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Here
from app.tools import occupied
from app.tools import queries as tool_queries
from app.tools.models import ToolStatus

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])


class ChosenOut(Period):
    """Dates that somebody is choosing; nobody learns who."""

    mine: bool
    seconds_left: int = Field(examples=[574])


class AvailabilityOut(Answered):
    """In the community's zone. Busy periods carry no names."""

    kind: str = Field(
        examples=["reserved"],
        description="free, asked, reserved, out, overdue, paused or maintenance",
    )
    words: str = Field(examples=["Reserved from Sat 3 May"])
    free_now: bool
    hands_over_now: bool = Field(description="Who lends it says that they can hand it over now")
    next_free: datetime | None = Field(description="null while nobody can say")
    busy: list[Period] = Field(description="Taken from now on; empty while it is not lent")
    free: list[Period] = Field(description="Free from now on, as far ahead as one can ask")
    choosing: list[ChosenOut] = Field(description="Held for a moment; they count as free")


@api.get("/tools/{tool_id}/availability", summary="When a tool is free", responses=problems())
async def availability(viewer: ApiMemberEvenSuspended, tool_id: ToolKey) -> AvailabilityOut:
    here, now = viewer.here, clock.now()
    async with db.snapshot() as tx:
        tool = await tool_queries.tool_for(tx, viewer, tool_id)
        seen = await queries.seen(tx, here, [tool], now, viewer.locale)
        apart = await blocks.apart_from(tx, viewer.person_id)
        held = await occupied.holds(tx, here.id, tool.id, now)
    (one,) = queries.as_seen_by(seen, apart)
    state, lent = one.state, one.status == ToolStatus.LISTED
    return AvailabilityOut(
        kind=state.kind,
        words=f"{state.words} {state.when}".strip(),
        free_now=state.free_now,
        hands_over_now=one.hands_over,
        next_free=state.next_free and state.next_free.astimezone(here.zone),
        busy=_periods(calendar.blocked(one, here, now) if lent else (), here),
        free=_periods(calendar.free(one, here, now), here),
        choosing=[
            ChosenOut(
                start=hold.start.astimezone(here.zone),
                end=hold.end.astimezone(here.zone),
                mine=hold.person_id == viewer.person_id,
                seconds_left=int((hold.until - now).total_seconds()),
            )
            for hold in (held if lent else ())
        ],
    )


def _periods(spans: Iterable[Span], here: Here) -> list[Period]:
    return [
        Period(start=start.astimezone(here.zone), end=end.astimezone(here.zone))
        for start, end in spans
    ]
