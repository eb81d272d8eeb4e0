"""A tool of the community: each of its keepers lends it, and they speak with one voice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.board import mine
from app.board import queries as board
from app.chat import commands as chat
from app.chat import queries as rooms
from app.chat.models import ConversationId, Participant
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import (
    amounts,
    changes,
    clockwork,
    codes,
    commands,
    handover,
    keeping,
    lend_now,
    queries,
    rules,
    trust,
)
from app.loans import cases as reading
from app.loans import incidents as cases
from app.loans.lend_now import Somebody
from app.loans.models import Loan
from app.loans.states import State, Who
from app.loans.undo import undo
from app.members import blocks
from app.members import commands as members
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools import queries as tool_queries
from app.tools import rules as tool_rules
from app.tools.commands import ToolText
from app.tools.lending import Lending
from app.tools.models import Tool
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

LADDER = ToolText(name="Long ladder", category="ladders", of_all=True)


@pytest.fixture
async def elm(tx: Tx) -> Elm:
    """A street whose `drill` is a ladder of all, which Cora and Ada look after."""
    made = await elm_street(tx)
    made.drill = await tools.list_tool(tx, LADDER, made.cora, NOW)
    await keeping.name(tx, made.drill.id, made.ada.person_id, made.cora, NOW)
    return made


async def seats(elm: Elm, loan: Loan) -> set[int]:
    found = await elm.tx.scalars(
        select(Participant.person_id).where(
            Participant.community_id == loan.community_id,
            Participant.conversation_id == loan.conversation_id,
        )
    )
    return set(found)


async def told(elm: Elm, who: Viewer) -> list[str]:
    found = await elm.tx.scalars(
        select(Notice.kind).where(Notice.person_id == who.person_id).order_by(Notice.id)
    )
    return list(found)


def ids(*people: Viewer) -> set[int]:
    return {one.person_id for one in people}


async def test_only_a_coordinator_lists_for_all(elm: Elm) -> None:
    with pytest.raises(Refusal, match="coordinator"):
        await tools.list_tool(elm.tx, LADDER, elm.ben, NOW)
    suspended = replace(elm.cora, suspended=True)
    with pytest.raises(Refusal):
        await tools.list_tool(elm.tx, LADDER, suspended, NOW)
    assert elm.drill.owner_id is None
    assert elm.drill.keepers == [elm.cora.person_id, elm.ada.person_id]


async def test_a_tool_always_has_an_owner_or_a_keeper(elm: Elm) -> None:
    here = Tool.id == elm.drill.id
    wrongs: tuple[dict[str, object], ...] = ({"keepers": []}, {"owner_id": elm.ada.person_id})
    for wrong in wrongs:
        savepoint = await elm.tx.begin_nested()
        with pytest.raises(IntegrityError):
            await elm.tx.execute(update(Tool).where(here).values(wrong))
        await savepoint.rollback()


async def test_any_keeper_answers_hands_over_and_takes_back(elm: Elm) -> None:
    loan = await elm.asked(elm.ben, 0)
    assert loan.lender_id == elm.cora.person_id
    assert await seats(elm, loan) == ids(elm.ben, elm.ada, elm.cora)
    assert Kind.REQUESTED in await told(elm, elm.ada)
    assert Kind.REQUESTED in await told(elm, elm.cora)
    with pytest.raises(NotFound):
        await commands.approve(elm.tx, loan.id, elm.cy, NOW)
    await commands.approve(elm.tx, loan.id, elm.ada, NOW)
    await handover.hand_over(elm.tx, loan.id, elm.cora, NOW)
    await handover.take_back(elm.tx, loan.id, elm.ada, NOW + HOUR)
    assert loan.state == State.RETURNED
    notice = await elm.tx.scalar(
        select(Notice).where(Notice.person_id == elm.ben.person_id, Notice.kind == Kind.APPROVED)
    )
    assert notice is not None
    assert notice.facts["other"] == "Ada Moreno", "who said yes, not who is named first"


async def test_every_keeper_sees_it_among_the_own_things(elm: Elm) -> None:
    loan = await elm.asked(elm.ben, 0)
    for keeper in (elm.ada, elm.cora):
        waiting = (await mine.things(elm.tx, keeper, NOW))["waiting"]
        assert isinstance(waiting, list)
        assert [row["loan"].id for row in waiting] == [loan.id]
        assert loan.tool_id in {one.id for one in await tool_queries.tools_of(elm.tx, keeper)}
        assert (await queries.loan_for(elm.tx, keeper, loan.id)).id == loan.id
    with pytest.raises(NotFound):
        await queries.loan_for(elm.tx, elm.cy, loan.id)


async def test_a_keeper_borrows_from_the_other_and_never_answers_for_themselves(elm: Elm) -> None:
    loan = await elm.asked(elm.cora, 0)
    assert (loan.lender_id, loan.keepers) == (elm.ada.person_id, [])
    assert rules.part_of(loan, elm.cora) is Who.BORROWER
    with pytest.raises(Refusal, match="Only the lender"):
        await commands.approve(elm.tx, loan.id, elm.cora, NOW)
    await commands.approve(elm.tx, loan.id, elm.ada, NOW)
    await keeping.release(elm.tx, elm.drill.id, elm.cora.person_id, elm.cora, NOW)
    with pytest.raises(Refusal, match="look after this tool alone"):
        await elm.asked(elm.ada, 3)


async def test_two_keepers_are_one_side(elm: Elm) -> None:
    """None of what two have to agree on is settled among keepers."""
    tx, loan = elm.tx, await elm.out(elm.ben, 0)
    change = await changes.propose(tx, loan.id, elm.ada, NOW, None, loan.end + DAY)
    with pytest.raises(Refusal, match="yourself"):
        await changes.agree(tx, loan.id, change.id, elm.cora, NOW)
    await changes.agree(tx, loan.id, change.id, elm.ben, NOW)
    await codes.show(tx, loan.id, elm.ada, NOW)
    shown = await codes.shown(tx, loan, elm.cora, NOW)
    assert shown is not None
    with pytest.raises(Refusal, match="your own phone"):
        await codes.use(tx, loan.id, shown.digits, elm.cora, NOW)
    assert await codes.use(tx, loan.id, shown.digits, elm.ben, NOW) is None
    assert loan.state == State.RETURNED
    incident = await cases.open_incident(tx, loan.id, elm.ada, NOW, "damage", "The foot is loose.")
    await cases.offer(tx, loan.id, incident.id, elm.ada, NOW, cases.Terms("Ben mends it."))
    with pytest.raises(Refusal, match="own proposal"):
        await cases.accept(tx, loan.id, incident.id, elm.cora, NOW)


async def test_who_was_a_keeper_is_still_on_that_side(elm: Elm) -> None:
    loan = await elm.promised(elm.ben, 1)
    change = await changes.propose(elm.tx, loan.id, elm.ada, NOW, None, loan.end + DAY)
    await keeping.release(elm.tx, elm.drill.id, elm.ada.person_id, elm.cora, NOW)
    with pytest.raises(Refusal, match="yourself"):
        await changes.agree(elm.tx, loan.id, change.id, elm.cora, NOW)


async def test_a_new_keeper_joins_what_is_open_and_a_released_one_leaves_it(elm: Elm) -> None:
    tx, loan = elm.tx, await elm.out(elm.ben, 0)
    await keeping.name(tx, elm.drill.id, elm.cy.person_id, elm.cora, NOW)
    loan = await elm.fresh(loan)
    assert await seats(elm, loan) == ids(elm.ben, elm.ada, elm.cora, elm.cy)
    assert Kind.KEEPER_NAMED in await told(elm, elm.cy)
    await keeping.release(tx, elm.drill.id, elm.cora.person_id, elm.cora, NOW)
    loan = await elm.fresh(loan)
    assert loan.lender_id == elm.ada.person_id, "the next one lends it"
    assert loan.lender.name == "Ada Moreno"
    assert await seats(elm, loan) == ids(elm.ben, elm.ada, elm.cy)
    await handover.take_back(tx, loan.id, elm.cy, NOW + HOUR)
    await keeping.release(tx, elm.drill.id, elm.ada.person_id, elm.ada, NOW)
    with pytest.raises(Conflict, match="Somebody has to"):
        await keeping.release(tx, elm.drill.id, elm.cy.person_id, elm.cora, NOW)
    with pytest.raises(Conflict, match="do not look after"):
        await keeping.release(tx, elm.drill.id, elm.ada.person_id, elm.cora, NOW)


async def test_who_was_released_undoes_nothing_of_it_any_more(elm: Elm) -> None:
    loan = await elm.asked(elm.ben, 1)
    await commands.decline(elm.tx, loan.id, elm.ada, NOW)
    await keeping.release(elm.tx, elm.drill.id, elm.ada.person_id, elm.cora, NOW)
    with pytest.raises(NotFound):
        await undo(elm.tx, loan.id, elm.ada, NOW)
    loan = await elm.fresh(loan)
    assert (loan.state, loan.lent_by(elm.ada.person_id)) == (State.DECLINED, False)


async def test_what_comes_to_life_again_is_lent_by_who_keeps_it_now(elm: Elm) -> None:
    """By a coordinator's *correct*, and where an incident is opened after the end."""
    tx = elm.tx
    await keeping.name(tx, elm.drill.id, elm.cy.person_id, elm.cora, NOW)
    loan = await elm.out(elm.ben, 0)
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    later = NOW + 3 * DAY
    await clockwork.close(tx, elm.here.id, loan.id, later)
    for keeper in (elm.cora, elm.ada):
        await keeping.release(tx, elm.drill.id, keeper.person_id, elm.cora, later)
    loan = await elm.fresh(loan)
    assert loan.lender_id == elm.cora.person_id, "what is over stays as it was"
    incident = await cases.open_incident(tx, loan.id, elm.ben, later, "damage", "Look at it.")
    loan = await elm.fresh(loan)
    assert (loan.lender_id, loan.keepers) == (elm.cy.person_id, [])
    assert await seats(elm, loan) == ids(elm.ben, elm.cy)
    assert Kind.INCIDENT in await told(elm, elm.cy)
    assert Kind.INCIDENT not in await told(elm, elm.ada)
    with pytest.raises(NotFound):
        await cases.accept(tx, loan.id, incident.id, elm.ada, later)


