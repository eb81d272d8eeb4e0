"""Identical tools hang on one hook: which they are, and how the hook's topic names them.

Alike is what neither a card nor a filter tells apart, but for being free. Who lends it counts: a
neighbour chooses by that, too, and a block then hides all of a hook or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, String, and_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from app import topic
from app.board.states import on_the_board
from app.db import Tx
from app.people.viewer import Here
from app.tools.models import Tool

ALWAYS = (Tool.keepers, Tool.category_id, Tool.plain_name, Tool.price_cents, Tool.skill)
MAYBE = (Tool.district_id, Tool.cell)  # a tool may have none of these
SAME = (Tool.owner_id, *ALWAYS, *MAYBE)
MOST = 50  # on one hook: more hang on several, so that its topic's name has room for all
TOO_HIGH = 2**62
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

Ids = tuple[int, ...]


async def beside(tx: Tx, here: Here, named: Collection[tuple[int | None, str]]) -> list[Ids]:
    """What hangs together among the tools of these (owner, folded name): only where several do."""
    owned = sorted({(owner, name) for owner, name in named if owner is not None})
    for_all = sorted({name for owner, name in named if owner is None})
    asked = (
        func.unnest(
            literal([owner for owner, _ in owned], ARRAY(BigInteger)),
            literal([name for _, name in owned], ARRAY(String)),
        )
        .table_valued("owner_id", "name")
        .render_derived()
    )
    hanging = select(Tool.id, *SAME).where(on_the_board(here))
    sorts: list[tuple[int, tuple[object, ...]]] = []
    own = hanging.join(
        asked, and_(Tool.owner_id == asked.c.owner_id, Tool.plain_name == asked.c.name)
    )
    theirs = hanging.where(Tool.owner_id.is_(None), Tool.plain_name.in_(for_all))
    for found in [own] * bool(owned) + [theirs] * bool(for_all):
        for one, owner, kept, *rest in await tx.execute(found):
            sorts.append((one, (owner, tuple(kept), *rest)))
    return hooks(sorts)


def hooks(sorts: Iterable[tuple[int, tuple[object, ...]]]) -> list[Ids]:
    """(id, what is the same) of tools, as the ids that hang together, at most so many on each."""
    found: dict[tuple[object, ...], list[int]] = {}
    for one, same in sorted(sorts, key=lambda pair: pair[0]):
        found.setdefault(same, []).append(one)
    parts = (ids[at : at + MOST] for ids in found.values() for at in range(0, len(ids), MOST))
    return [tuple(part) for part in parts if len(part) > 1]


def like(tool_id: int, here: Here) -> ColumnElement[bool]:
    """A condition on tools: hangs together with this one, whatever else is searched for."""
    that = aliased(Tool)

    def its(column: str) -> ScalarSelect[Any]:
        found = select(getattr(that, column))
        return found.where(that.community_id == here.id, that.id == tool_id).scalar_subquery()

    # By "=", as far as it can be: that finds them in the index of names.
    told = (column.is_not_distinct_from(its(column.key)) for column in (Tool.owner_id, *MAYBE))
    return and_(*(column == its(column.key) for column in ALWAYS), *told)


def named(community_id: int, ids: Sequence[int]) -> str:
    """The topic of a hook: a tool's own, or that of several."""
    return (
        topic.tool(community_id, ids[0]) if len(ids) == 1 else topic.alike(community_id, key(ids))
    )


def key(ids: Sequence[int]) -> str:
    """Ascending ids as a topic's key: the first, then by how much each is more than the last."""
    steps = (_in_36(then - one) for one, then in pairwise(ids))
    return "-".join((str(ids[0]), *steps))


def ids_of(typed: str) -> Ids | None:
    """None for a key that `key` has not made."""
    first, *steps = typed.split("-")
    if (one := topic.number(first)) is None or not 0 < len(steps) < MOST:
        return None
    try:
        ids = tuple(accumulate((one, *(int(step, 36) for step in steps))))
    except ValueError:
        return None
    return ids if key(ids) == typed and ids[-1] < TOO_HIGH else None


def _in_36(number: int) -> str:
    found = ""
    while number > 0:
        number, rest = divmod(number, 36)
        found = DIGITS[rest] + found
    return found
