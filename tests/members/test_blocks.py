"""Ada keeps Ben away: what ends, what stands, and what each of the two is told."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import delete

from app import topic
from app.chat import commands as chat
from app.chat import queries as chat_queries
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import commands as loans
from app.loans import handover, off, saying, shelf
from app.loans.models import Loan
from app.loans.states import State
from app.members import blocks
from app.people import blocks as readings
from app.people import queries as people
from app.people.models import Membership, Person, PersonId, Role, Status
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.loans.living import Elm, elm_street
from tests.people.living import NOW, community, member, person, viewer


async def lists(elm: Elm, who: Viewer, name: str = "Saw") -> int:
    return (await tools.list_tool(elm.tx, ToolText(name=name, category="drills"), who, NOW)).id


async def says(elm: Elm, loan: Loan, who: Viewer, text: str, name: uuid.UUID | None = None) -> None:
    await saying.say(elm.tx, loan.conversation_id, text, who, NOW, name or uuid.uuid4())


def touched(tx: Tx) -> set[str]:
    found: set[str] = tx.info.pop("touched", set())
    return found


async def test_what_they_asked_each_other_for_ends_as_a_pause_ends_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    hers = await elm.asked(elm.ben, 1)
    saw = await lists(elm, elm.ben)
    his = await loans.request(tx, saw, *elm.days(2), elm.ada, NOW)
    others = await elm.asked(elm.cy, 5)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    hers, his = await elm.fresh(hers), await elm.fresh(his)
    assert (hers.state, hers.reason) == (State.DECLINED, off.PAUSED)
    assert hers.decided_at == NOW
    assert his.state == State.WITHDRAWN
    assert (await elm.fresh(others)).state == State.REQUESTED
    lines = await chat_queries.newest(tx, elm.here.id, hers.conversation_id)
    assert lines[-1].body == f"Ada Moreno declined the request: {off.PAUSED}"
    assert not any("block" in line.body.lower() for line in lines)


async def test_what_is_promised_or_out_stands_and_comes_back(tx: Tx) -> None:
    elm = await elm_street(tx)
    out = await elm.out(elm.ben, 0)
    promised = await elm.promised(elm.ben, 3)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    assert (await elm.fresh(promised)).state == State.APPROVED
    await handover.claim_return(tx, out.id, elm.ben, NOW)
    await handover.take_back(tx, out.id, elm.ada, NOW)
    await handover.hand_over(tx, promised.id, elm.ada, promised.start)
    await handover.claim_return(tx, promised.id, elm.ben, promised.start)
    assert (await elm.fresh(promised)).state == State.RETURN_CLAIMED


async def test_in_all_communities_that_they_share(tx: Tx) -> None:
    elm = await elm_street(tx)
    oak = await community(tx, await tx.get_one(Person, elm.ada.person_id))
    tools.furnish(tx, oak.id)
    ada = await viewer(tx, oak, await tx.get_one(Person, elm.ada.person_id))
    tx.add(
        Membership(
            community_id=oak.id,
            person_id=elm.ben.person_id,
            role=Role.MEMBER,
            status=Status.ACTIVE,
            asked_at=NOW,
        )
    )
    await tx.flush()
    ben = await viewer(tx, oak, await tx.get_one(Person, elm.ben.person_id))
    rake = await tools.list_tool(tx, ToolText(name="Rake", category="garden"), ada, NOW)
    asked = await loans.request(tx, rake.id, *elm.days(1), ben, NOW)
    touched(tx)
    await blocks.block(tx, ben.person_id, elm.ada, NOW)  # made on Elm Street
    assert (await elm.fresh(asked)).state == State.DECLINED
    assert touched(tx) >= {
        topic.access(elm.ada.person_id),
        topic.access(elm.ben.person_id),
        topic.tool(oak.id, rake.id),
        topic.dates(oak.id, rake.id),
        topic.board(oak.id),
        topic.tool(elm.here.id, elm.drill.id),
        topic.dates(elm.here.id, elm.drill.id),
        topic.board(elm.here.id),
        topic.recent(elm.here.id),
        topic.writing(oak.id, asked.id),
    }
    with pytest.raises(Refusal, match="not lent"):
        await loans.request(tx, rake.id, *elm.days(1), ben, NOW)


async def test_a_block_made_twice_is_one_block(tx: Tx) -> None:
    elm = await elm_street(tx)
    first = await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    touched(tx)
    again = await blocks.block(tx, elm.ben.person_id, elm.ada, NOW.replace(year=2027))
    assert again.created_at == first.created_at == NOW
    assert not touched(tx)
    await blocks.unblock(tx, elm.ben.person_id, elm.ada)
    assert topic.tool(elm.here.id, elm.drill.id) in touched(tx)
    await blocks.unblock(tx, elm.ben.person_id, elm.ada)
    assert not touched(tx)


async def test_nobody_blocks_themselves_or_somebody_they_share_nothing_with(tx: Tx) -> None:
    elm = await elm_street(tx)
    with pytest.raises(Refusal, match="yourself") as refused:
        await blocks.block(tx, elm.ada.person_id, elm.ada, NOW)
    assert refused.value.status == 422
    stranger = await member(tx, await community(tx, await person(tx, "Eli Sander")), "Dee Quist")
    waiting = await member(
        tx, await people.community_by_slug(tx, elm.here.slug), "Fay", status=Status.PENDING
    )
    for unknown in (PersonId(2**60), stranger.person_id, waiting.person_id):
        with pytest.raises(NotFound):
            await blocks.block(tx, unknown, elm.ada, NOW)
    assert await readings.blocks_of(tx, elm.ada.person_id) == []


async def test_who_has_left_stays_blocked_and_can_be_let_go(tx: Tx) -> None:
    elm = await elm_street(tx)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    standing = await people.standing(tx, elm.here.id, elm.ben.person_id)
    assert standing is not None
    standing.status = Status.LEFT
    await tx.flush()
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    await blocks.unblock(tx, elm.ben.person_id, elm.ada)
    assert await readings.blocks_of(tx, elm.ada.person_id) == []


async def test_the_blocked_hears_of_a_pause_and_the_blocker_of_her_block(tx: Tx) -> None:
    elm = await elm_street(tx)
    saw = await lists(elm, elm.ben)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    with pytest.raises(Refusal) as his:
        await elm.asked(elm.ben, 1)
    with pytest.raises(Refusal) as hers:
        await loans.request(tx, saw, *elm.days(1), elm.ada, NOW)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    with pytest.raises(Refusal) as paused:
        await elm.asked(elm.cy, 1)
    assert his.value.__dict__ == paused.value.__dict__
    assert (hers.value.sentence, hers.value.way_out) == (
        "You blocked Ben.",
        "End the block in your profile to ask.",
    )


async def test_each_of_two_blocks_has_to_be_ended(tx: Tx) -> None:
    elm = await elm_street(tx)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    await blocks.block(tx, elm.ada.person_id, elm.ben, NOW)
    with pytest.raises(Refusal, match="You blocked Ada"):
        await elm.asked(elm.ben, 1)
    await blocks.unblock(tx, elm.ada.person_id, elm.ben)
    with pytest.raises(Refusal, match="not lent"):
        await elm.asked(elm.ben, 1)
    await blocks.unblock(tx, elm.ben.person_id, elm.ada)
    assert (await elm.asked(elm.ben, 1)).state == State.REQUESTED


async def test_neither_writes_and_both_read_what_was_said(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, arrived = await elm.out(elm.ben, 0), uuid.uuid4()
    await says(elm, loan, elm.ben, "When shall I bring it?", arrived)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    for who, sentence in ((elm.ada, "You blocked Ben."), (elm.ben, "Nobody can write")):
        with pytest.raises(Refusal, match=sentence) as refused:
            await says(elm, loan, who, "Hello?")
        assert refused.value.status == 403
    await says(elm, loan, elm.ben, "When shall I bring it?", arrived)  # a retry, long since there
    await chat.mark_seen(
        tx, elm.here.id, ConversationId(loan.conversation_id), elm.ben.person_id, 9
    )
    lines = await chat_queries.newest(tx, elm.here.id, loan.conversation_id)
    assert [line.body for line in lines if line.kind == "text"] == ["When shall I bring it?"]
    await blocks.unblock(tx, elm.ben.person_id, elm.ada)
    await says(elm, loan, elm.ben, "Hello?")


async def test_others_ask_and_write_as_before(tx: Tx) -> None:
    elm = await elm_street(tx)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    loan = await elm.promised(elm.cy, 1)
    await says(elm, loan, elm.cy, "Thank you!")
    await says(elm, loan, elm.ada, "My pleasure.")


async def test_who_is_suspended_can_keep_somebody_away(tx: Tx) -> None:
    elm = await elm_street(tx)
    asked = await elm.asked(elm.ben, 1)
    standing = await people.standing(tx, elm.here.id, elm.ada.person_id)
    assert standing is not None
    standing.status = Status.SUSPENDED
    await tx.flush()
    await blocks.block(tx, elm.ben.person_id, replace(elm.ada, suspended=True), NOW)
    assert (await elm.fresh(asked)).state == State.DECLINED


async def test_a_request_that_was_ended_is_not_revived(tx: Tx) -> None:
    elm = await elm_street(tx)
    asked = await elm.asked(elm.ben, 1)
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    await blocks.unblock(tx, elm.ben.person_id, elm.ada)
    assert (await elm.fresh(asked)).state == State.DECLINED


async def test_the_button_is_there_where_it_works(tx: Tx) -> None:
    elm = await elm_street(tx)

    async def label(who: Viewer, other: int | None) -> str | None:
        apart = await readings.between(tx, who.person_id, [other])
        made = await blocks.button(tx, who, other, "Ben Okafor", apart, "k", "/c/elm")
        return made.label if made else None

    stranger = await member(tx, await community(tx, await person(tx, "Eli Sander")), "Dee Quist")
    assert await label(elm.ada, elm.ben.person_id) == "Block Ben"
    assert await label(elm.ada, elm.ada.person_id) is None
    assert await label(elm.ada, None) is None
    assert await label(elm.ada, stranger.person_id) is None
    await blocks.block(tx, elm.ben.person_id, elm.ada, NOW)
    assert await label(elm.ada, elm.ben.person_id) == "End the block"
    assert await label(elm.ben, elm.ada.person_id) == "Block Ben", "he is not told"


async def test_a_deleted_persons_blocks_go_with_them(tx: Tx) -> None:
    elm = await elm_street(tx)
    for one, other in ((elm.ada, elm.ben), (elm.ben, elm.cy), (elm.cy, elm.ada)):
        await blocks.block(tx, other.person_id, one, NOW)
    await tx.execute(delete(Membership).where(Membership.person_id == elm.ben.person_id))
    await tx.execute(delete(Person).where(Person.id == elm.ben.person_id))
    assert await readings.apart_from(tx, elm.cy.person_id) == {elm.ada.person_id}
    assert await readings.apart_from(tx, elm.ada.person_id) == {elm.cy.person_id}
