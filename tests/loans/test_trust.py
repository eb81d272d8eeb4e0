"""Whom a lender trusts, and what the tool's own yes does and does not do."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from app.db import Tx
from app.errors import NotFound
from app.loans import clockwork, commands, handover, holds, trust
from app.loans.models import Loan
from app.loans.states import State
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.lending import Lending
from app.tools.models import Occupancy
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW


@pytest.fixture
async def elm(tx: Tx) -> Elm:
    """A street whose drill says yes by itself."""
    made = await elm_street(tx)
    await tools.set_terms(tx, made.drill, Lending(auto_approve=True), made.ada, NOW)
    return made


async def trusted(elm: Elm, who: Viewer, now: datetime = NOW) -> bool:
    lent = Loan(community_id=elm.here.id, lender_id=elm.ada.person_id, keepers=[])
    set_committed_value(lent, "tool", elm.drill)
    return await trust.trusts(elm.tx, lent, who.person_id, now)


async def borrowed(elm: Elm, who: Viewer, now: datetime, late: bool = False) -> datetime:
    """For two hours, brought back in time or not, and closed; answers when."""
    loan = await commands.request(elm.tx, elm.drill.id, now, now + 2 * HOUR, who, now)
    if loan.state == State.REQUESTED:
        await commands.approve(elm.tx, loan.id, elm.ada, now)
    await handover.hand_over(elm.tx, loan.id, elm.ada, now)
    back = now + (3 if late else 1) * HOUR
    await handover.take_back(elm.tx, loan.id, elm.ada, back)
    await clockwork.close(elm.tx, elm.here.id, loan.id, back + 2 * DAY)
    return back + 2 * DAY


async def test_three_loans_in_good_order_make_trust(elm: Elm) -> None:
    now = NOW
    for _ in range(trust.GOOD_LOANS):
        assert not await trusted(elm, elm.ben, now)
        now = await borrowed(elm, elm.ben, now)
    assert await trusted(elm, elm.ben, now)
    assert not await trusted(elm, elm.cy, now)
    loan = await elm.asked_at(elm.ben, now + HOUR, now + 2 * HOUR, now)
    assert loan.state == State.APPROVED
    await handover.hand_over(elm.tx, loan.id, elm.ada, now + HOUR)
    assert not await trusted(elm, elm.ben, now + 3 * HOUR), "it is overdue"


async def test_what_came_back_late_does_not_count(elm: Elm) -> None:
    now = NOW
    for late in (False, True, False):
        now = await borrowed(elm, elm.ben, now, late)
    assert not await trusted(elm, elm.ben, now)


async def test_a_mark_is_enough_and_can_be_taken_away(elm: Elm) -> None:
    await trust.mark(elm.tx, elm.ben.person_id, elm.ada, NOW)
    loan = await elm.asked(elm.ben, 1)
    assert loan.state == State.APPROVED
    (row,) = await elm.tx.scalars(select(Occupancy).where(Occupancy.tool_id == elm.drill.id))
    assert (row.kind, row.loan_id) == ("loan", loan.id)
    told = await elm.tx.scalars(
        select(Notice.kind).where(Notice.person_id == elm.ada.person_id).order_by(Notice.id)
    )
    assert list(told) == [Kind.APPROVED_AT_ONCE]
    await trust.unmark(elm.tx, elm.ben.person_id, elm.ada)
    assert (await elm.asked(elm.ben, 5)).state == State.REQUESTED
    with pytest.raises(NotFound):
        await trust.mark(elm.tx, 2**40, elm.ada, NOW)


async def test_a_tool_that_does_not_say_so_asks_its_lender(elm: Elm) -> None:
    await tools.set_terms(elm.tx, elm.drill, Lending(), elm.ada, NOW)
    await trust.mark(elm.tx, elm.ben.person_id, elm.ada, NOW)
    assert (await elm.asked(elm.ben, 1)).state == State.REQUESTED


async def test_the_own_hold_becomes_the_loans_row(elm: Elm) -> None:
    await trust.mark(elm.tx, elm.ben.person_id, elm.ada, NOW)
    await holds.hold(elm.tx, elm.drill.id, *elm.days(1), elm.ben, NOW)
    held = await elm.tx.scalar(select(Occupancy.id).where(Occupancy.tool_id == elm.drill.id))
    loan = await elm.asked(elm.ben, 1)
    row = await elm.tx.scalar(
        select(Occupancy)
        .where(Occupancy.tool_id == elm.drill.id)
        .execution_options(populate_existing=True)
    )
    assert row is not None
    assert (row.id, row.kind, row.loan_id) == (held, "loan", loan.id)


async def others(elm: Elm) -> list[str]:
    rows = await elm.tx.scalars(
        select(Loan.state).where(Loan.tool_id == elm.drill.id).order_by(Loan.id)
    )
    return list(rows)


async def test_where_another_asks_or_chooses_the_lender_decides(elm: Elm) -> None:
    await trust.mark(elm.tx, elm.ben.person_id, elm.ada, NOW)
    await elm.asked(elm.cy, 1)
    assert (await elm.asked(elm.ben, 1)).state == State.REQUESTED
    assert await others(elm) == [State.REQUESTED, State.REQUESTED], "nobody is superseded by it"
    await holds.hold(elm.tx, elm.drill.id, *elm.days(5), elm.cy, NOW)
    assert (await elm.asked(elm.ben, 5)).state == State.REQUESTED
    assert (await elm.asked(elm.ben, 8)).state == State.APPROVED
