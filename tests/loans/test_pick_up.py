"""The exact place: for the two of a loan while it lasts, and for nobody else, whatever they try."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm.attributes import set_committed_value

from app import topic
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import commands, handover, kept, pick_up, queries
from app.loans.models import Loan
from app.loans.pick_up import PickUp
from app.loans.states import State
from app.members import blocks
from app.members import commands as members
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools import districts, grid, places, where
from app.tools import queries as tool_queries
from app.tools.commands import ToolText
from app.tools.models import Tool
from app.tools.place import Place
from app.tools.places import PlaceText
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

HERE = PlaceText("Secret Lane 7\n second  bell", point="52.512345, 13.412345")
EXACT = PickUp("Secret Lane 7\nsecond bell", "52.512345, 13.412345")
ELSEWHERE = PlaceText("The shed, Mill Lane", point="52.6, 13.5")
CELL = grid.cell_of(grid.Point(52.512345, 13.412345))
IN_HAND = (State.OUT, State.RETURN_CLAIMED, State.DISPUTED)


async def told(elm: Elm, loan: Loan, who: Viewer, now: datetime = NOW) -> PickUp | None:
    apart = await kept.between(elm.tx, who.person_id, loan)
    return await pick_up.tell(elm.tx, loan, who, apart, now)


@pytest.mark.parametrize("state", State)
async def test_every_viewer_in_every_state_of_a_loan(tx: Tx, state: State) -> None:
    elm = await elm_street(tx)
    await pick_up.keep(tx, HERE, elm.ada, NOW)
    asked = await elm.promised(elm.ben, 2, 3)
    loan = await queries.loan_for(tx, elm.ben, asked.id)
    set_committed_value(loan, "state", state)
    day_before = loan.start - DAY
    for now in (NOW, day_before - timedelta(seconds=1), day_before, loan.start, loan.end + DAY):
        soon = now >= day_before
        the_two = None
        if state in IN_HAND or (state is State.APPROVED and soon):
            the_two = EXACT
        elif state is State.APPROVED:
            the_two = PickUp(later=True)
        assert await told(elm, loan, elm.ben, now) == the_two
        assert await told(elm, loan, elm.ada, now) == the_two
        for nobody in (elm.cy, elm.cora, replace(elm.ben, community=None)):
            assert await told(elm, loan, nobody, now) is None
        # Who is suspended still brings back what they have.
        paused = await told(elm, loan, replace(elm.ben, suspended=True), now)
        assert paused == (EXACT if state in IN_HAND else None)
    set_committed_value(loan, "mediator_id", elm.cy.person_id)
    assert await told(elm, loan, elm.cy, loan.start) is None
    await blocks.block(tx, elm.ada.person_id, elm.ben, NOW)
    for who in (elm.ada, elm.ben):
        assert await told(elm, loan, who, loan.start) is None, "a block stands between them"


async def test_a_tool_may_be_elsewhere_and_a_tool_of_all_has_no_other_place(tx: Tx) -> None:
    elm = await elm_street(tx)
    await pick_up.keep(tx, HERE, elm.ada, NOW)
    loan = await queries.loan_for(tx, elm.ben, (await elm.out(elm.ben, 0)).id)
    await pick_up.keep(tx, ELSEWHERE, elm.ada, NOW, elm.drill.id)
    assert (await told(elm, loan, elm.ben)) == PickUp("The shed, Mill Lane", "52.6, 13.5")
    await pick_up.forget(tx, elm.ada, elm.drill.id)
    assert (await told(elm, loan, elm.ben)) == EXACT
    await pick_up.forget(tx, elm.ada)
    assert (await told(elm, loan, elm.ben)) is None
    # Another's, and another tool's: never by chance.
    await pick_up.keep(tx, HERE, elm.cora, NOW)
    text = ToolText(name="Tent", category="party", of_all=True)
    tent = await tools.list_tool(tx, text, elm.cora, NOW)
    saw = await tools.list_tool(tx, ToolText(name="Saw", category="saws"), elm.ada, NOW)
    await pick_up.keep(tx, ELSEWHERE, elm.ada, NOW, saw.id)
    assert (tent.cell, await where.exact(tx, tent)) == (None, None)
    for stranger in (elm.ben, elm.cora):
        with pytest.raises(Refusal) as refused:
            await pick_up.keep(tx, HERE, stranger, NOW, saw.id)
        assert refused.value.status == 403
    with pytest.raises(NotFound):
        await pick_up.keep(tx, HERE, elm.ada, NOW, 2**60)


async def test_what_tools_say_of_where_they_are_follows_the_places(tx: Tx) -> None:
    """Told after each step for a tool of hers, one that is elsewhere, and one that comes later."""
    elm = await elm_street(tx)
    other = await tools.list_tool(tx, ToolText(name="Saw", category="saws"), elm.ada, NOW)
    mill = await districts.add(tx, "Mill", "", elm.cora)

    async def said(*more: Tool) -> list[tuple[int | None, int | None]]:
        await tx.flush()
        ids = [elm.drill.id, other.id, *(one.id for one in more)]
        rows = await tx.execute(
            select(Tool.cell, Tool.district_id).where(Tool.id.in_(ids)).order_by(Tool.id)
        )
        return [(cell, district) for cell, district in rows]

    nowhere, here = (None, None), (CELL, None)
    await places.keep(tx, HERE, elm.ada, NOW)
    assert await said() == [here, here]
    await places.keep(tx, PlaceText(district=mill.id), elm.ada, NOW, other.id)
    assert await said() == [here, (None, mill.id)]
    await districts.change(tx, mill.id, "Old Mill", "52.6, 13.5", elm.cora)
    middle = grid.cell_of(grid.Point(52.6, 13.5))
    assert await said() == [here, (middle, mill.id)]
    await places.keep(tx, PlaceText(district=mill.id, point=HERE.point), elm.ada, NOW)
    later = await tools.list_tool(tx, ToolText(name="Axe", category="saws"), elm.ada, NOW)
    assert await said(later) == [(CELL, mill.id), (middle, mill.id), (CELL, mill.id)]
    await districts.remove(tx, mill.id, elm.cora)
    assert await said(later) == [here, nowhere, here]
    await places.forget(tx, elm.ada, other.id)
    assert await said(later) == [here, here, here]
    await members.leave(tx, elm.ada, NOW)
    assert await said(later) == [nowhere, nowhere, nowhere]
    left = select(func.count()).select_from(Place).where(Place.community_id == elm.here.id)
    assert await tx.scalar(left) == 0, "it is forgotten"


async def test_only_those_who_may_read_it_are_told_that_an_address_changed(tx: Tx) -> None:
    """Within its cell and district nothing that all members watch is any newer."""
    elm = await elm_street(tx)
    await pick_up.keep(tx, HERE, elm.ada, NOW)
    loan = await elm.promised(elm.ben, 2)
    await tx.flush()
    tx.info["touched"].clear()
    centre = grid.centre_of(CELL)
    moved = PlaceText("Other Street 1", point=f"{centre.lat}, {centre.lon}")
    await pick_up.keep(tx, moved, elm.ada, NOW)
    assert set(tx.info["touched"]) == {topic.loan(elm.here.id, loan.id)}
    await pick_up.keep(tx, ELSEWHERE, elm.ada, NOW)
    assert topic.tool(elm.here.id, elm.drill.id) in set(tx.info["touched"])


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (PlaceText(), "address"),
        (PlaceText(" \n\u200b"), "address"),
        (PlaceText("x" * 301), "address"),
        (PlaceText("Elm Street", point="somewhere"), "point"),
        (PlaceText("Elm Street", district=2**60), "district"),
    ],
)
async def test_what_is_no_place_is_refused(tx: Tx, text: PlaceText, field: str) -> None:
    elm = await elm_street(tx)
    with pytest.raises(Refusal) as refused:
        await places.keep(tx, text, elm.ada, NOW)
    assert refused.value.field_name == field


async def test_who_is_no_coordinator_names_no_district(tx: Tx) -> None:
    elm = await elm_street(tx)
    for who in (elm.ada, replace(elm.cora, suspended=True)):
        with pytest.raises(Refusal):
            await districts.add(tx, "Mill", "", who)
    await districts.add(tx, "Mill", "", elm.cora)
    for name in ("mill ", "", "x" * 41):
        with pytest.raises(Refusal) as refused:
            await districts.add(tx, name, "", elm.cora)
        assert refused.value.field_name == "name"
    with pytest.raises(NotFound):
        await districts.change(tx, 2**60, "Elsewhere", "", elm.cora)


async def test_it_ends_with_the_loan(tx: Tx) -> None:
    elm = await elm_street(tx)
    await pick_up.keep(tx, HERE, elm.ada, NOW)
    loan = await queries.loan_for(tx, elm.ben, (await elm.out(elm.ben, 0)).id)
    assert await told(elm, loan, elm.ben) == EXACT
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    assert await told(elm, await elm.fresh(loan), elm.ben, NOW + HOUR) is None
    again = await elm.promised(elm.ben, 1)
    await commands.cancel(tx, again.id, elm.ben, NOW)
    fresh = await queries.loan_for(tx, elm.ben, again.id)
    assert await told(elm, fresh, elm.ben, NOW + 2 * DAY) is None
    assert (await tool_queries.tool_for(tx, elm.ben, elm.drill.id)).cell == CELL
