"""A tool that comes back late: what the next borrower sees, hears and may choose."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import jobs, topic
from app.board import mine
from app.db import Tx
from app.errors import Conflict, Refusal
from app.loans import (
    changes,
    clockwork,
    commands,
    handover,
    patience,
    ripple,
    rules,
    similar,
    undo,
)
from app.loans.models import Loan
from app.loans.states import State
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.loans.test_changes import heard
from tests.people.living import NOW


async def risky(elm: Elm, loan: Loan, now: datetime) -> bool:
    from app.loans import queries

    holder = await queries.holder(elm.tx, loan.community_id, loan.tool_id)
    return ripple.at_risk(await elm.fresh(loan), holder, now)


async def back_to_back(elm: Elm, gap: int = 0) -> tuple[Loan, Loan]:
    """Ben has the drill today, Cy is to have it after `gap` days."""
    late = await elm.out(elm.ben, 0)
    return late, await elm.promised(elm.cy, 1 + gap)


async def test_loans_that_only_touch_are_no_risk_until_the_due_minute(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm)
    assert not await risky(elm, after, late.end - HOUR / 60)
    assert await risky(elm, after, late.end)
    await handover.claim_return(tx, late.id, elm.ben, late.end)
    assert not await risky(elm, after, late.end), "who hands it on confirms that it is back"
    await handover.not_here(tx, late.id, elm.ada, late.end)
    assert await risky(elm, after, late.end)
    await handover.take_back(tx, late.id, elm.ada, late.end + HOUR)
    assert not await risky(elm, after, late.end + HOUR)


async def test_a_loan_far_ahead_is_at_risk_only_from_a_day_before_its_start(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm, gap=4)
    assert not await risky(elm, after, late.end + DAY)
    assert await risky(elm, after, after.start - ripple.BEFORE)


async def test_both_hear_it_once_and_who_is_late_hears_no_name(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm)
    for n in range(3):  # reminders of both loans, again and again
        await clockwork.remind(tx, elm.here.id, late.id, late.end + n * HOUR)
        await clockwork.remind(tx, elm.here.id, after.id, late.end + n * HOUR)
    assert (await heard(tx, elm.cy)).count(Kind.AT_RISK) == 1
    assert (await heard(tx, elm.ada)).count(Kind.NEXT_WAITS) == 1
    assert (await heard(tx, elm.ben)).count(Kind.SOMEONE_WAITS) == 1
    rows = await tx.scalars(
        select(Notice).where(Notice.kind.in_((Kind.AT_RISK, Kind.SOMEONE_WAITS)))
    )
    for notice in rows:
        other = "Cy" if notice.kind == Kind.SOMEONE_WAITS else "Ben"
        assert other not in str(notice.facts), "neither learns who the other is"
    assert (await elm.fresh(after)).state == State.APPROVED, "nothing is cancelled by itself"


async def test_a_loan_approved_while_the_tool_is_late_is_told_at_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    late = await elm.out(elm.ben, 0)
    now = late.end + HOUR
    loan = await elm.asked_at(elm.cy, now + 2 * HOUR, now + 5 * HOUR, now)
    await commands.approve(tx, loan.id, elm.ada, now)
    assert (await heard(tx, elm.cy))[-1] == Kind.AT_RISK


async def test_what_happens_to_the_late_loan_shows_on_the_next_ones_screens(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm)
    for act in (handover.claim_return, handover.take_back):
        tx.info.pop("touched", None)
        by = elm.ben if act is handover.claim_return else elm.ada
        await act(tx, late.id, by, late.end)
        touched = tx.info["touched"]
        assert topic.loan(elm.here.id, after.id) in touched
        assert {topic.things(elm.cy.person_id), topic.waiting(elm.cy.person_id)} <= touched


async def seen_by_ben(elm: Elm, late: Loan, now: datetime) -> bool:
    """Whether the page of his loan says that somebody waits."""
    return await ripple.keeps_waiting(elm.tx, await elm.fresh(late), now)


async def test_who_is_late_sees_that_somebody_waits_for_as_long_as_they_do(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm)
    name = topic.loan(elm.here.id, late.id)
    assert not await seen_by_ben(elm, late, late.end - HOUR)
    assert await seen_by_ben(elm, late, late.end)
    for act, waits in (("change", True), ("cancel", False), ("undo", True)):
        tx.info.pop("touched", None)
        now = late.end + HOUR
        if act == "change":
            change = await changes.propose(tx, after.id, elm.cy, now, None, after.end + DAY)
            await changes.agree(tx, after.id, change.id, elm.ada, now)
        elif act == "cancel":
            await commands.cancel(tx, after.id, elm.cy, now)
        else:
            await undo.undo(tx, after.id, elm.cy, now)
        assert name in tx.info["touched"], f"{act} shows on ben's page"
        assert await seen_by_ben(elm, late, now) is waits
    await handover.claim_return(tx, late.id, elm.ben, late.end + 2 * HOUR)
    assert not await seen_by_ben(elm, late, late.end + 2 * HOUR), "he says that it is back"


async def test_time_alone_shows_that_somebody_begins_to_wait(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm, gap=4)
    before = after.start - ripple.BEFORE
    assert not await seen_by_ben(elm, late, before - HOUR)
    tx.info.pop("touched", None)
    await jobs.time_passed(tx, before - HOUR, before)
    assert topic.loan(elm.here.id, late.id) in tx.info["touched"]
    assert await seen_by_ben(elm, late, before)


async def test_the_list_of_rooms_says_what_the_rooms_say(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm)
    tx.info.pop("touched", None)
    await jobs.time_passed(tx, late.end - HOUR, late.end)
    for who, loan, said in (
        (elm.ben, late, "Overdue"),
        (elm.ada, late, "Overdue"),
        (elm.cy, after, "At risk"),
        (elm.ada, after, "At risk"),
    ):
        assert topic.rooms(who.person_id) in tx.info["touched"]
        listed = await rooms_of(elm, who, late.end)
        assert listed[loan.id].startswith(said)
    tx.info.pop("touched", None)
    await handover.take_back(tx, late.id, elm.ada, late.end + HOUR)
    assert topic.rooms(elm.cy.person_id) in tx.info["touched"]
    assert (await rooms_of(elm, elm.cy, late.end + HOUR))[after.id] == "Approved"


async def rooms_of(elm: Elm, who: Viewer, now: datetime) -> dict[int, str]:
    """loan → its state, in somebody's list of rooms."""
    shown: Any = await mine.rooms(elm.tx, who, now)
    return {room["id"]: room["state_words"] for room in shown["rooms"]}


