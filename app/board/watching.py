"""Watches: who keeps one, and whom a tool that is new or free is to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, delete, select

from app import clock, queue, topic
from app.board import wall
from app.board.search import Search
from app.db import Tx
from app.errors import NotFound, Refusal, mistyped
from app.notices import commands as notices
from app.notices.models import Kind
from app.people import queries as people
from app.people.models import Community, Membership, Status
from app.people.viewer import Here, Viewer
from app.realtime import touch
from app.tools import keepers
from app.tools import queries as tools
from app.tools.models import Category, Tool
from app.tools.watches import LOOK, Watch

MOST = 20  # that one person keeps
AT_ONCE = 200  # that one job looks through; the next goes on


async def keep(tx: Tx, search: Search, by: Viewer, now: datetime) -> Watch:
    """Of a search its words and category count. A second time it is the same watch."""
    if not (search.q or search.category):
        raise mistyped("q", "Search for something first.", "Type a word, or choose a category.")
    # Held alone, not shared: two at once would both count one too few.
    standing = await people.locked_standing(tx, by.community_id, by.person_id)
    if standing is None or standing.status != Status.ACTIVE:
        raise NotFound
    if search.category and not await tools.held_category(tx, by.community_id, search.category):
        raise mistyped("category", "Choose one of the categories, or none.")
    kept = await kept_by(tx, by)
    alike = (one for one in kept if (one.words, one.category) == (search.q, search.category))
    if found := next(alike, None):
        return found
    if len(kept) >= MOST:
        raise Refusal(f"You watch {MOST} searches already.", "End one of them in My things.")
    watch = Watch(
        community_id=by.community_id,
        person_id=by.person_id,
        words=search.q,
        category=search.category,
        created_at=now,
    )
    tx.add(watch)
    await tx.flush()
    touch(tx, topic.things(by.person_id))
    return watch


async def end(tx: Tx, watch_id: int, by: Viewer) -> None:
    """Raises NotFound where it is nobody's, or somebody else's."""
    gone = delete(Watch).where(*_own(by), Watch.id == watch_id).returning(Watch.id)
    if await tx.scalar(gone) is None:
        raise NotFound
    touch(tx, topic.things(by.person_id))


async def kept_by(tx: Tx, by: Viewer) -> Sequence[Watch]:
    """In this community, the newest last."""
    return (await tx.scalars(select(Watch).where(*_own(by)).order_by(Watch.id))).all()


async def one_of(tx: Tx, watch_id: int, by: Viewer) -> Watch:
    """Raises NotFound."""
    found = await tx.scalar(select(Watch).where(*_own(by), Watch.id == watch_id))
    if found is None:
        raise NotFound
    return found


async def of_search(tx: Tx, search: Search, by: Viewer) -> Watch | None:
    """The viewer's own of the same words and category."""
    return await tx.scalar(
        select(Watch).where(*_own(by), Watch.words == search.q, Watch.category == search.category)
    )


def path_of(watch: Watch, here: Here) -> str:
    """The search itself: all that fits and is free."""
    asked = {"q": watch.words, "category": watch.category, "free": "1"}
    said = urlencode({name: value for name, value in asked.items() if value})
    return f"{here.path}?{said}"


async def of_person(
    tx: Tx, viewer: Viewer, places: Mapping[int, Here]
) -> list[Mapping[str, object]]:
    """For My things: in all communities, the newest first."""
    rows = await tx.execute(
        select(Watch, Category.name)
        .outerjoin(
            Category,
            (Category.community_id == Watch.community_id) & (Category.slug == Watch.category),
        )
        .where(Watch.person_id == viewer.person_id, Watch.community_id.in_(places))
        .order_by(Watch.id.desc())
    )
    return [
        {
            "id": watch.id,
            "said": said(watch, shelf),
            "path": path_of(watch, places[watch.community_id]),
            "end_path": f"{places[watch.community_id].path}/watches/{watch.id}/end",
        }
        for watch, shelf in rows
    ]


def said(watch: Watch, shelf: str | None) -> str:
    """“drill” in Saws."""
    parts = [f"“{watch.words}”" if watch.words else "", shelf or ""]
    return " in ".join(part for part in parts if part)


async def look(tx: Tx, key: str, now: datetime) -> None:
    """A job, when a tool may be new or free: it asks again, by the board's own search.

    Each watch is told at most once a day; never of one's own tool, nor across a block.
    """
    community_id, tool_id, at, after = (int(part) for part in key.split("/"))
    tool = await tools.tool(tx, community_id, tool_id)
    if tool is None:
        return
    here = Here.of(await tx.get_one(Community, community_id))
    open_ones = await _to_tell(tx, tool, here, after, now)
    fits: dict[str, bool] = {}
    for watch in open_ones:
        search = Search.typed(watch.words, watch.category, free=True)
        if search.key not in fits:
            fits[search.key] = await wall.fits(tx, here, search, tool_id, now)
        if fits[search.key]:
            await _tell(tx, watch, tool, here, now)
    if len(open_ones) == AT_ONCE:
        last = open_ones[-1].id
        await queue.enqueue(tx, LOOK, f"{community_id}/{tool_id}/{at}/{last}", now, now)


async def _to_tell(tx: Tx, tool: Tool, here: Here, after: int, now: datetime) -> Sequence[Watch]:
    """Held until the end, by id: two tools at once tell nobody twice."""
    nobody = {*tool.lenders, *await keepers.apart_from(tx, tool)}
    active = select(Membership.person_id).where(
        Membership.community_id == here.id, Membership.status == Status.ACTIVE
    )
    rows = await tx.scalars(
        select(Watch)
        .where(
            Watch.community_id == here.id,
            Watch.id > after,
            Watch.told_on.is_distinct_from(clock.local_day(now, here.zone)),
            Watch.person_id.not_in(nobody),
            Watch.person_id.in_(active),
        )
        .order_by(Watch.id)
        .limit(AT_ONCE)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def _tell(tx: Tx, watch: Watch, tool: Tool, here: Here, now: datetime) -> None:
    shelf = await tools.category(tx, here.id, watch.category) if watch.category else None
    watch.told_on = clock.local_day(now, here.zone)
    await tx.flush()
    await notices.tell(
        tx,
        [watch.person_id],
        Kind.WATCHED,
        here.id,
        topic.watch(here.id, watch.id),
        {"words": said(watch, shelf.name if shelf else None), "tool": tool.name},
        now,
    )


def _own(by: Viewer) -> tuple[ColumnElement[bool], ...]:
    return Watch.community_id == by.community_id, Watch.person_id == by.person_id
