"""Who can hand over now: a lender says so for a while; the clock ends it, and nothing is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta

from sqlalchemy import select, update

from app import clock, topic
from app.db import Tx
from app.errors import Refusal, mistyped
from app.people.models import Membership, Person, Status
from app.people.viewer import Here, Viewer
from app.realtime import touch
from app.tools import keepers
from app.tools.commands import touch_tool
from app.tools.models import Tool, ToolStatus

LONGEST = timedelta(hours=4)
EVENING = "evening"
EVENING_ENDS = time(22)
LENGTHS = {"1": timedelta(hours=1), "2": timedelta(hours=2)}


def choices(here: Here, now: datetime) -> list[tuple[str, str]]:
    """(what a form says, its words); the evening from when it is near enough."""
    found = [("1", "For 1 hour"), ("2", "For 2 hours")]
    if _evening(here, now) is not None:
        found.append((EVENING, "This evening"))
    return found


def _evening(here: Here, now: datetime) -> datetime | None:
    """When this evening ends, if that is more than two hours away and not too far."""
    today = clock.local_day(now, here.zone)
    ends = clock.wall(today, EVENING_ENDS, here.zone)
    return ends if LENGTHS["2"] < ends - now <= LONGEST else None


def until(length: str, here: Here, now: datetime) -> datetime:
    """Raises Refusal for what is none of the choices."""
    if length in LENGTHS:
        return now + LENGTHS[length]
    evening = _evening(here, now)
    if length != EVENING or evening is None:
        raise mistyped("length", "Say for how long.", "Choose one or two hours.")
    return evening


async def begin(tx: Tx, length: str, by: Viewer, now: datetime) -> datetime:
    """Neighbours see it on the tools that are free; a second time it counts from now."""
    if by.suspended:
        raise Refusal("Your membership is suspended.", "Talk to a coordinator.", status=403)
    ends = until(length, by.here, now)
    await _set(tx, by.person_id, ends)
    return ends


async def end(tx: Tx, person_id: int) -> None:
    await _set(tx, person_id, None)


async def pass_by(tx: Tx, now: datetime) -> None:
    """What the clock does: who said so until now is forgotten, and their tools look as always."""
    rows = await tx.scalars(
        select(Person.id)
        .where(Person.hands_over_until <= now)
        .order_by(Person.id)
        .with_for_update(skip_locked=True)
    )
    for person_id in rows.all():
        await _set(tx, person_id, None)


async def ready(tx: Tx, community_id: int, now: datetime) -> frozenset[int]:
    """The members of a community who can hand over now."""
    rows = await tx.scalars(
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Person.hands_over_until > now,
            Membership.community_id == community_id,
            Membership.status == Status.ACTIVE,
        )
    )
    return frozenset(rows)


def can(tool: Tool, ready: Collection[int]) -> bool:
    """Whether one of those who lend it can hand it over now."""
    return any(lender in ready for lender in tool.lenders)


async def until_when(tx: Tx, person_id: int, now: datetime) -> datetime | None:
    found = await tx.scalar(select(Person.hands_over_until).where(Person.id == person_id))
    return found if found and found > now else None


async def switch(tx: Tx, viewer: Viewer, here: Here, now: datetime) -> Mapping[str, object]:
    """A lender's own: until when it is on, or for how long it can be."""
    return {
        "until": await until_when(tx, viewer.person_id, now),
        "choices": choices(here, now),
        "post": f"{here.path}/handing-over",
        "zone": here.zone,
    }


async def _set(tx: Tx, person_id: int, ends: datetime | None) -> None:
    await tx.execute(update(Person).where(Person.id == person_id).values(hands_over_until=ends))
    rows = await tx.scalars(
        select(Tool).where(keepers.lent_by(person_id), Tool.status == ToolStatus.LISTED)
    )
    for tool in rows.all():
        touch_tool(tx, tool, listing=True)
    touch(tx, topic.things(person_id))
