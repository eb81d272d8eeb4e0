"""What hangs on the wall for a search, and in what order: one answer for page, push and API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, desc, false, select

from app import clock
from app.board import alike, matching, states
from app.board.matching import Wording
from app.board.reach import Reach, reach_of
from app.board.search import Search
from app.db import Tx
from app.people.viewer import Here
from app.tools import handing_over, keepers, occupied
from app.tools import queries as tool_queries
from app.tools.models import Category, Skill, Tool

PAGE = 60  # cards that a board shows at first, and so many more each time
SPARE = 200  # more than that, so that a page stays full where some are veiled
LOOKED_AT = 20_000  # tools at most, for as many hooks as are to be shown


@dataclass(frozen=True)
class Hung:
    """A tool's place on the wall: all that its order there is made of."""

    id: int
    lenders: tuple[int, ...]
    rank: int  # how well its words fit
    free: bool
    at_once: bool  # free, and who lends it can hand it over now
    band: int  # how far it is, roughly
    name: str
    owner_id: int | None
    alike: alike.Ids  # all that hang on its hook and fit, itself among them

    @property
    def place(self) -> tuple[int, bool, bool, int, str, int]:
        """Words first, then what one can have now, at once before all, what is near, the name.

        How soon its lender answers will stand between the last two. What says so in `_first` must
        say so here.
        """
        return self.rank, not self.free, not self.at_once, self.band, self.name, self.id


async def hanging(tx: Tx, here: Here, search: Search, now: datetime) -> Sequence[Hung]:
    """The first of what fits, in order, and some more; not yet as anybody in particular sees it."""
    await matching.planned_each_time(tx)
    shelves = await tool_queries.categories(tx, here.id)
    reach = await reach_of(tx, here, search)
    limits = _limits(here, search, shelves, reach, now)
    asked = matching.wording(search.q, shelves, here)
    found = await _on_hooks(tx, here, search, asked, limits, reach, now)
    if not found and (spelt := await matching.spelling(tx, asked.words, shelves, here)):
        asked = matching.wording(search.q, shelves, here, spelt)
        found = await _on_hooks(tx, here, search, asked, limits, reach, now)
    return found


async def _on_hooks(
    tx: Tx,
    here: Here,
    search: Search,
    asked: Wording,
    limits: Sequence[ColumnElement[bool]],
    reach: Reach,
    now: datetime,
) -> Sequence[Hung]:
    """With as many hooks as are to be shown, however many tools hang on them."""
    shown = PAGE * search.pages
    most = shown + SPARE
    while True:
        found = await _first(tx, here, asked, limits, reach, now, most)
        if search.alike:
            return found
        together = await _together(tx, here, search, asked, limits, found)
        on = {one: ids for ids in together for one in ids}
        found = [replace(one, alike=on[one.id]) if one.id in on else one for one in found]
        if len(found) < most or len({one.alike for one in found}) > shown or most > LOOKED_AT:
            return found
        most *= 4


async def _together(
    tx: Tx,
    here: Here,
    search: Search,
    asked: Wording,
    limits: Sequence[ColumnElement[bool]],
    found: Sequence[Hung],
) -> list[alike.Ids]:
    """What hangs on one hook with one of these, as far as it fits, too."""
    together = await alike.beside(tx, here, {(one.owner_id, one.name) for one in found})
    if not together or not search.narrowed:
        return together
    ids = [one for ids in together for one in ids]
    fitting = select(Tool.id).where(Tool.community_id == here.id, Tool.id.in_(ids))
    fit = set(await tx.scalars(fitting.where(asked.fits, *limits)))
    left = (tuple(one for one in ids if one in fit) for ids in together)
    return [ids for ids in left if len(ids) > 1]


async def _first(
    tx: Tx,
    here: Here,
    asked: Wording,
    limits: Sequence[ColumnElement[bool]],
    reach: Reach,
    now: datetime,
    most: int,
) -> Sequence[Hung]:
    free = states.free_at(here, now)
    ready = await handing_over.ready(tx, here.id, now)
    at_once = free & keepers.lent_by_one_of(ready) if ready else false()
    places = select(
        Tool.id,
        Tool.owner_id,
        Tool.keepers,
        Tool.plain_name,
        asked.rank.label("rank"),
        free.label("free"),
        at_once.label("at_once"),
        reach.band.label("band"),
    ).where(states.on_the_board(here), asked.fits, *limits)
    if asked.ranked:
        ordered = places.order_by(
            *("rank", desc("free"), desc("at_once"), "band"), Tool.plain_name, Tool.id
        )
        return await _hung(tx, ordered.limit(most))
    # As the index of names has them: a large wall is not sorted for its first cards.
    named = places.order_by(Tool.plain_name, Tool.id)
    found: list[Hung] = []
    states_first = (at_once, free & ~at_once, ~free) if ready else (free, ~free)
    for part in (state & band for state in states_first for band in reach.bands):
        found += await _hung(tx, named.where(part).limit(most - len(found)))
        if len(found) == most:
            break
    return found


async def _hung(
    tx: Tx, places: Select[int, int | None, list[int], str | None, int, bool, bool, int]
) -> list[Hung]:
    return [
        Hung(
            *(one, tuple(kept) if owner is None else (owner,), rank, free, at_once, band),
            *(name or "", owner, (one,)),
        )
        for one, owner, kept, name, rank, free, at_once, band in await tx.execute(places)
    ]


