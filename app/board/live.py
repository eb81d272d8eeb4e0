"""The board's live regions: a tool's card, the counters, what just happened, and the list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from app import clock, topic
from app.board import alike, calendar, mine, queries, quick, states, wall
from app.board.search import Search
from app.db import Tx
from app.errors import NotFound
from app.pages import partial
from app.people import blocks
from app.people.viewer import Here, Viewer
from app.realtime import Faces, Items, Topics, TwoFaces
from app.tools import keepers, occupied, rules
from app.tools import queries as tool_queries
from app.tools.models import OccupancyKind

topics = Topics()
MORE = "+"  # beside the counts of categories, whose names begin with a letter or digit


def _also(key: str) -> tuple[str, ...]:
    """A search for what is free, now or on some days, changes with every tool's state."""
    search = Search.of(key)
    return ("board",) if search and (search.free or search.days) else ()


@topics.listing("list", follows=_also)
async def listing(tx: Tx, here: Here, key: str, locale: str) -> Faces | None:
    """Asked once for all who ask the same; a few see the tools of others as paused."""
    search = Search.of(key)
    if search is None:
        return None
    found = await wall.hanging(tx, here, search, clock.now())
    shelves = await queries.category_counts(tx, here)
    counts = {category.slug: count for category, count in shelves}

    def items(apart: Collection[int]) -> Items:
        hung, more = wall.arrange(found, search, apart)
        names = [alike.named(here.id, one.alike) for one in hung]
        return Items(names, {**counts, MORE: int(more)})

    pairs = await blocks.pairs_in(tx, here.id)
    return Faces(items(()), {person: items(apart) for person, apart in pairs.items()})


def draw_card(one: queries.Seen, here: Here, locale: str) -> str:
    return partial("board/_card.html", tool=queries.card(one, here, locale), zone=here.zone)


def draw_hook(together: Sequence[queries.Seen], here: Here, locale: str) -> str:
    """A card: of one tool, or of several that are alike."""
    if len(together) == 1:
        return draw_card(together[0], here, locale)
    shown = queries.several(together, here, locale)
    return partial("board/_alike.html", tool=shown, zone=here.zone)


def faces(
    one: queries.Seen, apart: Collection[int], draw: Callable[[queries.Seen], str]
) -> str | TwoFaces:
    """`apart`: those whom a block keeps from who lends it. They see what *paused* shows."""
    html = draw(one)
    return TwoFaces(html, draw(queries.veil(one)), frozenset(apart)) if apart else html


@topics.shared("tool")
async def tool(tx: Tx, here: Here, key: str, locale: str) -> str | TwoFaces | None:
    tool_id = topic.number(key)
    if tool_id is None:
        return None
    tools = await queries.on_the_board(tx, here, only=[tool_id])
    if not tools:
        return None
    (one,) = await queries.seen(tx, here, tools, clock.now(), locale)
    apart = await keepers.apart_from(tx, one.tool)
    return faces(one, apart, lambda seen: draw_card(seen, here, locale))


def _each(key: str) -> tuple[str, ...]:
    """A hook changes with each tool on it."""
    return tuple(f"tool/{one}" for one in alike.ids_of(key) or ()) or ("list",)


@topics.shared("alike", follows=_each)
async def several(tx: Tx, here: Here, key: str, locale: str) -> str | TwoFaces | None:
    """Those that still hang there; who would name others gets what is like the first."""
    tools = await queries.on_the_board(tx, here, only=alike.ids_of(key) or ())
    if not tools:
        return None
    found = sorted(
        await queries.seen(tx, here, tools, clock.now(), locale), key=lambda one: one.tool.id
    )
    first = found[0].tool
    found = [one for one in found if one.tool.lenders == first.lenders]
    apart = await keepers.apart_from(tx, first)
    html = draw_hook(found, here, locale)
    if not apart:
        return html
    veiled = draw_hook([queries.veil(one) for one in found], here, locale)
    return TwoFaces(html, veiled, frozenset(apart))


@topics.shared("board", stripes=16)
async def counters(tx: Tx, here: Here, key: str, locale: str) -> str:
    counts = await states.counts(tx, here, clock.now())
    return partial("board/_counters.html", counts=counts)


@topics.shared("recent", stripes=16)
async def recent(tx: Tx, here: Here, key: str, locale: str) -> str:
    return partial("board/_recent.html", recent=await queries.recent(tx, here), zone=here.zone)


@topics.shared("dates")
async def dates(tx: Tx, here: Here, key: str, locale: str) -> str | TwoFaces | Faces | None:
    """When one tool is free, without a name; gone with the tool when it leaves the board.

    Whoever is choosing sees their own dates as theirs, everybody else as somebody's.
    """
    tool_id = topic.number(key)
    tool = tool_id and await tool_queries.tool(tx, here.id, tool_id)
    if not tool or tool.status not in rules.ON_THE_BOARD:
        return None
    now = clock.now()
    (one,) = await queries.seen(tx, here, [tool], now, locale)
    kinds = (OccupancyKind.OFFER,)
    offered = (await occupied.busy(tx, here.id, [tool.id], now, kinds=kinds)).get(tool.id, [])

    holds = await occupied.holds(tx, here.id, tool.id, now)

    def draw(seen: queries.Seen, whose: int | None = None) -> str:
        return partial(
            "tools/_dates.html",
            tool_id=seen.tool.id,
            state=seen.state,
            zone=here.zone,
            path=f"{here.path}/tools/{seen.tool.id}",
            quick=quick.choices(seen, here, now, locale),
            **calendar.draw(seen, here, now, locale, holds, whose, offered),
        )

    apart = await keepers.apart_from(tx, tool)
    if not holds:
        return faces(one, apart, draw)
    veiled = draw(queries.veil(one)) if apart else ""
    theirs = {hold.person_id: draw(one, hold.person_id) for hold in holds}
    return Faces(draw(one), theirs | dict.fromkeys(apart, veiled))


@topics.personal("mine")
async def of_this_tool(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """The viewer's own loans of one tool, and for whoever lends it all of them and the buttons."""
    tool_id = topic.number(key)
    if tool_id is None:
        return None
    try:
        tool = await tool_queries.tool_for(tx, viewer, tool_id)
    except NotFound:
        return None
    return partial("tools/_mine.html", **await mine.with_tool(tx, viewer, tool, clock.now()))


@topics.personal("things")
async def things(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    return partial("board/_things.html", **await mine.things(tx, viewer, clock.now()))


@topics.personal("waiting")
async def waiting(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    return partial("board/_waiting.html", count=await mine.waiting(tx, viewer, clock.now()))


@topics.personal("rooms")
async def rooms(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    return partial("chat/_rooms.html", **await mine.rooms(tx, viewer, clock.now()))