async def test_everybody_who_acts_has_a_name(elm: Elm) -> None:
    """Also the second keeper who proposes, and whoever was one then."""
    tx, loan = elm.tx, await elm.out(elm.ben, 0)
    incident = await cases.open_incident(tx, loan.id, elm.ben, NOW, "damage", "The foot is loose.")
    await cases.offer(tx, loan.id, incident.id, elm.ada, NOW, cases.Terms("Ben mends it."))
    await amounts.note(tx, loan.id, elm.ada, NOW, 500)
    await keeping.release(tx, elm.drill.id, elm.ada.person_id, elm.cora, NOW)
    found = await reading.case(tx, await elm.fresh(loan))
    assert found.names[elm.ada.person_id] == "Ada Moreno"


async def test_undoing_asks_all_keepers_for_blocks(elm: Elm) -> None:
    for blocker, lender in ((elm.ada, elm.cora), (elm.cora, elm.ada)):
        loan = await elm.asked(elm.ben, 1)
        await commands.withdraw(elm.tx, loan.id, elm.ben, NOW)
        await blocks.block(elm.tx, elm.ben.person_id, blocker, NOW)
        await undo(elm.tx, loan.id, elm.ben, NOW)
        loan = await elm.fresh(loan)
        assert (loan.state, loan.lenders) == (State.REQUESTED, (lender.person_id,))
        assert await seats(elm, loan) == ids(elm.ben, lender)
        await commands.withdraw(elm.tx, loan.id, elm.ben, NOW)
        await blocks.unblock(elm.tx, elm.ben.person_id, blocker)