async def test_cy_waits_and_the_lender_knows(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm)
    with pytest.raises(Conflict, match="not late any more"):
        await patience.wait(tx, after.id, elm.cy, NOW)
    await patience.wait(tx, after.id, elm.cy, late.end)
    assert (await heard(tx, elm.ada))[-1] == Kind.WILL_WAIT
    with pytest.raises(Conflict, match="knows that you wait"):
        await patience.wait(tx, after.id, elm.cy, late.end)
    with pytest.raises(Refusal, match="Only the borrower"):
        await patience.wait(tx, after.id, elm.ada, late.end)
    with pytest.raises(Conflict, match="still out"):
        await handover.hand_over(tx, after.id, elm.ada, late.end)
    await handover.take_back(tx, late.id, elm.ada, late.end + HOUR)
    out = await handover.hand_over(tx, after.id, elm.ada, late.end + HOUR)
    assert out.state == State.OUT


async def test_cy_lets_go_without_a_reason_of_their_own(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm)
    (_, let_go) = ripple.choices(await elm.fresh(after), elm.cy, late.end)
    assert let_go.fields["reason"] == ripple.LETS_GO
    await commands.cancel(tx, after.id, elm.cy, late.end, ripple.LETS_GO)
    assert (await heard(tx, elm.ada))[-1] == Kind.CANCELLED


