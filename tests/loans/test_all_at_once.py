"""Approve, extend, hold, offer, scan and job, sixty at once on one tool: what must hold, holds."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from datetime import datetime

import httpx
import pytest
from sqlalchemy import select

from app import clock, db, jobs
from app.loans.models import Loan, LoanEvent
from app.loans.proposal import LoanChange
from app.tools.models import Occupancy, OccupancyKind
from tests.loans import lending
from tests.loans.test_at_once import code_on
from tests.neighbours import Neighbour, Street, browser, said

EACH = 10
TAKEN = (200, 303)
REFUSED = (403, 404, 409, 422, 503)  # 503: it waited too long for the tool, and changed nothing


async def the_change(loan: int) -> int:
    async with db.snapshot() as tx:
        found = await tx.scalar(select(LoanChange.id).where(LoanChange.loan_id == loan))
    assert found is not None
    return found


async def runs(name: str, key: str) -> None:
    """As a worker runs it, whatever else happens to the tool."""
    async with db.begin() as tx:
        await jobs.COMMANDS[name](tx, key, clock.now())


async def holds_still(tool: int, now: datetime) -> Counter[str]:
    """What lending promises, read in one snapshot; answers the kinds of what blocks the tool."""
    async with db.snapshot() as tx:
        loans = list(await tx.scalars(select(Loan).where(Loan.tool_id == tool).order_by(Loan.id)))
        rows = list(await tx.scalars(select(Occupancy).where(Occupancy.tool_id == tool)))
        ids = [loan.id for loan in loans]
        told = select(LoanEvent).where(LoanEvent.loan_id.in_(ids)).order_by(LoanEvent.id)
        events = list(await tx.scalars(told))
    lending.one_possession(loans)
    lending.no_overlap(rows)
    lending.stories_follow_the_table(loans, events)
    lending.occupancy_is_what_loans_imply(loans, rows, now)
    return Counter(row.kind for row in rows)


@pytest.mark.parametrize("turn", range(2))
async def test_whatever_happens_to_one_tool_at_once(street: Street, turn: int) -> None:
    """Ben's loan goes out by a scan, and is made longer into days that Cora's cancelled loan frees,
    that Cy waits for and is offered, and that others choose; two ask for the same days after.
    """
    ada, ben, cy, cora = street.ada, street.ben, street.cy, street.cora
    home, here = street.here.path, street.here.id
    tool = await ada.lists("Cordless drill", longest_days=7)
    first = await ben.asks_for(tool, street.today, street.day(1))
    await ada.acts(first, "approval")
    digits = await code_on(ada, first)
    await ben.does(f"{home}/loans/{first}/changes", start=street.today, end=street.day(2))
    longer = await the_change(first)
    freed = await cora.asks_for(tool, street.day(2), street.day(3))
    await ada.acts(freed, "approval")
    days = {"wait_start": street.day(2), "wait_end": street.day(3)}
    await cy.does(f"{home}/tools/{tool}/waitlist", **days)
    wanted = [await who.asks_for(tool, street.day(5), street.day(6)) for who in (ben, cora)]

    def form(of: Neighbour, path: str, **fields: object) -> tuple[Neighbour, str, dict[str, str]]:
        return of, f"{home}/{path}", {name: str(value) for name, value in fields.items()}

    kinds = [
        [form(ada, f"loans/{each}/approval", version=1) for each in wanted],
        [
            form(ada, f"loans/{freed}/cancellation", reason="It rains."),
            form(ada, f"loans/{first}/changes/{longer}/acceptance"),
        ],
        [
            form(who, f"tools/{tool}/hold", start=street.day(day), end=street.day(day))
            for who, day in ((cora, 2), (cy, 5), (cora, 6))
        ],
        [
            form(cy, f"tools/{tool}/waitlist/offer/acceptance"),
            form(cy, f"tools/{tool}/waitlist/offer/refusal"),
        ],
        [form(ben, f"loans/{first}/code/use", digits=digits)],
    ]
    due = [("waitlist.offer", f"{here}/{tool}/now"), ("loans.remind", f"{here}/{first}")]
    turns = itertools.cycle([itertools.cycle(kind) for kind in kinds])
    tries = [next(next(turns)) for _ in range(EACH * len(kinds))]
    tries = tries[turn:] + tries[:turn]
    async with browser(street.workers[0]) as one, browser(street.workers[1]) as other:

        async def post(n: int, who: Neighbour, path: str, fields: dict[str, str]) -> httpx.Response:
            client = (one, other)[n % 2]
            request = client.build_request("POST", path, data=fields)
            cookies = "; ".join(f"{name}={value}" for name, value in who.client.cookies.items())
            request.headers["Cookie"] = cookies
            return await client.send(request)

        async with asyncio.timeout(60):
            answers, _ = await asyncio.gather(
                asyncio.gather(*(post(n, *each) for n, each in enumerate(tries))),
                asyncio.gather(*(runs(*due[n % 2]) for n in range(EACH))),
            )
    told = Counter(answer.status_code for answer in answers)
    odd = [said(one.text) for one in answers if one.status_code not in (*TAKEN, *REFUSED)]
    assert not odd, (told, odd)
    kinds_now = await holds_still(tool, clock.now())
    assert kinds_now[OccupancyKind.LOAN] >= 1
    assert any(told[code] for code in TAKEN), told
    assert await holds_still(tool, clock.now()) == kinds_now
