"""Fifty at once, on two workers: one winner, clear refusals for the rest, never two."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest
from sqlalchemy import func, select

from app import clock, db
from app.http.models import IdempotencyKey
from app.loans import commands
from app.loans.models import Loan
from app.loans.states import State
from app.people.models import Community
from app.tools.models import Occupancy
from tests.neighbours import Neighbour, Street, browser, said
from tests.people.living import member

MANY = 50


async def states_of(tool_id: int) -> Counter[str]:
    async with db.snapshot() as tx:
        return Counter(await tx.scalars(select(Loan.state).where(Loan.tool_id == tool_id)))


async def occupied(tool_id: int) -> int:
    async with db.snapshot() as tx:
        found = await tx.scalar(
            select(func.count()).select_from(Occupancy).where(Occupancy.tool_id == tool_id)
        )
    return found or 0


async def asked_often(street: Street, tool_id: int) -> list[int]:
    """Fifty overlapping requests, each by another member, for days that hold the one after next."""
    loans = []
    async with db.begin() as tx:
        now = clock.now()
        place = await tx.get_one(Community, street.here.id)
        for n in range(MANY):
            who = await member(tx, place, f"Neighbour {n}")
            period = clock.days(street.day(2 - n % 3), street.day(2 + n % 4), street.here.zone)
            loans.append((await commands.request(tx, tool_id, *period, who, now)).id)
    return loans


async def at_both(
    who: Neighbour, street: Street, paths: list[str]
) -> list[tuple[str, httpx.Response]]:
    """Posts to all paths at once, every other one at the other worker; answers (worker, answer)."""
    async with (
        browser(street.workers[0], who.cookie) as a,
        browser(street.workers[1], who.cookie) as b,
    ):
        clients = [(a, "first"), (b, "second")]
        posts = [clients[n % 2][0].post(path, data={}) for n, path in enumerate(paths)]
        answers = await asyncio.gather(*posts)
    return [(clients[n % 2][1], answer) for n, answer in enumerate(answers)]


async def test_fifty_approvals_of_overlapping_requests_leave_one_winner(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loans = await asked_often(street, drill)
    paths = [f"{street.ada.home}/loans/{loan}/approval" for loan in loans]
    answers = await at_both(street.ada, street, paths)
    assert {worker for worker, _ in answers} == {"first", "second"}, "both workers answered"
    codes = Counter(answer.status_code for _, answer in answers)
    assert codes == {303: 1, 409: MANY - 1}
    for _, answer in answers:
        if answer.status_code == 409:
            assert "Somebody else got these dates." in said(answer.text)
    assert await states_of(drill) == {State.APPROVED: 1, State.SUPERSEDED: MANY - 1}
    assert await occupied(drill) == 1


@pytest.mark.parametrize("times", range(5))
async def test_approve_against_cancel_has_one_outcome(street: Street, times: int) -> None:
    """Ada approves what ben withdraws at the same moment."""
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(1))
    path = f"{street.ada.home}/loans/{loan}"
    yes, no = await asyncio.gather(
        street.ada.posts(f"{path}/approval"), street.ben.posts(f"{path}/withdrawal")
    )
    assert sorted([yes.status_code, no.status_code]) == [303, 409]
    won = State.APPROVED if yes.status_code == 303 else State.WITHDRAWN
    assert await states_of(drill) == {won: 1}
    assert await occupied(drill) == (1 if won is State.APPROVED else 0)


async def test_cancel_against_hand_over_has_one_outcome(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today, street.day(1))
    await street.ada.acts(loan, "approval")
    path = f"{street.ada.home}/loans/{loan}"
    out, off = await asyncio.gather(
        street.ada.posts(f"{path}/handover"), street.ben.posts(f"{path}/cancellation")
    )
    assert sorted([out.status_code, off.status_code]) == [303, 409]
    won = State.OUT if out.status_code == 303 else State.CANCELLED
    assert await states_of(drill) == {won: 1}
    assert await occupied(drill) == (1 if won is State.OUT else 0)


async def test_a_request_submitted_twice_with_one_key_is_one_request(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    form = {"start": street.day(1), "end": street.day(2), "idempotency_key": "one-tap"}
    path = f"{street.ben.home}/tools/{drill}/loans"
    data = {name: str(value) for name, value in form.items()}
    async with browser(street.workers[0], street.ben.cookie) as elsewhere:
        answers = await asyncio.gather(
            *(client.post(path, data=data) for client in (street.ben.client, elsewhere) * 10)
        )
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await states_of(drill) == {State.REQUESTED: 1}
    async with db.snapshot() as tx:
        kept = await tx.scalar(
            select(func.count())
            .select_from(IdempotencyKey)
            .where(IdempotencyKey.person_id == street.ben.id, IdempotencyKey.key == "one-tap")
        )
    assert kept == 1


async def test_the_same_key_with_other_dates_is_refused(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    path = f"{street.ben.home}/tools/{drill}/loans"
    await street.ben.does(path, start=street.day(1), end=street.day(1), idempotency_key="k")
    again = await street.ben.posts(
        path, start=street.day(5), end=street.day(5), idempotency_key="k"
    )
    assert again.status_code == 422
    assert await states_of(drill) == {State.REQUESTED: 1}


async def test_approving_twice_with_one_key_is_one_approval(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(1))
    path = f"{street.ada.home}/loans/{loan}/approval"
    answers = await asyncio.gather(
        *(street.ada.posts(path, idempotency_key="yes", version=1) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {303}
    assert await states_of(drill) == {State.APPROVED: 1}


async def test_many_retries_of_one_message_are_one_message(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(1))
    client_id = "7d3b6a1e-2f0f-4f5e-9d34-0c5bb7a6a001"
    path = f"{street.ben.home}/loans/{loan}/messages"
    answers = await asyncio.gather(
        *(street.ben.posts(path, body="Hello Ada", client_id=client_id) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {303}
    page = await street.ada.opens(f"{street.ada.home}/loans/{loan}")
    assert page.count('<p class="body" dir="auto">Hello Ada</p>') == 1


async def open_requests(tool_id: int) -> int:
    return (await states_of(tool_id))[State.REQUESTED]


@pytest.mark.parametrize("times", range(5))
async def test_block_against_approve_has_one_outcome(street: Street, times: int) -> None:
    """Ada blocks ben at one worker while the coordinator approves what he asked at the other."""
    ada, ben, cora = street.ada, street.ben, street.cora
    drill = await ada.lists("Cordless drill")
    loan = await ben.asks_for(drill, street.day(1))
    async with browser(street.workers[1], cora.cookie) as elsewhere:
        blocked, approved = await asyncio.gather(
            ada.posts(f"{ada.home}/people/{ben.id}/block"),
            elsewhere.post(f"{ada.home}/loans/{loan}/approval"),
        )
    assert blocked.status_code == 303, "a block is never refused"
    won = State.APPROVED if approved.status_code == 303 else State.DECLINED
    assert approved.status_code in (303, 409)
    assert await states_of(drill) == {won: 1}
    assert await occupied(drill) == (1 if won is State.APPROVED else 0)


@pytest.mark.parametrize("times", range(5))
async def test_block_against_request_leaves_no_request_open(street: Street, times: int) -> None:
    """Ben asks ten times over while ada blocks him, and she asks him, too."""
    ada, ben = street.ada, street.ben
    drill, saw = await ada.lists("Cordless drill"), await ben.lists("Hand saw", "saws")
    asks = [
        ben.posts(f"{ada.home}/tools/{drill}/loans", start=street.day(n), end=street.day(n))
        for n in range(1, 6)
    ]
    asks += [
        ada.posts(f"{ada.home}/tools/{saw}/loans", start=street.day(n), end=street.day(n))
        for n in range(1, 6)
    ]
    block = ada.posts(f"{ada.home}/people/{ben.id}/block")
    blocked, *asked = await asyncio.gather(block, *asks)
    assert blocked.status_code == 303
    assert {answer.status_code for answer in asked} <= {303, 409}
    assert await open_requests(drill) == 0
    assert await open_requests(saw) == 0


async def test_many_blocks_at_once_never_wait_for_each_other_in_a_ring(street: Street) -> None:
    """Everybody blocks and asks everybody, while the coordinator suspends one and restores them."""
    people = (street.ada, street.ben, street.cy)
    tools = {who.id: await who.lists(f"Drill of {who.name}") for who in people}
    acts = []
    for n in range(4):
        for who in people:
            for other in people:
                if who is not other:
                    day = street.day(1 + n)
                    noun = f"{who.home}/people/{other.id}/block"
                    acts.append(who.posts(noun if n % 2 else f"/profile/blocks/{other.id}/end"))
                    acts.append(
                        who.posts(f"{who.home}/tools/{tools[other.id]}/loans", start=day, end=day)
                    )
        member = f"{street.cora.home}/members/{street.ben.id}/suspension"
        acts += [street.cora.posts(member), street.cora.posts(f"{member}/end")]
    answers = await asyncio.gather(*acts)
    assert {answer.status_code for answer in answers} <= {303, 403, 409, 429}
    for who in people:
        for other in people:
            if who is not other:
                await who.posts(f"{who.home}/people/{other.id}/block")
    assert sum([await open_requests(tool) for tool in tools.values()]) == 0


FRAGMENT = {"HX-Request": "true"}  # as the page's script asks


async def test_fifty_choices_of_one_day_leave_one_who_holds_it(street: Street) -> None:
    """Ben and cy choose the same day, each at one of the workers."""
    drill = await street.ada.lists("Cordless drill")
    form = {"start": f"{street.day(3)}", "end": f"{street.day(3)}"}
    path = f"{street.here.path}/tools/{drill}/hold"
    people = (street.ben, street.cy)
    answers = await asyncio.gather(
        *(people[n % 2].client.post(path, data=form, headers=FRAGMENT) for n in range(MANY))
    )
    assert {answer.status_code for answer in answers} == {200}
    held = ["Held for you" in answer.text for answer in answers]
    (winner,) = {n % 2 for n in range(MANY) if held[n]}
    assert all(held[winner::2]), "whoever holds it can choose it again"
    lost = {("Someone is choosing these dates" in one.text) for one in answers[1 - winner :: 2]}
    assert lost == {True}
    assert await occupied(drill) == 1


async def test_fifty_choices_and_requests_at_once_promise_a_day_once(street: Street) -> None:
    """The tool says yes by itself to both of them; whoever comes second only asks."""
    ada, day = street.ada, street.day(3)
    drill = await ada.lists("Cordless drill", longest_days=7, auto_approve=1)
    people = (street.ben, street.cy)
    for who in people:
        await ada.does(f"{ada.home}/people/{who.id}/trust")
    form = {"start": f"{day}", "end": f"{day}"}
    path = f"{street.here.path}/tools/{drill}"
    answers = await asyncio.gather(
        *(
            people[n % 2].client.post(
                f"{path}/{('hold', 'loans')[n // 2 % 2]}", data=form, headers=FRAGMENT
            )
            for n in range(MANY)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 303, 409}
    states = await states_of(drill)
    assert states[State.APPROVED] <= 1
    assert set(states) <= {State.APPROVED, State.REQUESTED}
    async with db.snapshot() as tx:
        rows = (await tx.scalars(select(Occupancy.kind).where(Occupancy.tool_id == drill))).all()
    assert list(rows) == ["loan"] if states[State.APPROVED] else len(rows) <= 1