async def test_what_is_brought_back_for_all_earns_no_trust_with_a_keepers_own(elm: Elm) -> None:
    now = NOW
    for _ in range(trust.GOOD_LOANS):
        loan = await elm.asked_at(elm.ben, now, now + 2 * HOUR, now)
        await commands.approve(elm.tx, loan.id, elm.ada, now)
        await handover.hand_over(elm.tx, loan.id, elm.ada, now)
        await handover.take_back(elm.tx, loan.id, elm.ada, now + HOUR)
        now += 3 * DAY
        await clockwork.close(elm.tx, elm.here.id, loan.id, now)
    own = await tools.list_tool(elm.tx, ToolText(name="Saw", category="saws"), elm.ada, now)
    for tool, trusted in ((elm.drill, True), (own, False)):
        await tools.set_terms(elm.tx, tool, Lending(auto_approve=True), elm.ada, now)
        span = (now + DAY, now + DAY + HOUR)
        asked = await commands.request(elm.tx, tool.id, *span, elm.ben, now)
        assert (asked.state == State.APPROVED) is trusted


async def test_who_may_name_and_release(elm: Elm) -> None:
    tx, tool = elm.tx, elm.drill
    for by in (elm.ada, elm.ben):
        with pytest.raises(Refusal, match="Only a coordinator"):
            await keeping.name(tx, tool.id, elm.cy.person_id, by, NOW)
    with pytest.raises(Refusal, match="Only a coordinator"):
        await keeping.release(tx, tool.id, elm.cora.person_id, elm.ada, NOW)
    with pytest.raises(Refusal, match="no active member"):
        await keeping.name(tx, tool.id, 2**40, elm.cora, NOW)
    before = list(tool.keepers)
    await keeping.name(tx, tool.id, elm.ada.person_id, elm.cora, NOW)
    assert tool.keepers == before, "doing it again is nothing"
    own = await tools.list_tool(tx, ToolText(name="Saw", category="saws"), elm.ben, NOW)
    with pytest.raises(Refusal, match="belongs to a neighbour"):
        await keeping.name(tx, own.id, elm.ada.person_id, elm.cora, NOW)


