"""Reading where tools are. The exact place is its owner's, and for `loans.pick_up` to tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from app.db import Tx
from app.people.viewer import Viewer
from app.tools import grid, rules
from app.tools.models import Tool
from app.tools.place import District, Place


async def place_of(tx: Tx, by: Viewer, tool_id: int | None = None) -> Place | None:
    """The viewer's own place; or a tool's, which whoever lends it may ask for."""
    whose = Place.person_id == by.person_id if tool_id is None else Place.tool_id == tool_id
    return await tx.scalar(select(Place).where(Place.community_id == by.community_id, whose))


async def exact(tx: Tx, tool: Tool) -> Place | None:
    """Where this very tool is fetched: its own place, else its owner's."""
    whose = Place.tool_id == tool.id
    if tool.owner_id is not None:  # "person_id IS NULL" would be every tool's place
        whose = whose | (Place.person_id == tool.owner_id)
    rows = select(Place).where(Place.community_id == tool.community_id, whose)
    return await tx.scalar(rows.order_by(Place.tool_id.is_(None)).limit(1))


async def cell_of(tx: Tx, by: Viewer) -> int | None:
    """From where this person sees distances."""
    here, me = Place.community_id == by.community_id, Place.person_id == by.person_id
    return await tx.scalar(select(Place.cell).where(here, me))


async def cells(tx: Tx, community_id: int) -> Sequence[int]:
    """All in which tools on the board are; from one to the next, however many tools there are."""
    hangs = Tool.status.in_(rules.ON_THE_BOARD)
    found = select(Tool.cell).where(Tool.community_id == community_id, hangs).order_by(Tool.cell)
    first = found.where(Tool.cell.is_not(None)).limit(1)
    steps = select(first.scalar_subquery().label("cell")).cte("steps", recursive=True)
    after = found.where(Tool.cell > steps.c.cell).limit(1).scalar_subquery()
    steps = steps.union_all(select(after).where(steps.c.cell.is_not(None)))
    rows = await tx.scalars(select(steps.c.cell).where(steps.c.cell.is_not(None)))
    return rows.all()


async def far(tx: Tx, community_id: int, near: int | None) -> dict[int, str]:
    """Cell → how far it is from the viewer's, `near`; empty for who has not said where they are."""
    if near is None:
        return {}
    return {cell: grid.words(near, cell) for cell in await cells(tx, community_id)}


async def told(tx: Tx, by: Viewer, tool: Tool) -> str:
    """“Old Mill, 5 minutes' walk”, as far as it is known."""
    far = grid.words(await cell_of(tx, by), tool.cell)
    return ", ".join(filter(None, (tool.district.name if tool.district else "", far)))


async def put(tx: Tx, tools: Iterable[Tool], by: Viewer) -> None:
    """New tools of this person are where they are; `people.still_in` has been asked."""
    row = await tx.execute(
        select(Place.cell, Place.district_id).where(
            Place.community_id == by.community_id, Place.person_id == by.person_id
        )
    )
    cell, district_id = row.one_or_none() or (None, None)
    for tool in tools:
        if tool.owner_id == by.person_id:
            tool.cell, tool.district_id = cell, district_id


async def districts(tx: Tx, community_id: int) -> Sequence[District]:
    rows = await tx.scalars(
        select(District)
        .where(District.community_id == community_id)
        .order_by(func.lower(District.name), District.id)
    )
    return rows.all()
