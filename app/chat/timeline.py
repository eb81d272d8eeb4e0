"""A room's lines as rows, and the page of them that somebody opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from app import clock, pages, topic, words
from app.chat import queries, stretch, wording
from app.chat.models import Message, MessageKind, Participant
from app.db import Tx
from app.errors import NotFound
from app.people.viewer import Viewer

ABOVE = 10  # lines that were seen already, above the first that was not


Cards = Callable[[Tx, Viewer, Sequence[Message]], Awaitable[Mapping[int, str]]]


@dataclass(frozen=True)
class Where:
    """What of a room is asked for: around a message, before or after a birth; else as it opens."""

    at: int | None = None
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class Timeline:
    """One page of a room. `earlier` and `later`: births to go on from, None at either end."""

    room_id: int
    topic: str
    version: int
    html: Markup
    path: str
    page: str
    earlier: int | None
    later: int | None
    unread: int | None  # the first line that was not seen, if it is on this page
    newest: int | None


def path_of(viewer: Viewer, room_id: int) -> str:
    return f"{viewer.here.path}/rooms/{room_id}"


async def opened(
    tx: Tx, viewer: Viewer, room_id: int, page: str, where: Where, cards: Cards | None = None
) -> Timeline:
    """The page of lines that is asked for, in the snapshot that also says its version.

    `cards` draws what stands in the place of some lines' words (other dates for a loan).
    Raises NotFound for whoever has no seat in the room.
    """
    community_id = viewer.community_id
    seat = await queries.participant(tx, community_id, room_id, viewer.person_id)
    if seat is None:
        raise NotFound
    unread = await queries.first_unread(
        tx, community_id, room_id, viewer.person_id, seat.seen_up_to
    )
    lines = await _page(tx, seat, where, unread)
    rows = await drawn(tx, viewer, room_id, lines, cards)
    marked = next((n for n, one in enumerate(lines) if unread and one.id == unread.id), None)
    if marked is not None:
        rows.insert(marked, pages.partial("chat/_unread_line.html"))
    name = topic.room(community_id, room_id)
    first, last = (lines[0].born, lines[-1].born) if lines else (0, 0)
    newest = await queries.newest(tx, community_id, room_id, limit=1)
    above = await queries.newest(tx, community_id, room_id, before=first, limit=1)
    return Timeline(
        room_id=room_id,
        topic=name,
        version=await pages.version(tx, name),
        html=pages.drawn("".join(rows)),
        path=path_of(viewer, room_id),
        page=page,
        earlier=first if above else None,
        later=last if newest and newest[0].born > last else None,
        unread=unread.id if unread and marked is not None else None,
        newest=newest[0].id if newest else None,
    )


async def quotable(
    tx: Tx, viewer: Viewer, room_id: int, message_id: int | None
) -> dict[str, object] | None:
    """What the box quotes, if that is a message of this room that has words."""
    if message_id is None:
        return None
    found = await queries.message(tx, viewer.community_id, room_id, message_id)
    said = found is not None and found.kind != MessageKind.NOTE and found.removed_at is None
    return quote(found) if found and said else None


async def _page(tx: Tx, seat: Participant, where: Where, unread: Message | None) -> list[Message]:
    here, room = seat.community_id, seat.conversation_id
    if where.before is not None:
        lines = await queries.newest(tx, here, room, before=where.before, limit=queries.OPENING)
        return lines or await queries.newest(tx, here, room, limit=queries.OPENING)
    if where.after is not None:
        lines = await stretch.after(tx, here, room, where.after)
        return lines or await queries.newest(tx, here, room, limit=queries.OPENING)
    wanted = unread
    if where.at is not None:
        wanted = await queries.message(tx, here, room, where.at) or unread
    newest = await queries.newest(tx, here, room, limit=queries.OPENING)
    if wanted is None or not newest or wanted.born >= newest[0].born:
        return newest
    above = await queries.newest(tx, here, room, before=wanted.born, limit=ABOVE)
    rest = queries.OPENING - len(above)
    return above + await stretch.after(tx, here, room, wanted.born - 1, limit=rest)


async def drawn(
    tx: Tx,
    viewer: Viewer,
    room_id: int,
    messages: Sequence[Message],
    cards: Cards | None = None,
    *,
    apart: bool = False,
) -> list[str]:
    """One row each; the first of a day says which day it is. `apart`: others stand between them."""
    if not messages:
        return []
    drawings = await cards(tx, viewer, messages) if cards else {}
    here, days = viewer.here, [_day(one.created_at, viewer) for one in messages]
    quoted = await stretch.quoted_by(tx, here.id, messages)
    if apart:
        above = await stretch.above_each(tx, here.id, messages)
        before = [_day(above.get(one.id), viewer) for one in messages]
    else:
        above = await stretch.above_each(tx, here.id, messages[:1])
        before = [_day(above.get(messages[0].id), viewer), *days]
    rows, path = [], path_of(viewer, room_id)
    for message, day, last in zip(messages, days, before, strict=False):
        row = _row(message, viewer, quoted.get(message.quotes_id or 0), day if day != last else "")
        row["card"] = pages.drawn(drawings.get(message.id, ""))
        rows.append(pages.partial("chat/_message.html", message=row, path=path, zone=here.zone))
    return rows


def _day(at: datetime | None, viewer: Viewer) -> str:
    return words.day(clock.local_day(at, viewer.here.zone), viewer.locale) if at else ""


def _row(
    message: Message, viewer: Viewer, quoted: Message | None, opens_day: str
) -> dict[str, object]:
    mine = message.author_id == viewer.person_id
    return {
        "id": message.id,
        "kind": message.kind,
        "mine": mine,
        "author": name_of(message),
        "words": message.body,
        "body": wording.shown(message.body) if message.kind != MessageKind.NOTE else None,
        "picture": message.picture,
        "at": message.created_at,
        "born": message.born,
        "revision": message.revision,
        "client_id": message.client_id if mine else None,
        "edited": message.edited_at is not None,
        "removed": message.removed_at is not None,
        "quoted": quote(quoted) if quoted else None,
        "opens_day": opens_day,
    }


def name_of(message: Message) -> str:
    return message.author.name if message.author else ""


def quote(message: Message) -> dict[str, object]:
    """The first line of a message that another one refers to."""
    return {
        "id": message.id,
        "author": name_of(message),
        "line": wording.first_line(message.body) or "A photo",
        "removed": message.removed_at is not None,
    }