async def test_a_block_keeps_one_keeper_out_and_the_others_lend(elm: Elm) -> None:
    tx = elm.tx
    await blocks.block(tx, elm.ben.person_id, elm.cora, NOW)
    loan = await elm.asked(elm.ben, 0)
    assert (loan.lender_id, loan.keepers) == (elm.ada.person_id, [])
    assert await seats(elm, loan) == ids(elm.ben, elm.ada)
    assert rules.part_of(loan, elm.cora) is Who.COORDINATOR
    (seen,) = await board.seen(tx, elm.here, [elm.drill], NOW, "en_GB")
    apart = ids(elm.cora)
    assert not board.as_seen_by([seen], apart)[0].veiled
    await keeping.release(tx, elm.drill.id, elm.ada.person_id, elm.ada, NOW)
    assert board.as_seen_by([seen], apart)[0].veiled, "nobody is left who could lend it to Ben"
    with pytest.raises(Refusal, match="not lent at the moment"):
        await elm.asked(elm.ben, 3)


async def test_a_block_made_later_lets_the_others_go_on(elm: Elm) -> None:
    loan = await elm.out(elm.ben, 0)
    await blocks.block(elm.tx, elm.ben.person_id, elm.ada, NOW)
    change = await changes.propose(elm.tx, loan.id, elm.ben, NOW, None, loan.end + DAY)
    with pytest.raises(Refusal):
        await changes.agree(elm.tx, loan.id, change.id, elm.ada, NOW)
    await changes.agree(elm.tx, loan.id, change.id, elm.cora, NOW)


async def test_a_block_takes_a_keeper_out_of_what_is_asked_for(elm: Elm) -> None:
    loan = await elm.asked(elm.ben, 2)
    await blocks.block(elm.tx, elm.ben.person_id, elm.cora, NOW)
    loan = await elm.fresh(loan)
    assert (loan.state, loan.lender_id) == (State.REQUESTED, elm.ada.person_id)
    assert await seats(elm, loan) == ids(elm.ben, elm.ada)
    with pytest.raises(NotFound):
        await queries.loan_for(elm.tx, elm.cora, loan.id)


