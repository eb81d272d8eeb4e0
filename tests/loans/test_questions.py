"""A question about a tool before any days: a room of the two, which their next loan takes over."""

from __future__ import annotations

import uuid

import pytest

from app import topic
from app.board import mine
from app.chat import queries as chat
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import commands, lend_now, questions, saying, talk
from app.loans.lend_now import Somebody
from app.members import blocks
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.loans.living import DAY, Elm, elm_street
from tests.people.living import NOW


async def asks(
    elm: Elm, who: Viewer, text: str = "Is it loud?", name: uuid.UUID | None = None
) -> int:
    """The room in which it was asked."""
    named = name or uuid.uuid4()
    said = await saying.ask(elm.tx, elm.drill.id, text, who, NOW, named)
    return said.conversation_id


async def bodies(elm: Elm, room: int) -> list[str]:
    return [one.body for one in await chat.newest(elm.tx, elm.here.id, room)]


async def listed(elm: Elm, who: Viewer) -> list[tuple[str, str, int]]:
    found = await mine.rooms(elm.tx, who, NOW)
    rows = found["rooms"]
    assert isinstance(rows, list)
    return [(row["who"], row["state_words"], row["unread"]) for row in rows]


async def test_a_question_opens_a_room_and_the_loan_goes_on_in_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    room = await asks(elm, elm.ben)
    assert await asks(elm, elm.ben, "And heavy?") == room
    assert await listed(elm, elm.ada) == [("Ben Okafor", "A question", 2)]
    assert await listed(elm, elm.ben) == [("Ada Moreno", "A question", 0)]
    loan = await elm.asked(elm.ben, 1)
    assert loan.conversation_id == room
    lines = await bodies(elm, room)
    assert lines[:2] == ["Is it loud?", "And heavy?"]
    assert "asked for" in lines[2]
    assert await listed(elm, elm.ada) == [("Ben Okafor", "Asked for", 2)]
    assert await asks(elm, elm.ben, "At six?") == room, (
        "while the loan is open, it is talked of there"
    )


async def test_a_second_loan_has_a_room_of_its_own_that_leads_to_the_first(tx: Tx) -> None:
    elm = await elm_street(tx)
    first = await elm.asked(elm.ben, 1)
    await commands.decline(tx, first.id, elm.ada, NOW)
    room = await asks(elm, elm.ben, "Next week, then?")
    assert room != first.conversation_id
    second = await elm.asked(elm.ben, 8)
    third = await elm.asked(elm.ben, 12)
    assert second.conversation_id == room
    assert third.conversation_id not in (room, first.conversation_id)
    here = elm.here.id
    for who in (elm.ada, elm.ben):
        before = await questions.before(tx, here, room, who.person_id)
        assert before == first.conversation_id
        assert await questions.before(tx, here, third.conversation_id, who.person_id) == room
    assert await questions.before(tx, here, room, elm.cy.person_id) is None


async def test_lending_at_the_door_goes_on_in_it_too(tx: Tx) -> None:
    elm = await elm_street(tx)
    room = await asks(elm, elm.ben)
    whom = Somebody(elm.ben.person_id)
    loan = await lend_now.lend(tx, elm.drill.id, whom, NOW + DAY, elm.ada, NOW)
    assert loan.conversation_id == room


async def test_each_asks_in_a_room_of_their_own(tx: Tx) -> None:
    elm = await elm_street(tx)
    bens, cys = await asks(elm, elm.ben), await asks(elm, elm.cy)
    assert bens != cys
    assert (await elm.asked(elm.cy, 1)).conversation_id == cys
    for room, stranger in ((bens, elm.cy), (cys, elm.ben)):
        assert not await questions.questions_of(tx, stranger.person_id, only=(elm.here.id, room))


async def test_a_question_sent_twice_is_one(tx: Tx) -> None:
    elm, name = await elm_street(tx), uuid.uuid4()
    room = await asks(elm, elm.ben, "Is it loud?", name)
    assert await asks(elm, elm.ben, "Is it loud?", name) == room
    assert await bodies(elm, room) == ["Is it loud?"]


async def test_nobody_asks_who_could_not_borrow_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    with pytest.raises(Refusal, match="own tool"):
        await asks(elm, elm.ada)
    with pytest.raises(Refusal, match="empty"):
        await asks(elm, elm.ben, " ")
    draft = await tools.list_tool(tx, ToolText(name="Saw", category="saws"), elm.ada, NOW)
    with pytest.raises(NotFound):
        await saying.ask(tx, draft.id + 1000, "Hi", elm.ben, NOW, uuid.uuid4())
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    with pytest.raises(Refusal, match="not lent at the moment"):  # as if it were paused
        await asks(elm, elm.ben)


async def test_a_block_shuts_the_room_and_its_screens_hear_of_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    room = await asks(elm, elm.ben)
    tx.info.pop("touched", None)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    assert topic.question(elm.here.id, room) in tx.info["touched"]
    for who, words in ((elm.ben, "Nobody can write"), (elm.ada, "You blocked Ben")):
        refusal = await talk.why_not_write_in(tx, room, who, NOW)
        assert refusal is not None
        assert words in refusal.sentence
