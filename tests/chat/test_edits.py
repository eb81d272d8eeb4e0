"""Changing what one has said for a while, taking it back, and quoting it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from app import topic
from app.chat import timeline
from app.db import Tx
from app.errors import NotFound, Refusal
from tests.chat.living import room_of_two
from tests.people.living import NOW
from tests.scripts import TRIES, harm_in

SOON, LATE = NOW + timedelta(minutes=14), NOW + timedelta(minutes=15)


async def test_ben_changes_his_words_for_a_quarter_of_an_hour(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "At sicks")
    changed = await room.changes(room.ben, said.id, " At six\r\n", SOON)
    assert (changed.body, changed.edited_at) == ("At six", SOON)
    assert changed.revision > changed.born
    html = (await room.opened(room.ada)).html
    assert "At six" in html
    assert "changed" in html
    with pytest.raises(Refusal, match="15 minutes"):
        await room.changes(room.ben, said.id, "At seven", LATE)


async def test_a_change_is_not_unread_again(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "Hello")
    await room.sees(room.ada, said.revision)
    await room.changes(room.ben, said.id, "Hello!")
    assert await room.unread(room.ada) == 0


async def test_the_same_words_again_change_nothing(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "Hello")
    again = await room.changes(room.ben, said.id, " Hello ")
    assert (again.revision, again.edited_at) == (said.born, None)


async def test_a_changed_message_sent_again_is_still_that_message(tx: Tx) -> None:
    room, name = await room_of_two(tx), uuid.uuid4()
    said = await room.said(room.ben, "Hello", name)
    await room.changes(room.ben, said.id, "Hi")
    assert (await room.said(room.ben, "Hello", name)).id == said.id
    await room.takes_back(room.ben, said.id)
    assert (await room.said(room.ben, "Hello", name)).id == said.id
    assert await room.lines() == [""]


async def test_what_is_taken_back_is_gone_from_the_row_and_from_each_quote(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "The code is 4711")
    answer = await room.said(room.ada, "Thanks", quotes=said.id)
    before = answer.revision
    assert "4711" in (await room.opened(room.ada)).html
    gone = await room.takes_back(room.ben, said.id, NOW + timedelta(days=3))
    assert (gone.body, gone.removed_at) == ("", NOW + timedelta(days=3))
    html = (await room.opened(room.ada)).html
    assert "4711" not in html
    assert html.count("Taken back") == 2
    await tx.refresh(answer)
    assert answer.revision > before, "who has the quote on a screen sees it go"
    assert (await room.takes_back(room.ben, said.id)).revision == gone.revision
    with pytest.raises(Refusal, match="taken back"):
        await room.changes(room.ben, said.id, "Again")


async def test_what_is_taken_back_before_it_was_read_is_not_waited_for(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "Hello")
    await room.said(room.ben, "Anybody?")
    assert await room.unread(room.ada) == 2
    await room.takes_back(room.ben, said.id)
    assert await room.unread(room.ada) == 1
    html = (await room.opened(room.ada)).html
    assert html.index("Taken back") < html.index('id="first-unread"') < html.index("Anybody?")


async def test_only_ones_own_words_in_a_room_of_ones_own(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "Hello")
    for act in (room.changes(room.ada, said.id, "Bye"), room.takes_back(room.ada, said.id)):
        with pytest.raises(Refusal, match="Only who wrote"):
            await act
    for act in (room.changes(room.cy, said.id, "Bye"), room.takes_back(room.cy, said.id)):
        with pytest.raises(NotFound):
            await act
    with pytest.raises(NotFound):
        await room.changes(room.ben, said.id + 1000, "Bye")
    with pytest.raises(Refusal, match="empty"):
        await room.changes(room.ben, said.id, " ")
    assert await room.lines() == ["Hello"]


async def test_a_quote_is_of_this_room_and_leads_to_it(tx: Tx) -> None:
    room, other = await room_of_two(tx), await room_of_two(tx)
    first = await room.said(room.ben, "Is it heavy?\nI come by bike.")
    elsewhere = await other.said(other.ben, "A secret")
    assert (await room.said(room.ada, "No", quotes=elsewhere.id)).quotes_id is None
    answer = await room.said(room.ada, "Four kilos", quotes=first.id)
    html = (await room.opened(room.ben)).html
    row = html[html.index(f'id="message-{answer.id}"') :]
    assert f"/rooms/{room.id}?at={first.id}#message-{first.id}" in row
    assert "Is it heavy?" in row
    assert "by bike" not in row
    assert await timeline.quotable(tx, room.ada, room.id, elsewhere.id) is None


async def test_a_change_reaches_lists_of_rooms_too(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "Hello")
    tx.info.pop("touched", None)
    await room.changes(room.ben, said.id, "Hi")
    assert topic.rooms(room.ada.person_id) in tx.info["touched"]


async def test_no_line_of_a_room_is_ever_markup(tx: Tx) -> None:
    room = await room_of_two(tx)
    last = None
    for typed in TRIES:
        last = await room.said(room.ben, typed, quotes=last.id if last else None)
    await room.changes(room.ben, last.id if last else 0, TRIES[0])
    for who in (room.ada, room.ben):
        found = await room.opened(who)
        above = await room.opened(who, before=found.earlier or 1)
        assert not harm_in(found.html + above.html)
        assert "alert(1)" in found.html + above.html