async def test_the_last_keeper_may_leave_and_a_coordinator_takes_over(elm: Elm) -> None:
    tx = elm.tx
    await keeping.release(tx, elm.drill.id, elm.cora.person_id, elm.cora, NOW)
    loan = await elm.out(elm.ben, 0)
    await members.leave(tx, elm.ada, NOW)
    loan, tool = await elm.fresh(loan), await tool_queries.locked(tx, elm.here.id, elm.drill.id)
    assert tool.keepers == [elm.cora.person_id]
    assert loan.lender_id == elm.cora.person_id
    assert Kind.KEEPER_NAMED in await told(elm, elm.cora)
    assert not await rooms.participant(
        tx, elm.here.id, ConversationId(loan.conversation_id), elm.ada.person_id
    )
    await handover.take_back(tx, loan.id, elm.cora, NOW + HOUR)


async def test_at_the_door_any_keeper_lends_it(elm: Elm) -> None:
    end = NOW + 3 * HOUR
    loan = await lend_now.lend(elm.tx, elm.drill.id, Somebody(elm.ben.person_id), end, elm.ada, NOW)
    assert (loan.lender_id, loan.keepers) == (elm.ada.person_id, [elm.cora.person_id])
    assert await seats(elm, loan) == ids(elm.ada, elm.ben, elm.cora)
    with pytest.raises(Refusal, match="Only its keepers"):
        await lend_now.lend(elm.tx, elm.drill.id, Somebody(name="Grete"), end, elm.cy, NOW)


async def test_whom_one_keeper_trusts_has_it_at_once(elm: Elm) -> None:
    await tools.set_terms(elm.tx, elm.drill, Lending(auto_approve=True), elm.ada, NOW)
    await trust.mark(elm.tx, elm.ben.person_id, elm.ada, NOW)
    assert (await elm.asked(elm.ben, 0)).state == State.APPROVED
    assert (await elm.asked(elm.cy, 3)).state == State.REQUESTED


async def test_three_silences_pause_that_tool_and_not_its_keepers_own(elm: Elm) -> None:
    own = await tools.list_tool(elm.tx, ToolText(name="Saw", category="saws"), elm.cora, NOW)
    for day in (5, 7, 9):
        loan = await elm.asked(elm.ben, day)
        await clockwork.expire(elm.tx, elm.here.id, loan.id, loan.expires_at)
    assert (await tool_of(elm, elm.drill)).status == "paused"
    assert (await tool_of(elm, own)).status == "listed"
    assert Kind.PAUSED_FOR_SILENCE in await told(elm, elm.ada)


async def tool_of(elm: Elm, tool: Tool) -> Tool:
    return await tool_queries.locked(elm.tx, elm.here.id, tool.id)


async def test_keepers_change_the_tool_and_nobody_else(elm: Elm) -> None:
    for keeper in (elm.ada, elm.cora):
        await tools.edit(elm.tx, elm.drill.id, ToolText(brand="Hailo"), keeper, NOW)
    with pytest.raises(Refusal, match="Only its keepers"):
        await tools.edit(elm.tx, elm.drill.id, ToolText(brand="Zarges"), elm.ben, NOW)
    assert tool_rules.may_change(elm.drill, elm.ada)
    assert not tool_rules.may_change(elm.drill, replace(elm.ada, suspended=True))


async def test_keepers_write_in_the_room_and_read_each_other(elm: Elm) -> None:
    import uuid

    loan = await elm.asked(elm.ben, 0)
    room = ConversationId(loan.conversation_id)
    for who in (elm.ben, elm.ada, elm.cora):
        await chat.say(
            elm.tx, elm.here.id, room, who.person_id, f"{who.name} here", uuid.uuid4(), NOW
        )
    with pytest.raises(NotFound):
        await chat.say(elm.tx, elm.here.id, room, elm.cy.person_id, "Me too", uuid.uuid4(), NOW)
