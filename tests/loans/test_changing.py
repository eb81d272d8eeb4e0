"""Other dates on pages: a form filled in with what is agreed on, a card for both, live."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from app import clock, db, topic
from app.loans import commands
from app.loans.models import Loan
from app.loans.proposal import ChangeState, LoanChange
from app.loans.states import State
from app.people.models import Community
from app.tools.models import Occupancy
from tests.clocks import Clock
from tests.neighbours import Neighbour, Street, browser, said
from tests.people.living import member


async def lent(street: Street, first: int = 0, last: int = 1, *, out: bool = True) -> int:
    """Ben has ada's drill, or is to have it."""
    drill = await street.ada.lists("Cordless drill", price="2.50")
    loan = await street.ben.asks_for(drill, street.day(first), street.day(last))
    await street.ada.acts(loan, "approval")
    if out:
        await street.ada.acts(loan, "handover")
    return loan


async def found(street: Street, loan_id: int) -> Loan:
    async with db.snapshot() as tx:
        return await tx.get_one(Loan, (street.here.id, loan_id))


async def change_of(loan_id: int) -> LoanChange:
    """The last proposal."""
    async with db.snapshot() as tx:
        rows = await tx.scalars(
            select(LoanChange).where(LoanChange.loan_id == loan_id).order_by(LoanChange.id.desc())
        )
        return rows.first() or pytest.fail("nothing was proposed")


async def proposes(who: Neighbour, loan_id: int, **form: object) -> str:
    return await who.does(f"{who.home}/loans/{loan_id}/changes", **form)


async def answers(who: Neighbour, loan_id: int, noun: str) -> httpx.Response:
    change = await change_of(loan_id)
    return await who.posts(f"{who.home}/loans/{loan_id}/changes/{change.id}/{noun}")


async def test_both_see_the_proposal_and_the_answer_without_reloading(street: Street) -> None:
    loan = await lent(street)
    name = topic.loan(street.here.id, loan)
    async with street.ada.watches(name) as hers, street.ben.watches(name) as his:
        await proposes(street.ben, loan, end=street.day(2), note="It rained all day.")
        html = await hers.shows(name, "would like to have it longer")
        assert "Agree" in html
        assert "It rained all day." in html
        assert "instead of" in html, "who agrees sees the difference"
        assert "Withdraw it" in await his.shows(name, "You would like to have it longer")
        assert (await answers(street.ada, loan, "acceptance")).status_code == 303
        for screen in (hers, his):
            await screen.until(lambda s=screen: "proposed-" not in (s.html.get(name) or ""))
    assert (await found(street, loan)).end == clock.day_start(street.day(3), street.here.zone)
    assert "agreed to other dates" in await street.ben.opens(f"{street.ben.home}/loans/{loan}")


async def test_the_form_is_filled_in_with_what_is_agreed_on(street: Street) -> None:
    loan = await lent(street, 2, 3, out=False)
    page = await street.ben.opens(f"{street.ben.home}/loans/{loan}/changes")
    for field, day in (("start", street.day(2)), ("end", street.day(3))):
        assert re.search(rf'name="{field}" type="date" value="{day}"', page)
    assert 'name="start_time" type="time" value=""' in page


async def test_a_refusal_keeps_what_was_typed_and_says_what_is_possible(street: Street) -> None:
    loan = await lent(street)
    async with db.snapshot() as tx:
        tool = (await tx.get_one(Loan, (street.here.id, loan))).tool_id
    next_loan = await street.cy.asks_for(tool, street.day(3), street.day(4))
    await street.ada.acts(next_loan, "approval")
    path = f"{street.ben.home}/loans/{loan}/changes"
    answer = await street.ben.posts(path, end=street.day(3), note="One more coat.")
    assert answer.status_code == 409
    assert "The next loan begins" in answer.text
    assert "Possible instead" in answer.text
    assert "One more coat." in answer.text
    assert f'value="{street.day(3)}"' in answer.text
    assert "Cy" not in answer.text
    empty = await street.ben.posts(path, end="", note="One more coat.")
    assert empty.status_code == 422
    assert "One more coat." in empty.text


async def test_a_quick_choice_that_the_next_loan_prevents_is_greyed_with_the_reason(
    street: Street,
) -> None:
    loan = await lent(street)
    async with db.snapshot() as tx:
        tool = (await tx.get_one(Loan, (street.here.id, loan))).tool_id
    page = await street.ben.opens(f"{street.ben.home}/loans/{loan}/changes")
    assert '<button class="quiet">One day longer</button>' in page
    await street.ada.acts(await street.cy.asks_for(tool, street.day(2)), "approval")
    page = await street.ben.opens(f"{street.ben.home}/loans/{loan}/changes")
    assert 'aria-disabled="true"' in page
    assert "Free instead" in page


async def test_minutes_that_were_not_touched_stay_as_they_were(street: Street) -> None:
    """What begins in the middle of a minute is shown to the minute, and not moved by that."""
    drill = await street.ada.lists("Cordless drill")
    day = street.day(1)
    there = f"{street.ben.home}/tools/{drill}/loans"
    ask = {"start": day, "end": day, "start_time": "09:00:30", "end_time": "12:00"}
    loan = int((await street.ben.does(there, **ask)).rsplit("/", 1)[1])
    await street.ada.acts(loan, "approval")
    before = await found(street, loan)
    form = {"start": day, "start_time": "09:00", "end": day, "end_time": "13:00"}
    await proposes(street.ben, loan, **form)
    assert (await change_of(loan)).start == before.start
    assert (await change_of(loan)).kind == "extend"


