"""Who mediates: invited by one of the two, never in the own case, and never uninvited."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select

from app import topic
from app.chat import queries as chat_queries
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import cases, incidents, mediation, queries, saying
from app.loans.incident import Incident
from app.loans.incidents import Terms
from app.loans.models import Loan, LoanEvent
from app.loans.states import State
from app.members import commands as members
from app.notices.models import Kind, Notice
from app.people.models import Block, Membership, Role, Status
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.loans.living import HOUR, Elm, elm_street
from tests.people.living import NOW

LATER = NOW + HOUR


async def disputed(elm: Elm, borrower: Viewer | None = None) -> tuple[Loan, Incident]:
    loan = await elm.out(borrower or elm.ben, 0)
    one = await incidents.open_incident(
        elm.tx, loan.id, elm.ada, LATER, "damage", "It is bent.", dispute=True
    )
    return loan, one


async def coordinates(elm: Elm, who: Viewer) -> Viewer:
    standing = await elm.tx.get_one(Membership, (elm.here.id, who.person_id))
    standing.role = Role.COORDINATOR
    await elm.tx.flush()
    return replace(who, role=Role.COORDINATOR)


async def told(tx: Tx, person_id: int) -> list[str]:
    rows = await tx.scalars(select(Notice.kind).where(Notice.person_id == person_id))
    return list(rows)


async def test_a_coordinator_reads_the_room_only_when_one_of_the_two_asks(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, one = await disputed(elm)
    room = (elm.here.id, loan.conversation_id)
    with pytest.raises(NotFound):
        await queries.loan_for(tx, elm.cora, loan.id)
    with pytest.raises(Refusal, match="whom one of the two asked"):
        await incidents.record_result(tx, loan.id, one.id, elm.cora, LATER, Terms("Pay."))
    with pytest.raises(Refusal, match="Only the borrower or the lender"):
        await mediation.invite(tx, loan.id, elm.cora, LATER, elm.cora.person_id)
    await mediation.invite(tx, loan.id, elm.ben, LATER, elm.cora.person_id)
    assert await queries.loan_for(tx, elm.cora, loan.id) is loan
    assert await chat_queries.participant(tx, *room, elm.cora.person_id) is not None
    acts = (await tx.scalars(select(LoanEvent.act).where(LoanEvent.loan_id == loan.id))).all()
    assert "mediator" in acts, "it is logged"
    assert Kind.MEDIATOR_ASKED in await told(tx, elm.cora.person_id)
    assert Kind.MEDIATOR_JOINED in await told(tx, elm.ada.person_id)
    assert Kind.MEDIATOR_ASKED not in await told(tx, elm.ada.person_id)


async def test_a_mediator_records_the_result_and_that_closes_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, one = await disputed(elm)
    await mediation.invite(tx, loan.id, elm.ada, LATER, elm.cora.person_id)
    await incidents.add_evidence(tx, loan.id, one.id, elm.cora, LATER, "I have seen it.")
    for party in (elm.ada, elm.ben):
        with pytest.raises(Refusal, match="Nobody mediates the own case"):
            await incidents.record_result(tx, loan.id, one.id, party, LATER, Terms("I win."))
    with pytest.raises(Refusal):
        await incidents.offer(tx, loan.id, one.id, elm.cora, LATER, Terms("Half each."))
    await incidents.record_result(tx, loan.id, one.id, elm.cora, LATER, Terms("Half each.", 500))
    assert (loan.state, one.settled_by) == (State.CLOSED, elm.cora.person_id)


async def test_only_a_coordinator_and_none_of_the_two(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, _ = await disputed(elm)
    for whom in (elm.ada, elm.ben, elm.cy):
        with pytest.raises(Refusal) as refused:
            await mediation.invite(tx, loan.id, elm.ben, LATER, whom.person_id)
        assert refused.value.field_name == "mediator"
    with pytest.raises(Refusal):
        await mediation.invite(tx, loan.id, elm.ben, LATER, 2**40)


async def test_without_an_incident_nobody_is_let_in(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    with pytest.raises(Refusal, match="nothing to settle"):
        await mediation.invite(tx, loan.id, elm.ben, LATER, elm.cora.person_id)


async def test_a_coordinator_who_is_a_party_has_a_mediator_named_by_both(tx: Tx) -> None:
    elm = await elm_street(tx)
    ben = await coordinates(elm, elm.ben)
    loan, one = await disputed(elm, ben)
    with pytest.raises(Refusal, match="own case"):
        await incidents.record_result(tx, loan.id, one.id, ben, LATER, Terms("I win."))
    await mediation.invite(tx, loan.id, ben, LATER, elm.cora.person_id)
    assert (loan.mediator_id, loan.named_id) == (None, elm.cora.person_id)
    with pytest.raises(NotFound):
        await queries.loan_for(tx, elm.cora, loan.id)
    await mediation.invite(tx, loan.id, ben, LATER, elm.cora.person_id)
    assert loan.mediator_id is None, "naming twice is not naming by both"
    await mediation.invite(tx, loan.id, elm.ada, LATER, elm.cora.person_id)
    assert loan.mediator_id == elm.cora.person_id


async def test_both_may_name_a_neighbour_who_lends_here(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, one = await disputed(elm, elm.cora)
    with pytest.raises(Refusal):
        await mediation.invite(tx, loan.id, elm.ada, LATER, elm.ben.person_id)
    await tools.list_tool(tx, ToolText(name="Saw", category="saws"), elm.ben, NOW)
    await mediation.invite(tx, loan.id, elm.ada, LATER, elm.ben.person_id)
    await mediation.invite(tx, loan.id, elm.cora, LATER, elm.ben.person_id)
    await incidents.record_result(tx, loan.id, one.id, elm.ben, LATER, Terms("Shake hands."))
    assert loan.state == State.CLOSED


async def test_one_who_names_another_starts_anew(tx: Tx) -> None:
    elm = await elm_street(tx)
    ben = await coordinates(elm, elm.ben)
    cy = await coordinates(elm, elm.cy)
    loan, _ = await disputed(elm, ben)
    await mediation.invite(tx, loan.id, ben, LATER, elm.cora.person_id)
    await mediation.invite(tx, loan.id, elm.ada, LATER, cy.person_id)
    assert (loan.mediator_id, loan.named_id, loan.named_by) == (
        None,
        cy.person_id,
        elm.ada.person_id,
    )


async def test_a_mediator_who_stops_reads_no_more_and_another_may_be_asked(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, _ = await disputed(elm)
    await mediation.invite(tx, loan.id, elm.ada, LATER, elm.cora.person_id)
    with pytest.raises(Refusal, match="mediator already"):
        await mediation.invite(tx, loan.id, elm.ben, LATER, elm.cora.person_id)
    with pytest.raises(Refusal):
        await mediation.step_down(tx, loan.id, elm.ada, LATER)
    await mediation.step_down(tx, loan.id, elm.cora, LATER)
    with pytest.raises(NotFound):
        await queries.loan_for(tx, elm.cora, loan.id)
    room = (elm.here.id, loan.conversation_id)
    assert await chat_queries.participant(tx, *room, elm.cora.person_id) is None
    await mediation.invite(tx, loan.id, elm.ben, LATER, elm.cora.person_id)


async def test_two_who_blocked_each_other_write_through_the_mediator(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, _ = await disputed(elm)
    tx.add(Block(blocker_id=elm.ada.person_id, blocked_id=elm.ben.person_id, created_at=LATER))
    await tx.flush()

    async def says(who: Viewer) -> None:
        room = ConversationId(loan.conversation_id)
        await saying.say(tx, room, "Hello", who, LATER, uuid.uuid4())

    with pytest.raises(Refusal):
        await says(elm.ben)
    await mediation.invite(tx, loan.id, elm.ben, LATER, elm.cora.person_id)
    for who in (elm.ben, elm.ada, elm.cora):
        await says(who)


async def test_a_suspended_mediator_has_no_part_any_more(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, _ = await disputed(elm)
    await mediation.invite(tx, loan.id, elm.ben, LATER, elm.cora.person_id)
    with pytest.raises(NotFound):
        await queries.loan_for(tx, replace(elm.cora, suspended=True), loan.id)
    assert (await cases.case(tx, loan)).open


async def test_a_mediator_who_has_gone_is_replaced_by_another(tx: Tx) -> None:
    elm = await elm_street(tx)
    cy = await coordinates(elm, elm.cy)
    loan, _ = await disputed(elm)
    await mediation.invite(tx, loan.id, elm.ben, LATER, cy.person_id)
    standing = await tx.get_one(Membership, (elm.here.id, cy.person_id))
    standing.status = Status.LEFT
    await tx.flush()
    await mediation.invite(tx, loan.id, elm.ada, LATER, elm.cora.person_id)
    assert loan.mediator_id == elm.cora.person_id
    room = (elm.here.id, loan.conversation_id)
    assert await chat_queries.participant(tx, *room, cy.person_id) is None


async def test_who_could_mediate_is_shown_anew_when_roles_and_members_change(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan, one = await disputed(elm)
    name = topic.amends(elm.here.id, loan.id)
    standing = await tx.get_one(Membership, (elm.here.id, elm.cora.person_id))
    standing.role = Role.ADMIN
    await tx.flush()
    admin = replace(elm.cora, role=Role.ADMIN)
    assert elm.cy.person_id not in (await mediation.choice(tx, loan)).names
    cy = elm.cy.person_id
    for act, offered in (
        ("coordinator", True),
        ("suspend", False),
        ("restore", True),
        ("member", False),
    ):
        tx.info.pop("touched", None)
        if act == "suspend":
            await members.suspend(tx, cy, admin, LATER)
        elif act == "restore":
            await members.restore(tx, cy, admin, LATER)
        else:
            await members.set_role(tx, cy, act, admin, LATER)
        assert name in tx.info["touched"]
        assert (elm.cy.person_id in (await mediation.choice(tx, loan)).names) is offered
    await incidents.offer(tx, loan.id, one.id, elm.ada, LATER, Terms("Never mind."))
    await incidents.accept(tx, loan.id, one.id, elm.ben, LATER)
    tx.info.pop("touched", None)
    await members.set_role(tx, elm.cy.person_id, "coordinator", admin, LATER)
    assert name not in tx.info["touched"], "there is nothing left to settle"
