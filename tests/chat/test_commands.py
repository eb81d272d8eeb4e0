"""Saying something, saying it twice, and having seen what the other said."""

from __future__ import annotations

import uuid

import pytest

from app import topic
from app.chat import commands, queries
from app.chat.models import ConversationId, MessageKind
from app.chat.rules import LONGEST
from app.db import Tx
from app.errors import NotFound, Refusal
from tests.chat.living import room_of_two
from tests.people.living import NOW


async def test_the_two_read_each_other_in_the_order_of_speaking(tx: Tx) -> None:
    room = await room_of_two(tx)
    spoken = [await room.says(room.ben, "Hello"), await room.says(room.ada, "Hi"), 0]
    spoken[2] = await room.says(room.ben, "May I?")
    assert spoken == sorted(set(spoken))
    assert await room.lines() == ["Hello", "Hi", "May I?"]


@pytest.mark.parametrize("text", ["", "   ", "\n\r\n", "\x00", " \x00\n"])
async def test_an_empty_message_is_refused(tx: Tx, text: str) -> None:
    room = await room_of_two(tx)
    with pytest.raises(Refusal, match="empty") as refused:
        await room.says(room.ben, text)
    assert (refused.value.field_name, refused.value.status) == ("body", 422)
    assert await room.lines() == []


async def test_a_message_has_4000_characters_and_not_one_more(tx: Tx) -> None:
    room = await room_of_two(tx)
    with pytest.raises(Refusal, match="4001"):
        await room.says(room.ben, "x" * (LONGEST + 1))
    await room.says(room.ben, " " + "🔨" * LONGEST + "\n")
    assert await room.lines() == ["🔨" * LONGEST]


async def test_odd_letters_are_kept_as_text(tx: Tx) -> None:
    room = await room_of_two(tx)
    for text in ("<b>Hi</b>", "'; DROP TABLE message; --", "{{ 7*7 }}", "\u202eabc", "a\x00b\rc"):
        await room.says(room.ben, text)
    assert (await room.lines())[-1] == "ab\nc"
    assert (await room.lines())[0] == "<b>Hi</b>"


async def test_a_message_sent_again_is_the_message_there_is(tx: Tx) -> None:
    room, client_id = await room_of_two(tx), uuid.uuid4()
    first = await room.says(room.ben, "Hello", client_id)
    await room.says(room.ada, "Hi")
    assert await room.says(room.ben, "Hello", client_id) == first
    assert await room.lines() == ["Hello", "Hi"]
    assert await room.unread(room.ada) == 0


async def test_a_client_id_belongs_to_one_person(tx: Tx) -> None:
    room, client_id = await room_of_two(tx), uuid.uuid4()
    await room.says(room.ben, "Hello", client_id)
    await room.says(room.ada, "Hi", client_id)
    assert await room.lines() == ["Hello", "Hi"]


async def test_nobody_else_says_or_sees_anything(tx: Tx) -> None:
    room = await room_of_two(tx)
    with pytest.raises(NotFound):
        await room.says(room.cy, "Me too")
    with pytest.raises(NotFound):
        await room.sees(room.cy, 1)
    with pytest.raises(NotFound):
        await commands.say(
            tx,
            room.ben.community_id,
            ConversationId(room.id + 1000),
            room.ben.person_id,
            "x",
            uuid.uuid4(),
            NOW,
        )
    assert await room.lines() == []


async def test_only_what_others_have_said_is_unread(tx: Tx) -> None:
    room = await room_of_two(tx)
    await room.says(room.ben, "Hello")
    await room.says(room.ben, "Anybody?")
    await commands.note(tx, room.ada.community_id, room.id, "Approved.", room.ben.person_id, NOW)
    await commands.note(tx, room.ada.community_id, room.id, "It lapsed.", None, NOW)
    assert (await room.unread(room.ada), await room.unread(room.ben)) == (2, 0)
    assert await room.unread(room.cy) == 0


async def test_who_answers_has_read(tx: Tx) -> None:
    room = await room_of_two(tx)
    await room.says(room.ben, "Hello")
    await room.says(room.ada, "Hi")
    assert (await room.unread(room.ada), await room.unread(room.ben)) == (0, 1)


async def test_what_was_seen_stays_seen_and_nothing_is_seen_before_it_is_said(tx: Tx) -> None:
    room = await room_of_two(tx)
    first = await room.says(room.ben, "Hello")
    second = await room.says(room.ben, "Anybody?")
    assert await room.sees(room.ada, first) == first
    assert await room.unread(room.ada) == 1
    assert await room.sees(room.ada, 2**61) == second
    assert await room.sees(room.ada, first) == second
    assert await room.sees(room.ada, 0) == second
    assert await room.unread(room.ada) == 0
    await room.says(room.ben, "Still there?")
    assert await room.unread(room.ada) == 1


async def test_seeing_nothing_new_wakes_no_screen(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.says(room.ben, "Hello")
    ada = room.ada.person_id
    tx.info.pop("touched", None)
    await room.sees(room.ada, said)
    seen = topic.seen(room.ada.community_id, room.id)
    assert tx.info.pop("touched") == {topic.unread(ada), topic.rooms(ada), seen}
    await room.sees(room.ada, said)
    assert "touched" not in tx.info


async def test_a_message_reaches_the_bell_of_the_other_only(tx: Tx) -> None:
    room = await room_of_two(tx)
    tx.info.pop("touched", None)
    await room.says(room.ben, "Hello")
    touched = tx.info["touched"]
    assert topic.unread(room.ada.person_id) in touched
    assert topic.rooms(room.ada.person_id) in touched
    assert not {topic.unread(room.cy.person_id), topic.rooms(room.cy.person_id)} & touched


async def test_a_long_talk_is_read_in_pages_without_a_gap(tx: Tx) -> None:
    room = await room_of_two(tx)
    for n in range(7):
        await room.says(room.ben, str(n))
    here = room.ada.community_id
    last = await queries.newest(tx, here, room.id, limit=3)
    before = await queries.newest(tx, here, room.id, before=last[0].born, limit=3)
    assert [one.body for one in before + last] == list("123456")
    since = await queries.changed_since(tx, here, room.id, last[0].revision)
    assert [one.body for one in since] == ["5", "6"]
    line = (await queries.last_lines(tx, room.ada.person_id))[here, room.id]
    assert (line.body, line.kind) == ("6", MessageKind.TEXT)
