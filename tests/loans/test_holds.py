"""Dates that somebody is choosing: what they keep from whom, for how long, and how they end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from app import topic
from app.db import Tx
from app.errors import Conflict, Refusal
from app.loans import commands, handover, holds, lend_now
from app.loans.states import State
from app.people.viewer import Viewer
from app.queue import Job
from app.tools import availability, occupied
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.lending import Lending
from app.tools.models import Occupancy
from tests.loans.living import HOUR, Elm, elm_street
from tests.people.living import NOW

MINUTE = timedelta(minutes=1)
RUN_OUT = NOW + holds.TURN


async def choose(
    elm: Elm, who: Viewer, first: int, last: int | None = None, now: datetime = NOW
) -> datetime:
    return await holds.hold(elm.tx, elm.drill.id, *elm.days(first, last), who, now)


async def held(elm: Elm, now: datetime = NOW) -> list[tuple[int, int]]:
    """(person, first day from today) of each hold."""
    found = await occupied.holds(elm.tx, elm.here.id, elm.drill.id, now)
    return [(one.person_id, (one.start - elm.days(0)[0]).days) for one in found]


async def test_chosen_dates_are_held_for_ten_minutes_and_against_others(tx: Tx) -> None:
    elm = await elm_street(tx)
    assert await choose(elm, elm.ben, 1, 2) == NOW + 10 * MINUTE
    with pytest.raises(Conflict, match="choosing these dates") as refused:
        await choose(elm, elm.cy, 2)
    assert refused.value.code == "held"
    assert "in 10 minutes" in str(refused.value.way_out)
    assert await held(elm) == [(elm.ben.person_id, 1)]
    assert await choose(elm, elm.cy, 3)


async def test_choosing_anew_moves_the_hold_and_not_its_end(tx: Tx) -> None:
    elm = await elm_street(tx)
    until = await choose(elm, elm.ben, 1)
    assert await choose(elm, elm.ben, 4, now=NOW + 5 * MINUTE) == until
    assert await held(elm) == [(elm.ben.person_id, 4)]


async def test_a_choice_that_is_refused_leaves_the_one_before(tx: Tx) -> None:
    elm = await elm_street(tx)
    await choose(elm, elm.ben, 1)
    await elm.promised(elm.cy, 4)
    with pytest.raises(Conflict, match="has the tool"):
        await choose(elm, elm.ben, 4)
    assert await held(elm) == [(elm.ben.person_id, 1)]


async def test_a_hold_does_not_keep_others_from_asking(tx: Tx) -> None:
    elm = await elm_street(tx)
    await choose(elm, elm.ben, 1)
    loan = await elm.asked(elm.cy, 1)
    with pytest.raises(Conflict, match="Someone is choosing") as refused:
        await commands.approve(tx, loan.id, elm.ada, NOW)
    assert "Try again in 10 minutes" in str(refused.value.way_out)
    assert (await commands.approve(tx, loan.id, elm.ada, RUN_OUT)).state == State.APPROVED


async def test_a_request_ends_the_own_hold(tx: Tx) -> None:
    elm = await elm_street(tx)
    await choose(elm, elm.ben, 1)
    await elm.asked(elm.ben, 1)
    assert await held(elm) == []
    assert await choose(elm, elm.cy, 1)


async def test_the_own_hold_is_not_in_the_way_of_an_approval(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1, 2)
    await choose(elm, elm.ben, 2)
    await commands.approve(tx, loan.id, elm.ada, NOW)
    (row,) = await tx.scalars(select(Occupancy).where(Occupancy.tool_id == elm.drill.id))
    assert (row.kind, row.loan_id, row.expires_at, row.person_id) == ("loan", loan.id, None, None)


async def test_nobody_holds_dates_of_a_fourth_tool(tx: Tx) -> None:
    elm = await elm_street(tx)
    more = [
        await tools.list_tool(tx, ToolText(name=f"Saw {n}", category="saws"), elm.ada, NOW)
        for n in range(3)
    ]
    for tool in more:
        await holds.hold(tx, tool.id, *elm.days(1), elm.ben, NOW)
    with pytest.raises(Refusal, match="3 tools already") as refused:
        await choose(elm, elm.ben, 1)
    assert "without holding" in str(refused.value.way_out)
    await holds.let_go(tx, more[0].id, elm.ben, NOW)
    assert await choose(elm, elm.ben, 1)
    with pytest.raises(Refusal):
        await holds.hold(tx, more[0].id, *elm.days(1), elm.ben, NOW)
    assert await holds.hold(tx, more[0].id, *elm.days(1), elm.ben, RUN_OUT + 31 * MINUTE)


async def test_after_one_that_ran_out_there_is_none_for_half_an_hour(tx: Tx) -> None:
    elm = await elm_street(tx)
    await choose(elm, elm.ben, 1)
    with pytest.raises(Refusal, match="again in 30 minutes"):
        await choose(elm, elm.ben, 5, now=RUN_OUT)
    with pytest.raises(Refusal, match="again in 1 minute"):
        await choose(elm, elm.ben, 5, now=RUN_OUT + 29 * MINUTE)
    assert await elm.asked(elm.ben, 5, now=RUN_OUT), "asking needs no hold"
    assert await choose(elm, elm.cy, 1, now=RUN_OUT), "the others can"
    later = RUN_OUT + 30 * MINUTE
    assert await choose(elm, elm.ben, 5, now=later) == later + holds.TURN


async def test_letting_go_and_choosing_again_is_one_turn(tx: Tx) -> None:
    elm = await elm_street(tx)
    until = await choose(elm, elm.ben, 1)
    await holds.let_go(tx, elm.drill.id, elm.ben, NOW + MINUTE)
    assert await held(elm) == []
    assert await choose(elm, elm.ben, 1, now=NOW + 2 * MINUTE) == until
    await holds.let_go(tx, elm.drill.id, elm.ben, NOW + 3 * MINUTE)
    assert await choose(elm, elm.ben, 1, now=RUN_OUT) == RUN_OUT + holds.TURN, "it never ran out"


async def test_a_page_lets_go_of_no_other_pages_dates(tx: Tx) -> None:
    elm = await elm_street(tx)
    await choose(elm, elm.ben, 1)
    await choose(elm, elm.ben, 4)
    await holds.let_go(tx, elm.drill.id, elm.ben, NOW, elm.days(1))
    assert await held(elm) == [(elm.ben.person_id, 4)]
    await holds.let_go(tx, elm.drill.id, elm.cy, NOW, elm.days(4))
    assert await held(elm) == [(elm.ben.person_id, 4)], "nor of another person's"
    await holds.let_go(tx, elm.drill.id, elm.ben, NOW, elm.days(4))
    assert await held(elm) == []


async def test_the_job_at_its_end_frees_it_and_tells_every_page(tx: Tx) -> None:
    elm = await elm_street(tx)
    await choose(elm, elm.ben, 1)
    job = await tx.scalar(
        select(Job).where(
            Job.name == holds.JOB, Job.key == f"{elm.here.id}/{elm.drill.id}/{elm.ben.person_id}"
        )
    )
    assert job is not None
    assert job.run_at == RUN_OUT
    tx.info["touched"] = set()
    await holds.expire(tx, job.key, RUN_OUT)
    rows = await tx.scalar(
        select(func.count()).select_from(Occupancy).where(Occupancy.tool_id == elm.drill.id)
    )
    assert rows == 0
    assert topic.dates(elm.here.id, elm.drill.id) in str(tx.info)


async def test_holding_is_bound_by_the_rules_and_takes_the_rest(tx: Tx) -> None:
    elm = await elm_street(tx)
    await tools.set_terms(tx, elm.drill, Lending(longest_days=2, buffer_hours=3), elm.ada, NOW)
    with pytest.raises(Refusal, match="A loan may have 2 days"):
        await choose(elm, elm.ben, 1, 3)
    with pytest.raises(Refusal, match="your own tool"):
        await choose(elm, elm.ada, 1)
    await choose(elm, elm.ben, 1, 2)
    _, end = elm.days(1, 2)
    with pytest.raises(Conflict):
        await holds.hold(tx, elm.drill.id, end + 2 * HOUR, end + 5 * HOUR, elm.cy, NOW)
    assert await holds.hold(tx, elm.drill.id, end + 3 * HOUR, end + 5 * HOUR, elm.cy, NOW)


async def test_the_database_allows_one_hold_for_a_person_and_tool(tx: Tx) -> None:
    elm = await elm_street(tx)
    for day in (1, 5):
        await availability.hold(
            tx,
            elm.here.id,
            elm.drill.id,
            Range(*elm.days(day)),
            person_id=elm.ben.person_id,
            until=RUN_OUT,
            now=NOW,
        )
    assert await held(elm) == [(elm.ben.person_id, 5)]


async def test_who_stands_at_the_door_hears_that_somebody_is_choosing(tx: Tx) -> None:
    elm = await elm_street(tx)
    await holds.hold(tx, elm.drill.id, *elm.days(0), elm.ben, NOW)
    for whom in (lend_now.Somebody(name="Grete"), lend_now.Somebody(elm.cy.person_id)):
        with pytest.raises(Conflict) as refused:
            await lend_now.lend(tx, elm.drill.id, whom, NOW + HOUR, elm.ada, NOW)
        assert refused.value.code == "held"
    to_ben = lend_now.Somebody(elm.ben.person_id)
    loan = await lend_now.lend(tx, elm.drill.id, to_ben, NOW + HOUR, elm.ada, NOW)
    assert loan.state == State.OUT, "what ben was choosing is his now"


async def test_an_early_hand_over_waits_for_who_is_choosing(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await holds.hold(tx, elm.drill.id, *elm.days(0), elm.cy, NOW)
    with pytest.raises(Conflict) as refused:
        await handover.hand_over(tx, loan.id, elm.ada, NOW)
    assert refused.value.code == "held"
