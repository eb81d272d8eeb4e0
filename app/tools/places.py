"""Saying where one's tools are fetched, and forgetting it. Nothing of it is sent anywhere else.

The doors ask `loans.pick_up`, which also tells the loans that are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, delete, or_, select, update
from sqlalchemy.orm import aliased

from app.db import Tx
from app.errors import NotFound, mistyped
from app.people import queries as people
from app.people.models import Status
from app.people.viewer import Viewer
from app.tools import grid, queries, rules, where
from app.tools.commands import touch_tool
from app.tools.grid import Point
from app.tools.models import Tool
from app.tools.place import District, Place

ADDRESS_LONGEST = 300


@dataclass(frozen=True)
class PlaceText:
    """Where something is, as it is typed; one of the three is enough."""

    address: str = ""
    district: int | None = None  # its id
    point: str = ""  # latitude and longitude


async def keep(
    tx: Tx, text: PlaceText, by: Viewer, now: datetime, tool_id: int | None = None
) -> Sequence[int]:
    """A person's place, or a tool's that is elsewhere. Answers which tools are fetched there.

    Raises Refusal with the field that cannot be taken, NotFound.
    """
    await _held(tx, by, tool_id)
    address, point = _address(text.address), grid.point_from(text.point)
    district = await _district(tx, by.community_id, text.district)
    if not (address or point or district):
        way_out = "An address, a district or coordinates will do."
        raise mistyped("address", "Say where it is.", way_out)
    place = await where.place_of(tx, by, tool_id)
    if place is None:
        person_id = by.person_id if tool_id is None else None
        place = Place(community_id=by.community_id, person_id=person_id, tool_id=tool_id)
        tx.add(place)
    place.address, place.changed_at = address, now
    place.lat, place.lon = point or (None, None)
    place.district_id = district.id if district else None
    place.cell = cell_at(point, district)
    await tx.flush()
    return await set_right(tx, by.community_id, _fetched(by, tool_id))


async def forget(tx: Tx, by: Viewer, tool_id: int | None = None) -> Sequence[int]:
    """A second time it changes nothing. A tool is where its owner is, from then on."""
    await _held(tx, by, tool_id)
    place = await where.place_of(tx, by, tool_id)
    if place is not None:
        await tx.delete(place)
        await tx.flush()
    return await set_right(tx, by.community_id, _fetched(by, tool_id))


async def person_left(tx: Tx, community_id: int, person_id: int) -> None:
    """Their place is forgotten, and those of their own tools."""
    theirs = and_(Tool.community_id == community_id, Tool.owner_id == person_id)
    whose = or_(Place.person_id == person_id, Place.tool_id.in_(select(Tool.id).where(theirs)))
    gone = delete(Place).where(Place.community_id == community_id, whose)
    await tx.execute(gone.execution_options(synchronize_session=False))
    await set_right(tx, community_id, theirs)


async def set_right(tx: Tx, community_id: int, which: ColumnElement[bool]) -> Sequence[int]:
    """What is told of where these tools are follows from the places; answers their ids.

    A card is drawn anew only where that changes: nobody sees that an address did.
    """
    here = and_(Tool.community_id == community_id, which)
    locked = await tx.scalars(select(Tool.id).where(here).order_by(Tool.id).with_for_update())
    ids = locked.all()
    own, theirs = aliased(Place), aliased(Place)
    right = (
        select(
            Tool.id,
            case((own.id.is_not(None), own.cell), else_=theirs.cell).label("cell"),
            case((own.id.is_not(None), own.district_id), else_=theirs.district_id).label("part"),
        )
        .outerjoin(own, and_(own.community_id == community_id, own.tool_id == Tool.id))
        .outerjoin(
            theirs, and_(theirs.community_id == community_id, theirs.person_id == Tool.owner_id)
        )
        .where(Tool.community_id == community_id, Tool.id.in_(ids))
        .subquery()
    )
    wrong = or_(
        Tool.cell.is_distinct_from(right.c.cell), Tool.district_id.is_distinct_from(right.c.part)
    )
    changed = await tx.scalars(
        update(Tool)
        .where(Tool.community_id == community_id, Tool.id == right.c.id, wrong)
        .values(cell=right.c.cell, district_id=right.c.part)
        .returning(Tool)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    for tool in changed.all():
        touch_tool(tx, tool, listing=True)
    return ids


def cell_at(point: Point | None, district: District | None) -> int | None:
    """Of the point; without one, of the district's."""
    if point is None and district is not None and district.lat is not None:
        assert district.lon is not None, "the table has both or none"
        point = Point(district.lat, district.lon)
    return grid.cell_of(point) if point else None


def _fetched(by: Viewer, tool_id: int | None) -> ColumnElement[bool]:
    return Tool.owner_id == by.person_id if tool_id is None else Tool.id == tool_id


async def _held(tx: Tx, by: Viewer, tool_id: int | None) -> None:
    """Nobody lists a tool of theirs meanwhile. Raises NotFound, Refusal for another's tool."""
    standing = await people.locked_standing(tx, by.community_id, by.person_id)
    if standing is None or standing.status != Status.ACTIVE:
        raise NotFound
    if tool_id is None:
        return
    tool = await queries.locked(tx, by.community_id, tool_id)
    if not rules.sees(tool, by):
        raise NotFound
    if refusal := rules.why_not_edit(tool, by):
        raise refusal


def _address(typed: str) -> str:
    lines = (" ".join(line.split()) for line in rules.clean(typed).split("\n"))
    address = "\n".join(line for line in lines if line)
    if len(address) > ADDRESS_LONGEST:
        said = f"An address may have {ADDRESS_LONGEST} characters."
        raise mistyped("address", said, "Shorten it.")
    return address


async def _district(tx: Tx, community_id: int, district_id: int | None) -> District | None:
    """Held, so that it neither goes nor moves meanwhile."""
    if district_id is None:
        return None
    found = await tx.scalar(
        select(District)
        .where(District.community_id == community_id, District.id == district_id)
        .with_for_update(read=True)
    )
    if found is None:
        raise mistyped("district", "Choose one of the districts, or none.")
    return found
