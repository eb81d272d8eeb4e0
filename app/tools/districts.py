"""The parts of a neighbourhood, as coordinators name them: for who gives no point."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, update

from app.db import Tx
from app.errors import NotFound, Refusal, mistyped
from app.people.viewer import Viewer
from app.tools import grid, places
from app.tools.commands import touch_tool
from app.tools.folded import folded
from app.tools.models import Tool
from app.tools.place import District, Place
from app.tools.rules import clean

NAME_LONGEST = 40
MOST = 60  # of a community: one chooses among them


def why_not_draw(by: Viewer) -> Refusal | None:
    if by.is_coordinator:
        return None
    return Refusal("Only a coordinator names the districts.", lifted_by="a coordinator", status=403)


async def add(tx: Tx, name: str, point: str, by: Viewer) -> District:
    """Raises Refusal with the field that cannot be taken."""
    others = await _locked(tx, by)
    if len(others) >= MOST:
        raise Refusal(f"There are {MOST} districts already.", "Change or remove one first.")
    lat, lon = grid.point_from(point) or (None, None)
    made = District(community_id=by.community_id, name=_checked(name, others), lat=lat, lon=lon)
    tx.add(made)
    await tx.flush()
    return made


async def change(tx: Tx, district_id: int, name: str, point: str, by: Viewer) -> None:
    """Another name, which the cards show; another point, from which distances go."""
    found = await _locked(tx, by)
    district = _one(district_id, found)
    name = _checked(name, [one for one in found if one is not district])
    renamed, district.name = district.name != name, name
    district.lat, district.lon = grid.point_from(point) or (None, None)
    await tx.flush()
    await tx.execute(
        update(Place)
        .where(*_in(district), Place.lat.is_(None))
        .values(cell=places.cell_at(None, district))
        .execution_options(synchronize_session=False)
    )
    await places.set_right(tx, by.community_id, Tool.district_id == district.id)
    if renamed:
        here = Tool.community_id == by.community_id
        rows = await tx.scalars(select(Tool).where(here, Tool.district_id == district.id))
        for tool in rows.all():
            touch_tool(tx, tool, listing=True)


async def remove(tx: Tx, district_id: int, by: Viewer) -> None:
    """Whoever has named it keeps their address, and their point if they gave one."""
    district = _one(district_id, await _locked(tx, by))
    await tx.execute(
        update(Place)
        .where(*_in(district), Place.lat.is_(None))
        .values(cell=None)
        .execution_options(synchronize_session=False)
    )
    await tx.execute(
        update(Place)
        .where(*_in(district))
        .values(district_id=None)
        .execution_options(synchronize_session=False)
    )
    await places.set_right(tx, by.community_id, Tool.district_id == district.id)
    await tx.delete(district)
    await tx.flush()


def _in(district: District) -> tuple[ColumnElement[bool], ...]:
    return Place.community_id == district.community_id, Place.district_id == district.id


async def _locked(tx: Tx, by: Viewer) -> Sequence[District]:
    """All of them: who names, names alone. Raises Refusal for who may not."""
    if refusal := why_not_draw(by):
        raise refusal
    here = District.community_id == by.community_id
    await tx.execute(select(District.id).where(here).order_by(District.id).with_for_update())
    # Only a statement that begins now sees what somebody added while we waited.
    rows = select(District).where(here).order_by(District.id)
    return (await tx.scalars(rows.execution_options(populate_existing=True))).all()


def _one(district_id: int, found: Sequence[District]) -> District:
    for district in found:
        if district.id == district_id:
            return district
    raise NotFound


def _checked(name: str, others: Sequence[District]) -> str:
    name = " ".join(clean(name).split())
    if not name or len(name) > NAME_LONGEST:
        raise mistyped("name", f"A district has a name of up to {NAME_LONGEST} characters.")
    if folded(name) in {folded(one.name) for one in others}:
        raise mistyped("name", f"There is a district {name} already.", "Choose another name.")
    return name
