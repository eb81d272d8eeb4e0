"""Scans, presses and lending at the door, fifty at once on two workers: one thing happens."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import httpx
from sqlalchemy import select

from app import db
from app.loans.models import Loan, LoanEvent
from tests.neighbours import Neighbour, Street, browser, said

HALF = 25


async def code_on(who: Neighbour, loan: int) -> str:
    """Shows a code and reads it from the own page."""
    await who.acts(loan, "code")
    page = await who.opens(f"{who.home}/loans/{loan}")
    found = re.search(r'class="code"[^>]*>(\d{4})<', page)
    assert found, "the code is on the page of whoever shows it"
    return found[1]


async def acts_of(loan: int) -> Counter[str]:
    async with db.snapshot() as tx:
        return Counter(await tx.scalars(select(LoanEvent.act).where(LoanEvent.loan_id == loan)))


async def posts(street: Street, tries: list[tuple[Neighbour, str, dict[str, str]]]) -> list[int]:
    """All at once, every other one at the other worker."""
    async with (
        browser(street.workers[0]) as first,
        browser(street.workers[1]) as second,
    ):

        async def post(n: int, who: Neighbour, path: str, form: dict[str, str]) -> httpx.Response:
            client = (first, second)[n % 2]
            request = client.build_request("POST", path, data=form)
            request.headers["Cookie"] = "; ".join(
                f"{name}={value}" for name, value in who.client.cookies.items()
            )
            return await client.send(request)

        answers = await asyncio.gather(*(post(n, *one) for n, one in enumerate(tries)))
    for answer in answers:
        assert answer.status_code in (303, 409), said(answer.text)
    return [answer.status_code for answer in answers]


async def test_fifty_scans_and_presses_are_one_hand_over(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today, street.day(1))
    await street.ada.acts(loan, "approval")
    digits = await code_on(street.ada, loan)
    path = f"{street.here.path}/loans/{loan}"
    scan = (street.ben, f"{path}/code/use", {"digits": digits, "version": "2"})
    button = (street.ada, f"{path}/handover", {"version": "2"})
    codes = await posts(street, [each for _ in range(HALF) for each in (scan, button)])
    assert Counter(codes)[303] == 1
    found = await acts_of(loan)
    assert found["hand_over"] + found["fetch"] == 1
    page = await street.ben.opens(path)
    assert "Out until" in page


async def test_of_many_guesses_at_once_only_five_are_looked_at(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    digits = await code_on(street.ada, loan)
    wrong = [f"{(int(digits) + n) % 10_000:04}" for n in range(1, HALF)]
    path = f"{street.here.path}/loans/{loan}/code/use"
    answers = await asyncio.gather(*(street.ben.posts(path, digits=one) for one in wrong))
    assert Counter(answer.status_code for answer in answers) == {422: 5, 409: len(wrong) - 5}
    assert (await street.ben.posts(path, digits=digits)).status_code == 409
    assert "fetch" not in await acts_of(loan)


async def test_fifty_lendings_at_the_door_and_approvals_are_one_loan(street: Street) -> None:
    """To ben, to cy and to a bare name, while ada approves what somebody has asked for today."""
    drill = await street.ada.lists("Cordless drill")
    asked = await street.cora.asks_for(drill, street.today)
    path = f"{street.here.path}/tools/{drill}/lending"
    to = ({"borrower": str(street.ben.id)}, {"borrower": str(street.cy.id)}, {"name": "Grete"})
    tries = [(street.ada, path, to[n % 3]) for n in range(2 * HALF - 5)]
    yes = (street.ada, f"{street.here.path}/loans/{asked}/approval", {"version": "1"})
    codes = await posts(street, [*tries[:HALF], *[yes] * 5, *tries[HALF:]])
    assert Counter(codes)[303] == 1
    async with db.snapshot() as tx:
        rows = await tx.scalars(select(Loan.state).where(Loan.tool_id == drill))
        states = Counter(rows)
    assert states["out"] + states["approved"] == 1
