"""How far a wall reaches: what distance has to do with which tools hang there, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, case, literal, or_, true

from app.board.search import Search
from app.db import Tx
from app.people.viewer import Here
from app.tools import grid, where
from app.tools.models import Tool


@dataclass(frozen=True)
class Reach:
    """What distance does to a wall. Equal for all who look from one cell.

    `bands`: conditions on tools, the nearest first, each tool in one of them; `band`: which one.
    """

    bands: Sequence[ColumnElement[bool]]
    band: ColumnElement[int]
    within: Sequence[int] = ()  # the cells that are near enough for the search


async def reach_of(tx: Tx, here: Here, search: Search) -> Reach:
    """A band without any tool is left out: one question less."""
    if search.near is None:
        return Reach([true()], literal(0, Integer))
    cells = await where.cells(tx, here.id)
    bands: list[ColumnElement[bool]] = []
    nearer: set[int] = set()
    for metres in grid.BANDS:
        near = set(grid.within(cells, search.near, metres)) - nearer
        bands += [Tool.cell.in_(sorted(near))] if near else []
        nearer |= near
    whens = [(condition, number) for number, condition in enumerate(bands)]
    rest = or_(Tool.cell.is_(None), Tool.cell.not_in(sorted(nearer)))
    band = case(*whens, else_=len(bands)) if whens else literal(0, Integer)
    within = grid.within(cells, search.near, search.distance) if search.distance else ()
    return Reach([*bands, rest], band, within)
