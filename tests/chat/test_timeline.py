"""A room opens where one stopped reading, and its history comes in pages without a gap."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.chat import commands, live, queries
from app.chat.timeline import Timeline
from app.db import Tx
from app.errors import NotFound
from app.realtime import Reset
from tests.chat.living import Room, room_of_two
from tests.people.living import NOW


def words(page: Timeline) -> list[str]:
    return re.findall(r'<p class="body" dir="auto">(.*?)</p>', page.html)


async def full_room(tx: Tx, count: int) -> Room:
    room = await room_of_two(tx)
    for n in range(count):
        await room.said(room.ben, f"line {n}")
    return room


async def test_a_short_room_is_one_page_with_a_mark_above_what_is_new(tx: Tx) -> None:
    room = await full_room(tx, 3)
    await room.sees(room.ada, 1)
    page = await room.opened(room.ada)
    assert words(page) == ["line 0", "line 1", "line 2"]
    assert (page.earlier, page.later) == (None, None)
    assert page.html.index("line 0") < page.html.index('id="first-unread"')
    assert page.html.index('id="first-unread"') < page.html.index("line 1")
    assert "first-unread" not in (await room.opened(room.ben)).html


async def test_a_long_absence_opens_at_the_first_new_line(tx: Tx) -> None:
    room = await full_room(tx, 130)
    seat = await queries.participant(tx, room.ada.community_id, room.id, room.ada.person_id)
    lines = await queries.newest(tx, room.ada.community_id, room.id)
    assert seat
    await room.sees(room.ada, lines[29].revision)
    page = await room.opened(room.ada)
    assert words(page)[10] == "line 30"
    assert len(words(page)) == queries.OPENING
    assert page.unread == lines[30].id
    assert page.earlier
    assert page.later
    mine = await room.opened(room.ben)
    assert words(mine)[-1] == "line 129"
    assert mine.later is None


async def test_pages_up_and_down_meet_without_a_gap_or_a_double(tx: Tx) -> None:
    room = await full_room(tx, 120)
    await room.sees(room.ada, 2**60)
    page = await room.opened(room.ada)
    up = words(page)
    while page.earlier is not None:
        page = await room.opened(room.ada, before=page.earlier)
        up = words(page) + up
    assert up == [f"line {n}" for n in range(120)]
    down = words(page)
    while page.later is not None:
        page = await room.opened(room.ada, after=page.later)
        down += words(page)
    assert down == up


async def test_a_link_opens_around_its_message(tx: Tx) -> None:
    room = await full_room(tx, 120)
    await room.sees(room.ada, 2**60)
    lines = await queries.newest(tx, room.ada.community_id, room.id)
    page = await room.opened(room.ada, at=lines[40].id)
    assert words(page)[10] == "line 40"
    assert words(await room.opened(room.ada, at=2**60)) == words(await room.opened(room.ada))


async def test_a_day_is_named_where_it_begins_on_every_page_and_push(tx: Tx) -> None:
    room = await room_of_two(tx)
    first = await room.said(room.ben, "Friday", now=NOW)
    await room.said(room.ben, "Saturday", now=NOW + timedelta(days=1))
    await room.said(room.ben, "Saturday, too", now=NOW + timedelta(days=1))
    since = (await room.said(room.ada, "Good", now=NOW + timedelta(days=1))).revision
    await room.changes(room.ben, first.id, "Friday!", NOW)
    await room.said(room.ben, "And now?", now=NOW + timedelta(days=1))
    page = await room.opened(room.ada)
    pushed = await live.room(tx, room.ada, str(room.id), since)
    assert isinstance(pushed, str)
    assert page.html.count("day-line") == 2
    rows = [row for row in pushed.split("<li ") if row.strip()]
    assert len(rows) == 2
    assert all(row.strip() in page.html for row in rows)


async def test_too_much_at_once_is_the_newest_page(tx: Tx) -> None:
    room = await full_room(tx, queries.PAGE + 2)
    pushed = await live.room(tx, room.ada, str(room.id), 1)
    assert isinstance(pushed, Reset)
    assert pushed.count("<li ") == queries.OPENING
    assert not isinstance(await live.room(tx, room.ada, str(room.id), 2), Reset)


async def test_nobody_else_opens_a_page_of_it(tx: Tx) -> None:
    room = await full_room(tx, 1)
    with pytest.raises(NotFound):
        await room.opened(room.cy)
    assert await live.room(tx, room.cy, str(room.id), 0) is None


async def test_unread_is_counted_to_a_hundred_and_no_further(tx: Tx) -> None:
    room = await full_room(tx, 130)
    assert await room.unread(room.ada) == queries.MANY
    await commands.note(tx, room.ada.community_id, room.id, "Approved.", None, NOW)
    line = (await queries.last_lines(tx, room.ada.person_id))[room.ada.community_id, room.id]
    assert line.body == "Approved."
