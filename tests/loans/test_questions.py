"""A question about a tool before any days: a room of the two, which their next loan takes over."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from app import jobs, topic
from app.board import mine
from app.chat import queries as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import asked, commands, keeping, lend_now, news, questions, saying, talk
from app.loans.lend_now import Somebody
from app.members import blocks
from app.notices import preferences
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.queue import Job
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.loans.living import DAY, HOUR, Elm, elm_street
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
        assert before is not None
        assert before == first.conversation_id
        assert await questions.before(tx, here, third.conversation_id, who.person_id) == room
        assert await questions.later(tx, here, before, who.person_id) == room
        assert await questions.later(tx, here, third.conversation_id, who.person_id) is None
    assert await questions.before(tx, here, room, elm.cy.person_id) is None
    assert await questions.later(tx, here, first.conversation_id, elm.cy.person_id) is None


async def test_who_has_many_rooms_pages_back_through_them(tx: Tx) -> None:
    elm = await elm_street(tx)
    rooms = [(await elm.asked(elm.ben, day)).conversation_id for day in (1, 5)]
    rooms += [await asks(elm, elm.cy), (await elm.asked(elm.ben, 9)).conversation_id]
    found: list[int] = []
    before: int | None = None
    for more in (True, False):
        page = await mine.rooms(tx, elm.ada, NOW, before=before, shown=2)
        shown, older = page["rooms"], page["older"]
        assert isinstance(shown, list)
        assert isinstance(older, int)
        assert len(shown) == 2
        assert bool(older) is more
        found += [row["room"] for row in shown]
        before = older
    assert sorted(found) == sorted(rooms)


async def test_lending_at_the_door_goes_on_in_it_too(tx: Tx) -> None:
    elm = await elm_street(tx)
    room = await asks(elm, elm.ben)
    whom = Somebody(elm.ben.person_id)
    loan = await lend_now.lend(tx, elm.drill.id, whom, NOW + DAY, elm.ada, NOW)
    assert loan.conversation_id == room


async def test_what_was_told_of_the_question_is_told_of_the_loan(tx: Tx) -> None:
    elm = await elm_street(tx)
    room = await asks(elm, elm.ben)
    question = topic.question(elm.here.id, room)
    await preferences.mute(tx, elm.ada, question, NOW)
    loan = await elm.asked(elm.ben, 1, now=NOW + HOUR)
    about = topic.loan(elm.here.id, loan.id)
    assert await of_words(elm, elm.ada) == [(about, False)]
    assert await preferences.is_muted(tx, elm.here.id, elm.ada.person_id, about)
    assert not await preferences.is_muted(tx, elm.here.id, elm.ada.person_id, question)
    await saying.say(tx, room, "At six?", elm.ben, NOW + HOUR, uuid.uuid4())
    assert await of_words(elm, elm.ada) == [(about, False)], "one for each room until it is seen"
    await news.room_seen(tx, room, elm.ada, NOW + HOUR)
    assert await of_words(elm, elm.ada) == [(about, True)]


async def of_words(elm: Elm, who: Viewer) -> list[tuple[str, bool]]:
    """(subject, seen) of each notice that somebody wrote."""
    rows = await elm.tx.execute(
        select(Notice.subject, Notice.seen_at.is_not(None)).where(
            Notice.person_id == who.person_id, Notice.kind == Kind.MESSAGE
        )
    )
    return [(subject, seen) for subject, seen in rows]


async def seated(elm: Elm, room: int) -> set[int]:
    return set(await chat.participants_of(elm.tx, elm.here.id, ConversationId(room)))


async def test_every_keeper_of_a_communitys_tool_is_asked(tx: Tx) -> None:
    elm = await elm_street(tx)
    text = ToolText(name="Long ladder", category="ladders", of_all=True)
    elm.drill = await tools.list_tool(tx, text, elm.cora, NOW)
    await keeping.name(tx, elm.drill.id, elm.ada.person_id, elm.cora, NOW)
    ada, ben, cora, cy = (one.person_id for one in (elm.ada, elm.ben, elm.cora, elm.cy))
    room = await asks(elm, elm.ben)
    assert await seated(elm, room) == {ada, ben, cora}
    for keeper in (elm.ada, elm.cora):
        assert await listed(elm, keeper) == [("Ben Okafor", "A question", 1)]
        assert await of_words(elm, keeper) == [(topic.question(elm.here.id, room), False)]
    await saying.say(tx, room, "It is long.", elm.ada, NOW, uuid.uuid4())
    await keeping.name(tx, elm.drill.id, cy, elm.cora, NOW)
    assert await seated(elm, room) == {ada, ben, cora, cy}
    await keeping.release(tx, elm.drill.id, ada, elm.cora, NOW)
    assert await seated(elm, room) == {ben, cora, cy}
    assert await of_words(elm, elm.ada) == [(topic.question(elm.here.id, room), True)]
    await blocks.block(tx, ben, elm.cora, NOW)
    assert await seated(elm, room) == {ben, cy}, "another keeper is there to answer"
    await blocks.block(tx, ben, elm.cy, NOW)
    assert await seated(elm, room) == {ben, cy}
    assert await talk.why_not_write_in(tx, room, elm.ben, NOW) is not None


async def test_a_question_sleeps_after_30_days_until_it_is_asked_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    room = await asks(elm, elm.ben)
    name, asleep = topic.question(elm.here.id, room), NOW + 30 * DAY
    for who, way_out in ((elm.ben, "Ask again"), (elm.ada, "When they ask again")):
        assert await talk.why_not_write_in(tx, room, who, asleep - HOUR) is None
        refusal = await talk.why_not_write_in(tx, room, who, asleep)
        assert refusal is not None
        assert "only be read" in refusal.sentence
        assert way_out in (refusal.way_out or "")
    with pytest.raises(Refusal, match="only be read"):
        await saying.say(tx, room, "Still there?", elm.ben, asleep, uuid.uuid4())
    waits = select(Job).where(Job.name == asked.SLEEP, Job.key == f"{elm.here.id}/{room}")
    (job,) = await tx.scalars(waits)
    assert job.run_at == asleep
    tx.info.pop("touched", None)
    await jobs.COMMANDS[job.name](tx, job.key, asleep)
    assert tx.info.pop("touched") == {name}, "its screens hear of it"
    again = await saying.ask(tx, elm.drill.id, "And now?", elm.ben, asleep, uuid.uuid4())
    assert again.conversation_id == room
    assert name in tx.info["touched"]
    await saying.say(tx, room, "Still loud.", elm.ada, asleep, uuid.uuid4())
    await elm.asked(elm.ben, 40, now=asleep)
    assert not (await tx.scalars(waits)).all()


async def test_a_question_whose_last_words_are_taken_back_sleeps_sooner(tx: Tx) -> None:
    elm = await elm_street(tx)
    room = await asks(elm, elm.ben)
    first = await chat.last_of(tx, elm.here.id, room)
    last = await saying.say(tx, room, "Still there?", elm.ben, NOW + 9 * DAY, uuid.uuid4())
    key = f"{elm.here.id}/{room}"
    runs_at = select(Job.run_at).where(Job.name == asked.SLEEP, Job.key == key)
    assert first is not None
    for message, sleeps in ((last, NOW + 30 * DAY), (first, None)):
        await saying.take_back(tx, room, message.id, elm.ben, NOW + 9 * DAY)
        assert await tx.scalar(runs_at) == sleeps


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
