"""Approve, extend, cancel, hold, offer, scan and job at once on one tool: what must hold, holds."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest
from sqlalchemy import select

from app import clock, db, jobs
from app.loans.models import Loan, LoanEvent
from app.loans.proposal import ChangeState, LoanChange
from app.tools.models import Occupancy, OccupancyKind
from tests.loans import lending
from tests.loans.test_at_once import acts_of, code_on
from tests.neighbours import Neighbour, Street, browser, said

EACH = 10
TAKEN, REFUSED, ASK_AGAIN = (200, 303), (409,), 503


@dataclass(frozen=True)
class Try:
    """A button that somebody presses, and what may be answered besides `TAKEN` and `REFUSED`."""

    name: str
    who: Neighbour
    path: str
    form: dict[str, str]
    also: tuple[int, ...] = ()


async def the_change(loan: int) -> LoanChange:
    async with db.snapshot() as tx:
        return (await tx.scalars(select(LoanChange).where(LoanChange.loan_id == loan))).one()


async def runs(name: str, key: str, at: datetime) -> None:
    """As a worker runs it, whatever else happens to the tool."""
    async with db.begin() as tx:
        await jobs.COMMANDS[name](tx, key, at)


async def loans_of(tool: int) -> dict[int, Loan]:
    async with db.snapshot() as tx:
        return {one.id: one for one in await tx.scalars(select(Loan).where(Loan.tool_id == tool))}


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
    that Cy waits for and is offered, and that others choose; two ask for the same days after; and
    a request runs out, is withdrawn and is approved.
    """
    ada, ben, cy, cora = street.ada, street.ben, street.cy, street.cora
    home, here = street.here.path, street.here.id
    tool = await ada.lists("Cordless drill", longest_days=7)
    first = await ben.asks_for(tool, street.today, street.day(1))
    await ada.acts(first, "approval")
    digits = await code_on(ada, first)
    await ben.does(f"{home}/loans/{first}/changes", start=street.today, end=street.day(2))
    longer = (await the_change(first)).id
    freed = await cora.asks_for(tool, street.day(2), street.day(3))
    await ada.acts(freed, "approval")
    days = {"wait_start": street.day(2), "wait_end": street.day(3)}
    await cy.does(f"{home}/tools/{tool}/waitlist", **days)
    wanted = [await who.asks_for(tool, street.day(5), street.day(6)) for who in (ben, cora)]
    late = await ben.asks_for(tool, street.day(9))
    runs_out = (await loans_of(tool))[late].expires_at

    def a_try(
        name: str, who: Neighbour, path: str, also: tuple[int, ...] = (), **form: object
    ) -> Try:
        return Try(name, who, f"{home}/{path}", {k: str(v) for k, v in form.items()}, also)

    kinds = [
        [a_try("approve", ada, f"loans/{each}/approval", version=1) for each in (*wanted, late)],
        [
            a_try("cancel", ada, f"loans/{freed}/cancellation", reason="It rains."),
            a_try("extend", ada, f"loans/{first}/changes/{longer}/acceptance"),
        ],
        # Dates of which somebody else was faster are refused where they were typed.
        [
            a_try("hold", who, f"tools/{tool}/hold", also=(422,), start=day, end=day)
            for who, day in ((cora, street.day(2)), (cy, street.day(5)), (cora, street.day(6)))
        ],
        [
            a_try("offer", cy, f"tools/{tool}/waitlist/offer/acceptance"),
            a_try("offer", cy, f"tools/{tool}/waitlist/offer/refusal"),
        ],
        [
            a_try("scan", ben, f"loans/{first}/code/use", digits=digits),
            a_try("withdraw", ben, f"loans/{late}/withdrawal"),
        ],
    ]
    due = [
        ("waitlist.offer", f"{here}/{tool}/now", clock.now()),
        ("loans.remind", f"{here}/{first}", clock.now()),
        ("loans.expire", f"{here}/{late}", runs_out),
    ]
    turns = itertools.cycle([itertools.cycle(kind) for kind in kinds])
    tries = [next(next(turns)) for _ in range(EACH * len(kinds))]
    tries = tries[turn:] + tries[:turn]
    async with browser(street.workers[0]) as one, browser(street.workers[1]) as other:

        async def post(n: int, each: Try) -> httpx.Response:
            client = (one, other)[n % 2]
            request = client.build_request("POST", each.path, data=each.form)
            cookies = "; ".join(f"{key}={value}" for key, value in each.who.client.cookies.items())
            request.headers["Cookie"] = cookies
            return await client.send(request)

        async with asyncio.timeout(60):
            answers, _ = await asyncio.gather(
                asyncio.gather(*(post(n, each) for n, each in enumerate(tries))),
                asyncio.gather(*(runs(*due[n % len(due)]) for n in range(EACH))),
            )
        # Who has waited too long for the tool hears that nothing was changed, and asks again.
        for n, each in enumerate(tries):
            if answers[n].status_code == ASK_AGAIN:
                answers[n] = await post(n, each)
    for each, answer in zip(tries, answers, strict=True):
        allowed = (*TAKEN, *REFUSED, *each.also)
        assert answer.status_code in allowed, (each.name, said(answer.text))
    kinds_now = await holds_still(tool, clock.now())
    loans = await loans_of(tool)
    assert loans[freed].state == "cancelled"
    assert (await acts_of(freed))["cancel"] == 1
    change = await the_change(first)
    agreed = change.state == ChangeState.AGREED
    assert loans[first].end == (change.end if agreed else change.was_span[1])
    acts = await acts_of(first)
    assert acts["change"] == agreed
    # Other dates make the code that was shown before them worthless.
    outcome = (loans[first].state, acts["fetch"])
    assert outcome == ("out", 1) or (agreed and outcome == ("approved", 0))
    assert Counter(loans[each].state for each in wanted) in (
        {"approved": 1, "superseded": 1},
        {"requested": 2},  # somebody was choosing these days
    )
    ended = await acts_of(late)
    assert sum(ended[act] for act in ("approve", "withdraw", "expire")) == 1, ended
    assert kinds_now[OccupancyKind.LOAN] == sum(
        one.state in ("approved", "out") for one in loans.values()
    )