async def test_an_agreed_extension_takes_the_risk_away(tx: Tx) -> None:
    elm = await elm_street(tx)
    late, after = await back_to_back(elm, gap=1)
    now = after.start - 23 * HOUR
    assert await risky(elm, after, now)
    change = await changes.propose(tx, late.id, elm.ben, now, None, after.start)
    await changes.agree(tx, late.id, change.id, elm.ada, now)
    assert not await risky(elm, after, now)


async def listed(elm: Elm, name: str, by: object = None, category: str = "drills") -> int:
    who = by or elm.cora
    tool = await tools.list_tool(elm.tx, ToolText(name=name, category=category), who, NOW)  # type: ignore[arg-type]
    return tool.id


async def test_similar_tools_are_free_in_the_dates_and_the_nearest_name_comes_first(
    tx: Tx,
) -> None:
    elm = await elm_street(tx)
    await listed(elm, "Auger")
    near = await listed(elm, "Hammer drill")
    taken = await listed(elm, "Drill press")
    await listed(elm, "Drill of my own", elm.cy)
    await listed(elm, "Ladder", category="ladders")
    late, after = await back_to_back(elm)
    other = await commands.request(tx, taken, *elm.days(1), elm.ben, NOW)
    await commands.approve(tx, other.id, elm.cora, NOW)
    loan, me = await elm.fresh(after), elm.cy.person_id
    names = [one.name for one in await similar.free_like(tx, loan, me, (), late.end)]
    assert names == ["Hammer drill", "Auger"]
    blocked = await similar.free_like(tx, loan, me, (elm.cora.person_id,), late.end)
    assert [one for one in blocked if one.id == near] == []


async def test_nobody_came_from_two_hours_after_the_first_day_and_frees_the_rest(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1, 3)
    at = loan.start + timedelta(days=1) + rules.NO_SHOW_AFTER
    with pytest.raises(Refusal, match="too early"):
        await handover.no_show(tx, loan.id, elm.ada, at - timedelta(seconds=1))
    await handover.no_show(tx, loan.id, elm.ada, at)
    assert (await elm.promised(elm.cy, 2)).state == State.APPROVED


async def test_both_are_asked_before_a_loan_lapses(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    await clockwork.remind(tx, elm.here.id, loan.id, loan.end)
    for who in (elm.ada, elm.ben):
        assert (await heard(tx, who))[-1] == Kind.WAS_IT_FETCHED
    lapses = loan.end + rules.LAPSE_AFTER
    await clockwork.lapse(tx, elm.here.id, loan.id, lapses - timedelta(seconds=1))
    assert (await elm.fresh(loan)).state == State.APPROVED
    await clockwork.lapse(tx, elm.here.id, loan.id, lapses)
    assert (await elm.fresh(loan)).state == State.LAPSED


async def test_a_loan_does_not_lapse_once_its_borrower_says_i_have_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    with pytest.raises(Refusal, match="too early"):
        await patience.fetched(tx, loan.id, elm.ben, loan.start)
    await patience.fetched(tx, loan.id, elm.ben, loan.end)
    assert (await heard(tx, elm.ada))[-1] == Kind.FETCH_SAID
    await clockwork.lapse(tx, elm.here.id, loan.id, loan.end + rules.LAPSE_AFTER)
    assert (await elm.fresh(loan)).state == State.APPROVED
    stuck = loan.end + rules.NOT_HERE_WITHIN
    await clockwork.remind(tx, elm.here.id, loan.id, stuck)
    assert await heard(tx, elm.cora) == [Kind.STUCK]
    await handover.hand_over(tx, loan.id, elm.ada, stuck)
    assert (await elm.fresh(loan)).state == State.OUT