async def test_a_stranger_and_a_third_member_find_no_form(street: Street) -> None:
    loan = await lent(street)
    await proposes(street.ben, loan, end=street.day(2))
    for third in (street.cy, street.cora):
        path = f"{third.home}/loans/{loan}/changes"
        assert (await third.client.get(path)).status_code == 404
        assert (await third.posts(path, end=street.day(3))).status_code == 404
    assert (await answers(street.cy, loan, "acceptance")).status_code == 404
    assert (await change_of(loan)).state == ChangeState.OPEN


async def test_a_double_tap_is_one_proposal_and_one_agreement(street: Street) -> None:
    loan = await lent(street)
    form = {"end": street.day(2), "idempotency_key": "one-tap"}
    path = f"{street.ben.home}/loans/{loan}/changes"
    taps = await asyncio.gather(*(street.ben.posts(path, **form) for _ in range(4)))
    assert {tap.status_code for tap in taps} == {303}
    change = await change_of(loan)
    yes = f"{street.ada.home}/loans/{loan}/changes/{change.id}/acceptance"
    taps = await asyncio.gather(*(street.ada.posts(yes, idempotency_key="yes") for _ in range(4)))
    assert {tap.status_code for tap in taps} == {303}


@pytest.mark.parametrize("times", range(3))
async def test_agree_against_withdraw_has_one_outcome(street: Street, times: int) -> None:
    loan = await lent(street)
    await proposes(street.ben, loan, end=street.day(2))
    yes, no = await asyncio.gather(
        answers(street.ada, loan, "acceptance"), answers(street.ben, loan, "withdrawal")
    )
    assert sorted([yes.status_code, no.status_code]) == [303, 409]
    won = ChangeState.AGREED if yes.status_code == 303 else ChangeState.WITHDRAWN
    assert (await change_of(loan)).state == won
    last = 3 if won is ChangeState.AGREED else 2
    assert (await found(street, loan)).end == clock.day_start(street.day(last), street.here.zone)


async def test_agree_against_refuse_and_take_back_has_one_outcome(street: Street) -> None:
    loan = await lent(street)
    await proposes(street.ben, loan, end=street.day(2))
    yes, no, back = await asyncio.gather(
        answers(street.ada, loan, "acceptance"),
        answers(street.ada, loan, "refusal"),
        street.ada.posts(f"{street.ada.home}/loans/{loan}/return"),
    )
    assert back.status_code == 303, "what is back is back"
    assert [yes.status_code, no.status_code].count(303) <= 1
    assert (await change_of(loan)).state != ChangeState.OPEN
    assert (await found(street, loan)).state == State.RETURNED


async def test_fifty_at_once_leave_one_winner_for_the_day_after(street: Street) -> None:
    """Ben's loan would grow into a day that many others ask for: one of them all gets it."""
    loan = await lent(street)
    tool = (await found(street, loan)).tool_id
    await proposes(street.ben, loan, end=street.day(2))
    change = await change_of(loan)
    wishes = []
    async with db.begin() as tx:
        place = await tx.get_one(Community, street.here.id)
        for n in range(24):
            who = await member(tx, place, f"Neighbour {n}")
            period = clock.days(street.day(2), street.day(2 + n % 3), street.here.zone)
            wishes.append((await commands.request(tx, tool, *period, who, clock.now())).id)
    home = f"{street.ada.home}/loans"
    paths = [f"{home}/{wish}/approval" for wish in wishes]
    for n in range(0, 50, 2):
        paths.insert(n, f"{home}/{loan}/changes/{change.id}/acceptance")
    async with browser(street.workers[1], street.ada.cookie) as elsewhere:
        clients = (street.ada.client, elsewhere)
        posts = [clients[n % 2].post(path, data={}) for n, path in enumerate(paths)]
        got = await asyncio.gather(*posts)
    assert Counter(answer.status_code for answer in got) == {303: 1, 409: len(paths) - 1}
    for answer in got:
        assert answer.status_code == 303 or said(answer.text)
    day = clock.days(street.day(2), street.day(2), street.here.zone)
    async with db.snapshot() as tx:
        rows = await tx.scalars(select(Occupancy).where(Occupancy.tool_id == tool))
        blocking = [one for one in rows if one.period.upper and one.period.upper > day[0]]
    assert len(blocking) == 1


async def test_an_unanswered_proposal_ends_when_its_time_comes_and_the_card_goes(
    street: Street, the_clock: Clock
) -> None:
    loan = await lent(street, 3, 4, out=False)
    await proposes(street.ben, loan, start=street.day(2), end=street.day(4))
    name = topic.loan(street.here.id, loan)
    async with street.ada.watches(name) as screen:
        await screen.shows(name, "would like to fetch it earlier")
        the_clock.move_to(clock.day_start(street.day(2), street.here.zone) + timedelta(seconds=1))
        await screen.until(lambda: "proposed-" not in (screen.html.get(name) or ""))
    assert (await change_of(loan)).state == ChangeState.ENDED
