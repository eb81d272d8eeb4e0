"""Letting in, sending away, roles and leaving; and what becomes of tools and loans."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app import clock, topic
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import commands as loans
from app.loans import handover
from app.loans import queries as loan_queries
from app.loans.states import State
from app.members import commands
from app.people import queries, sessions
from app.people.models import Community, Membership, Role, Status
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.models import Tool, ToolStatus
from tests.people.living import NOW, community, member, person, viewer

HOUR = timedelta(hours=1)


async def elm_street(tx: Tx) -> tuple[Community, Viewer]:
    """A community with categories, and its admin Cora."""
    cora = await person(tx, "Cora Lindqvist")
    elm = await community(tx, cora)
    tools.furnish(tx, elm.id)
    await tx.flush()
    return elm, await viewer(tx, elm, cora)


async def drill_of(tx: Tx, owner: Viewer) -> Tool:
    return await tools.list_tool(tx, ToolText(name="Drill", category="drills"), owner, NOW)


async def standing_of(tx: Tx, who: Viewer) -> Membership:
    found = await queries.standing(tx, who.community_id, who.person_id)
    assert found is not None
    return found


async def test_who_is_let_in_is_told_at_once(tx: Tx) -> None:
    elm, cora = await elm_street(tx)
    ben = await member(tx, elm, status=Status.PENDING)
    tx.info.pop("touched", None)
    standing = await commands.admit(tx, ben.person_id, cora, NOW + HOUR)
    assert (standing.status, standing.joined_at) == (Status.ACTIVE, NOW + HOUR)
    seen = {topic.access(ben.person_id), topic.members(elm.id), topic.wanted(elm.id)}
    assert tx.info["touched"] == seen
    tx.info.pop("touched")
    await commands.admit(tx, ben.person_id, cora, NOW + 2 * HOUR)
    assert "touched" not in tx.info
    with pytest.raises(Refusal, match="meanwhile"):
        await commands.turn_away(tx, ben.person_id, cora, NOW)


async def test_who_is_turned_away_is_out_and_can_be_let_in_no_more(tx: Tx) -> None:
    elm, cora = await elm_street(tx)
    ben = await member(tx, elm, status=Status.PENDING)
    await commands.turn_away(tx, ben.person_id, cora, NOW)
    await commands.turn_away(tx, ben.person_id, cora, NOW)
    standing = await queries.standing(tx, elm.id, ben.person_id)
    assert standing is not None
    assert standing.status == Status.LEFT
    with pytest.raises(NotFound):
        await commands.admit(tx, ben.person_id, cora, NOW)


async def test_a_suspension_ends_tokens_and_can_be_lifted(tx: Tx) -> None:
    elm, cora = await elm_street(tx)
    ben = await member(tx, elm)
    proof = sessions.Proof(ben.person_id, "none")
    token, _ = await sessions.issue_token(tx, proof, NOW)
    assert (await commands.suspend(tx, ben.person_id, cora, NOW)).status == Status.SUSPENDED
    assert await queries.signed_by_token(tx, token, NOW) is None
    assert (await commands.restore(tx, ben.person_id, cora, NOW)).status == Status.ACTIVE


async def test_members_decide_about_nobody(tx: Tx) -> None:
    elm, _ = await elm_street(tx)
    ben, cy = await member(tx, elm), await member(tx, elm, "Cy")
    suspended = replace(await member(tx, elm, "Dora", Role.COORDINATOR), suspended=True)
    for by in (ben, suspended):
        for act in (commands.admit, commands.suspend, commands.restore, commands.remove):
            with pytest.raises(Refusal):
                await act(tx, cy.person_id, by, NOW)


async def test_nobody_decides_about_themselves_or_somebody_mightier(tx: Tx) -> None:
    elm, cora = await elm_street(tx)
    dora = await member(tx, elm, "Dora", Role.COORDINATOR)
    eve = await member(tx, elm, "Eve", Role.COORDINATOR)
    for whose in (dora, cora, eve):
        with pytest.raises(Refusal):
            await commands.suspend(tx, whose.person_id, dora, NOW)
        with pytest.raises(Refusal):
            await commands.set_role(tx, whose.person_id, "member", dora, NOW)
    with pytest.raises(Refusal):
        await commands.set_role(tx, cora.person_id, "member", cora, NOW)
    assert (await commands.suspend(tx, dora.person_id, cora, NOW)).status == Status.SUSPENDED


async def test_admins_give_roles_and_the_last_one_stays(tx: Tx) -> None:
    elm, cora = await elm_street(tx)
    ben = await member(tx, elm)
    with pytest.raises(Refusal, match="last admin"):
        await commands.leave(tx, cora, NOW)
    assert (await commands.set_role(tx, ben.person_id, "admin", cora, NOW)).role == Role.ADMIN
    await commands.leave(tx, cora, NOW)
    ben_now = replace(ben, role=Role.ADMIN)
    with pytest.raises(Refusal, match="last admin"):
        await commands.leave(tx, ben_now, NOW)
    with pytest.raises(Refusal):
        await commands.set_role(tx, ben.person_id, "emperor", ben_now, NOW)


async def test_a_member_of_another_community_is_not_there(tx: Tx) -> None:
    elm, _ = await elm_street(tx)
    _, max_ = await elm_street(tx)
    ben = await member(tx, elm)
    for act in (commands.admit, commands.suspend, commands.remove, commands.turn_away):
        with pytest.raises(NotFound):
            await act(tx, ben.person_id, max_, NOW)


async def test_leaving_ends_what_was_asked_and_promised_and_archives_tools(tx: Tx) -> None:
    elm, _ = await elm_street(tx)
    ada, ben, cy = await member(tx, elm, "Ada"), await member(tx, elm), await member(tx, elm, "Cy")
    adas, bens = await drill_of(tx, ada), await drill_of(tx, ben)
    now = clock.now()
    day = timedelta(days=1)
    asks = await loans.request(tx, adas.id, now + day, now + 2 * day, ben, now)
    asked = await loans.request(tx, bens.id, now + day, now + 2 * day, ada, now)
    promised = await loans.request(tx, bens.id, now + 3 * day, now + 4 * day, cy, now)
    await loans.approve(tx, promised.id, ben, now)
    await commands.leave(tx, ben, now)
    states = [
        (await loan_queries.locked(tx, elm.id, one.id)).state for one in (asks, asked, promised)
    ]
    assert states == [State.WITHDRAWN, State.DECLINED, State.CANCELLED]
    assert (bens.status, adas.status) == (ToolStatus.ARCHIVED, ToolStatus.LISTED)
    assert (await standing_of(tx, ben)).status == Status.LEFT
    assert {topic.access(ben.person_id), topic.listing(elm.id)} <= tx.info["touched"]


@pytest.mark.parametrize("goes", ["borrower", "lender"])
async def test_nobody_goes_while_a_tool_is_out(tx: Tx, goes: str) -> None:
    elm, cora = await elm_street(tx)
    ada, ben = await member(tx, elm, "Ada"), await member(tx, elm)
    drill = await drill_of(tx, ada)
    now = clock.now()
    loan = await loans.request(tx, drill.id, now, now + timedelta(days=1), ben, now)
    await loans.approve(tx, loan.id, ada, now)
    await handover.hand_over(tx, loan.id, ada, now)
    who = ben if goes == "borrower" else ada
    with pytest.raises(Refusal, match="Drill"):
        await commands.leave(tx, who, now)
    with pytest.raises(Refusal, match="Drill"):
        await commands.remove(tx, who.person_id, cora, now)
    await handover.take_back(tx, loan.id, ada, now)
    removed = await commands.remove(tx, who.person_id, cora, now)
    assert (removed.status, removed.removed_at) == (Status.LEFT, now)
    assert await commands.remove(tx, who.person_id, cora, now) is removed


async def test_a_coordinator_who_sends_away_declines_what_was_asked(tx: Tx) -> None:
    elm, cora = await elm_street(tx)
    ada, ben = await member(tx, elm, "Ada"), await member(tx, elm)
    adas, coras = await drill_of(tx, ada), await drill_of(tx, cora)
    now = clock.now()
    day = timedelta(days=1)
    of_ada = await loans.request(tx, adas.id, now + day, now + 2 * day, ben, now)
    of_cora = await loans.request(tx, coras.id, now + day, now + 2 * day, ben, now)
    await commands.remove(tx, ben.person_id, cora, now)
    for one in (of_ada, of_cora):
        assert (await loan_queries.locked(tx, elm.id, one.id)).state == State.DECLINED


async def test_a_new_name_reaches_every_screen_that_shows_it(tx: Tx) -> None:
    elm, _ = await elm_street(tx)
    ada, ben = await member(tx, elm, "Ada"), await member(tx, elm)
    drill = await drill_of(tx, ada)
    now = clock.now()
    loan = await loans.request(tx, drill.id, now, now + timedelta(days=1), ben, now)
    tx.info.pop("touched", None)
    await commands.rename(tx, "  Ada  Lovelace ", ada)
    assert (await queries.person(tx, ada.person_id)).name == "Ada Lovelace"
    assert tx.info["touched"] >= {
        topic.tool(elm.id, drill.id),
        topic.loan(elm.id, loan.id),
        topic.members(elm.id),
        topic.access(ada.person_id),
        topic.things(ben.person_id),
        topic.rooms(ben.person_id),
    }
    with pytest.raises(Refusal):
        await commands.rename(tx, "", ada)
