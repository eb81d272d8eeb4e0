"""The board's live regions: a tool's card, the counters, what just happened, and the list."""

from __future__ import annotations

from collections.abc import Sequence

from app import clock, topic
from app.board import calendar, mine, queries
from app.db import Tx
from app.errors import NotFound
from app.pages import partial
from app.people.viewer import Here, Viewer
from app.realtime import Topics
from app.tools import queries as tool_queries
from app.tools import rules
from app.tools.models import Tool

topics = Topics()
topics.ask("list")


def draw_card(one: queries.Seen, here: Here, locale: str) -> str:
    return partial("board/_card.html", tool=queries.card(one, here, locale), zone=here.zone)


async def draw_cards(tx: Tx, here: Here, tools: Sequence[Tool], locale: str) -> dict[str, str]:
    """topic → card, for a whole board at once."""
    found = await queries.seen(tx, here, tools, clock.now(), locale)
    return {topic.tool(here.id, one.tool.id): draw_card(one, here, locale) for one in found}


@topics.shared("tool")
async def tool(tx: Tx, here: Here, key: str, locale: str) -> str | None:
    tool_id = topic.number(key)
    if tool_id is None:
        return None
    tools = await queries.on_the_board(tx, here, only=[tool_id])
    drawn = await draw_cards(tx, here, tools, locale)
    return next(iter(drawn.values()), None)


@topics.shared("board", stripes=16)
async def counters(tx: Tx, here: Here, key: str, locale: str) -> str:
    tools = await queries.on_the_board(tx, here)
    found = await queries.seen(tx, here, tools, clock.now(), locale)
    return draw_counters(found)


def draw_counters(found: Sequence[queries.Seen]) -> str:
    """Of everything that hangs on the board, whoever has read it."""
    return partial("board/_counters.html", counts=queries.counts(one.state for one in found))


@topics.shared("recent", stripes=16)
async def recent(tx: Tx, here: Here, key: str, locale: str) -> str:
    return partial("board/_recent.html", recent=await queries.recent(tx, here), zone=here.zone)


@topics.shared("dates")
async def dates(tx: Tx, here: Here, key: str, locale: str) -> str | None:
    """When one tool is free, without a name; gone with the tool when it leaves the board."""
    tool_id = topic.number(key)
    tool = tool_id and await tool_queries.tool(tx, here.id, tool_id)
    if not tool or tool.status not in rules.ON_THE_BOARD:
        return None
    now = clock.now()
    (one,) = await queries.seen(tx, here, [tool], now, locale)
    return partial(
        "tools/_dates.html",
        tool_id=tool.id,
        state=one.state,
        zone=here.zone,
        **calendar.draw(one, here, now, locale),
    )


@topics.personal("mine")
async def of_this_tool(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """The viewer's own loans of one tool, and for its owner all of them and the buttons."""
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