def _limits(
    here: Here, search: Search, shelves: Sequence[Category], reach: Reach, now: datetime
) -> list[ColumnElement[bool]]:
    """Conditions on tools from all that is not typed."""
    found: list[ColumnElement[bool]] = []
    if search.category:
        named = {shelf.id for shelf in shelves if shelf.slug == search.category}
        below = {shelf.id for shelf in shelves if shelf.parent_id in named}
        found.append(Tool.category_id.in_(named | below))
    if search.free:
        found.append(states.free_at(here, now))
    if search.price is not None:
        found.append(Tool.price_cents <= search.price)
    if search.skill:
        levels = tuple(Skill)
        found.append(Tool.skill.in_(levels[: levels.index(Skill(search.skill)) + 1]))
    if search.district:
        found.append(Tool.district_id == search.district)
    if search.distance:
        found.append(Tool.cell.in_(reach.within))
    if search.lender:
        found.append(keepers.lent_by(search.lender))
    if search.alike:
        found.append(alike.like(search.alike, here))
    if search.days:
        start, end = clock.days(*search.days, here.zone)
        found.append(occupied.nothing_blocks(start, end, now) if end > now else false())
        if clock.local_day(now, here.zone) >= search.days[0]:
            # Nobody can say when what is late will be back: not on this day, at least.
            found.append(~states.late_at(here, now))
    return found


class Shown(NamedTuple):
    hung: Sequence[Hung]  # the first of each hook, which stands for all of it
    more: bool  # fit than are shown


def arrange(found: Sequence[Hung], search: Search, apart: Collection[int]) -> Shown:
    """As somebody sees it. `apart`: the people whom a block keeps from them; what these lend looks
    paused, so it hangs at the end of its like, and is not lent on any day.
    """
    if apart and (search.free or search.days):
        found = [one for one in found if not _veiled(one, apart)]
    elif apart:
        seen = (_paused(one) if _veiled(one, apart) else one for one in found)
        found = sorted(seen, key=lambda one: one.place)
    hooks: dict[alike.Ids, Hung] = {}
    for one in found:
        hooks.setdefault(one.alike, one)
    shown = PAGE * search.pages
    return Shown(list(hooks.values())[:shown], len(hooks) > shown)


def _paused(one: Hung) -> Hung:
    return replace(one, free=False, at_once=False)


def _veiled(one: Hung, apart: Collection[int]) -> bool:
    return all(lender in apart for lender in one.lenders)


async def tools_of(tx: Tx, here: Here, hung: Iterable[Hung]) -> Sequence[Tool]:
    """All on these hooks, in the same order, with all that their cards show."""
    ids = dict.fromkeys(tool_id for one in hung for tool_id in one.alike)
    place = {tool_id: number for number, tool_id in enumerate(ids)}
    rows = await tx.scalars(
        tool_queries.with_all().where(Tool.community_id == here.id, Tool.id.in_(place))
    )
    return sorted(rows, key=lambda tool: place[tool.id])


async def listed(
    tx: Tx,
    here: Here,
    search: Search,
    now: datetime,
    *,
    apart: Collection[int] = (),
    after: int = 0,
    limit: int,
) -> Sequence[Tool]:
    """What fits in the order in which it was listed, after the tool of this id.

    That order stays while everything changes: page by page, nothing comes twice or is passed over.
    """
    await matching.planned_each_time(tx)
    shelves = await tool_queries.categories(tx, here.id)
    reach = await reach_of(tx, here, search)
    limits = _limits(here, search, shelves, reach, now)
    if apart and (search.free or search.days):
        limits.append(keepers.not_lent_only_by(apart))
    fitting = await _fitting(tx, here, search, shelves, limits)
    rows = await tx.scalars(
        tool_queries.with_all()
        .where(Tool.community_id == here.id, Tool.id.in_(fitting))
        .where(Tool.id > after)
        .order_by(Tool.id)
        .limit(limit)
    )
    return rows.all()


async def fits(tx: Tx, here: Here, search: Search, tool_id: int, now: datetime) -> bool:
    """Whether this tool is among what the search finds, typos forgiven as for everybody."""
    shelves = await tool_queries.categories(tx, here.id)
    reach = await reach_of(tx, here, search)
    limits = _limits(here, search, shelves, reach, now)
    fitting = await _fitting(tx, here, search, shelves, limits)
    return await tx.scalar(fitting.where(Tool.id == tool_id)) is not None


async def _fitting(
    tx: Tx,
    here: Here,
    search: Search,
    shelves: Sequence[Category],
    limits: Sequence[ColumnElement[bool]],
) -> Select[int]:
    """The ids of all that fits; where nothing does as it is typed, of what may have been meant."""
    asked = matching.wording(search.q, shelves, here)
    fitting = select(Tool.id).where(states.on_the_board(here), *limits)
    if asked.words and await tx.scalar(fitting.where(asked.fits).limit(1)) is None:
        spelt = await matching.spelling(tx, asked.words, shelves, here)
        asked = matching.wording(search.q, shelves, here, spelt)
    return fitting.where(asked.fits)
