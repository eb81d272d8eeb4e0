"""A room's messages as rows since a revision, and the count of what one has not read."""

from __future__ import annotations

from collections.abc import Sequence

from app import clock, topic, words
from app.chat import queries
from app.chat.models import Message
from app.db import Tx
from app.pages import partial
from app.people.viewer import Viewer
from app.realtime import Present, Reset, Topics

topics = Topics()


def draw_company(present: Sequence[Present], locale: str) -> str:
    """Who of the others is in the room now, and who types; nobody is nothing."""
    typing = [one.name for one in present if one.typing]
    names = typing or [one.name for one in present]
    return partial("chat/_company.html", names=names, typing=bool(typing)) if names else ""


@topics.personal("room", rows=True, company=draw_company)
async def room(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """What is new since a revision; the newest page where that is too much, or at first."""
    room_id = topic.number(key)
    if room_id is None:
        return None
    seat = await queries.participant(tx, viewer.community_id, room_id, viewer.person_id)
    if seat is None:
        return None
    changed = await queries.changed_since(tx, viewer.community_id, room_id, since) if since else []
    if since and len(changed) <= queries.PAGE:
        return draw(changed, viewer, await _day_before(tx, viewer, room_id, changed))
    newest = await queries.newest(tx, viewer.community_id, room_id)
    return Reset(draw(newest, viewer, await _day_before(tx, viewer, room_id, newest)))


@topics.personal("unread")
async def unread(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    count = sum((await queries.unread_by_room(tx, viewer.person_id)).values())
    return partial("chat/_unread.html", count=count)


def draw(messages: list[Message], viewer: Viewer, day_before: str) -> str:
    """One row each; the first of a day says which day it is."""
    rows, last = [], day_before
    for message in messages:
        day = words.day(clock.local_day(message.created_at, viewer.here.zone), viewer.locale)
        row = {
            "id": message.id,
            "kind": message.kind,
            "mine": message.author_id == viewer.person_id,
            "author": message.author.name if message.author else "",
            "body": message.body,
            "at": message.created_at,
            "born": message.born,
            "revision": message.revision,
            "client_id": message.client_id,
            "opens_day": day if day != last else "",
        }
        last = day
        rows.append(partial("chat/_message.html", message=row, zone=viewer.here.zone))
    return "".join(rows)


async def _day_before(tx: Tx, viewer: Viewer, room_id: int, messages: list[Message]) -> str:
    """The day of the line above the first of these."""
    if not messages:
        return ""
    above = await queries.newest(tx, viewer.community_id, room_id, before=messages[0].born, limit=1)
    if not above:
        return ""
    return words.day(clock.local_day(above[0].created_at, viewer.here.zone), viewer.locale)
