"""Saying something in a room is one act, whichever door it comes through."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import delete, select

from app.chat import queries as chat
from app.chat.models import ConversationId, Message
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import commands, saying, talk
from app.members import blocks
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.photos import Stored
from tests.loans.living import Elm, elm_street
from tests.people.living import NOW

SHOT = Stored("0" * 32, 4, 3)


@dataclass
class Room:
    """Where Ben and Ada talk: of a loan, or of a question only."""

    elm: Elm
    id: int

    async def says(
        self, who: Viewer, text: str, name: uuid.UUID | None = None, shot: Stored | None = None
    ) -> Message:
        named = name or uuid.uuid4()
        return await saying.say(self.elm.tx, self.id, text, who, NOW, named, picture=shot)

    async def told(self, who: Viewer) -> int:
        """How often somebody was told of words."""
        found = await self.elm.tx.scalars(
            select(Notice.id).where(Notice.person_id == who.person_id, Notice.kind == Kind.MESSAGE)
        )
        return len(found.all())


@pytest.fixture(params=["loan", "question"])
async def room(tx: Tx, request: pytest.FixtureRequest) -> Room:
    elm = await elm_street(tx)
    if request.param == "loan":
        return Room(elm, (await elm.asked(elm.ben, 1)).conversation_id)
    asked = await saying.ask(tx, elm.drill.id, "Is it loud?", elm.ben, NOW, uuid.uuid4())
    made = Room(elm, asked.conversation_id)
    await made.says(elm.ada, "Yes.")
    await tx.execute(delete(Notice).where(Notice.community_id == elm.here.id))
    return made


@pytest.mark.parametrize("shot", [None, SHOT])
async def test_the_other_is_told_of_words_and_of_a_photo(room: Room, shot: Stored | None) -> None:
    name = uuid.uuid4()
    said = await room.says(room.elm.ben, "Look", name, shot)
    assert (await room.says(room.elm.ben, "Look", name, shot)).id == said.id
    assert (await room.told(room.elm.ada), await room.told(room.elm.ben)) == (1, 0)


async def test_what_has_arrived_is_answered_even_when_nobody_can_write_any_more(room: Room) -> None:
    ben, name = room.elm.ben, uuid.uuid4()
    said = await room.says(ben, "Look", name, SHOT)
    await blocks.block(room.elm.tx, ben.person_id, room.elm.ada, NOW)
    assert (await room.says(ben, "Look", name, SHOT)).id == said.id
    with pytest.raises(Refusal, match="Nobody can write"):
        await room.says(ben, "And this", shot=SHOT)
    with pytest.raises(Refusal, match="You blocked Ben"):
        await room.says(room.elm.ada, "Bye")
    assert await room.told(room.elm.ada) == 1


async def test_whoever_is_blocked_can_take_back_but_not_say_something_new(room: Room) -> None:
    elm, id = room.elm, ConversationId(room.id)
    said = await room.says(elm.ben, "Hello")
    await blocks.block(elm.tx, elm.ben.person_id, elm.ada, NOW)
    with pytest.raises(Refusal, match="Nobody can write"):
        await saying.change(elm.tx, id, said.id, "You will be sorry", elm.ben, NOW)
    await saying.take_back(elm.tx, id, said.id, elm.ben, NOW)
    assert "Hello" not in [one.body for one in await chat.newest(elm.tx, elm.here.id, id)]


async def test_nobody_is_told_later_of_what_was_taken_back(room: Room) -> None:
    elm = room.elm
    first, second = await room.says(elm.ben, "Hello"), await room.says(elm.ben, "Anybody?")
    waiting = select(Notice.id).where(
        Notice.community_id == elm.here.id,
        Notice.kind == Kind.MESSAGE,
        Notice.seen_at.is_(None),
    )
    for said, told in ((first, 1), (second, 0)):
        await saying.take_back(elm.tx, room.id, said.id, elm.ben, NOW)
        assert len((await elm.tx.scalars(waiting)).all()) == told


async def test_a_stranger_says_and_changes_nothing(room: Room) -> None:
    said = await room.says(room.elm.ben, "Hello")
    with pytest.raises(NotFound):
        await room.says(room.elm.cy, "Me too")
    with pytest.raises(NotFound):
        await saying.change(room.elm.tx, room.id, said.id, "Bye", room.elm.cy, NOW)


async def test_a_question_sent_again_is_that_question_whatever_became_of_the_loan(tx: Tx) -> None:
    elm, name = await elm_street(tx), uuid.uuid4()
    first = await saying.ask(tx, elm.drill.id, "Is it loud?", elm.ben, NOW, name)
    loan = await elm.asked(elm.ben, 1)
    await commands.decline(tx, loan.id, elm.ada, NOW)
    again = await saying.ask(tx, elm.drill.id, "Is it loud?", elm.ben, NOW, name)
    assert again.id == first.id


async def test_one_keeper_without_a_block_keeps_the_room_open(tx: Tx) -> None:
    elm = await elm_street(tx)
    text = ToolText(name="Long ladder", category="ladders", of_all=True)
    elm.drill = await tools.list_tool(tx, text, elm.cora, NOW)
    elm.drill.keepers = [elm.cora.person_id, elm.ada.person_id]
    await tx.flush()
    room = Room(elm, (await elm.asked(elm.ben, 1)).conversation_id)
    await room.says(elm.ben, "Hello")
    await blocks.block(tx, elm.ben.person_id, elm.cora, NOW)
    await room.says(elm.ben, "Still there?")
    assert await talk.why_not_write_in(tx, room.id, elm.ada, NOW) is None
