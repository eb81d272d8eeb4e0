"""Who lends a tool: its owner, or the keepers of a community's tool. What a block does to that."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, or_

from app.db import Tx
from app.people import blocks
from app.people.viewer import Apart
from app.tools.models import Tool


async def between(tx: Tx, me: int, tool: Tool) -> Apart | None:
    """The block that keeps me from this tool: one keeper without a block is enough to lend it."""
    return await blocks.from_each(tx, me, tool.lenders)


async def apart_from(tx: Tx, tool: Tool) -> frozenset[int]:
    """Everybody whom blocks keep from all who lend this tool: they see it as paused."""
    apart = [await blocks.apart_from(tx, lender) for lender in tool.lenders]
    return frozenset.intersection(*apart)


def hidden_from(tool: Tool, apart: Collection[int]) -> bool:
    """`apart`: the people whom a block keeps from the viewer."""
    return all(lender in apart for lender in tool.lenders)


def lent_by(person_id: int) -> ColumnElement[bool]:
    """Tools that this person lends: the own ones, and those of the community they keep."""
    return or_(
        Tool.owner_id == person_id,
        and_(Tool.owner_id.is_(None), Tool.keepers.contains([person_id])),
    )


def lent_by_one_of(people: Collection[int]) -> ColumnElement[bool]:
    """Tools that at least one of these lends. Not null for the rest: its opposite holds there."""
    ids = list(people)
    return or_(
        and_(Tool.owner_id.is_not(None), Tool.owner_id.in_(ids)),
        and_(Tool.owner_id.is_(None), Tool.keepers.overlap(ids)),
    )


def not_lent_only_by(people: Collection[int]) -> ColumnElement[bool]:
    ids = list(people)
    return or_(
        Tool.owner_id.not_in(ids),
        and_(Tool.owner_id.is_(None), ~Tool.keepers.contained_by(ids)),
    )
