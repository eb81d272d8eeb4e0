"""Loans as JSON: asking for a tool, reading loans, and one POST for each act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app import clock, db
from app.http import idempotency
from app.http.schemas import CREATED, Key, Listed, LoanKey, ToolKey, cursor_after, problems
from app.loans import commands, handover, patience, queries
from app.loans.models import Loan
from app.loans.shapes import (
    ActAsked,
    LoanOut,
    LoansAsked,
    NewLoan,
    PlaceAsked,
    ReasonAsked,
    shapes,
)
from app.loans.states import Who
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Viewer

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["loans"])
SEEN_BY = Who.BORROWER | Who.LENDER | Who.COORDINATOR


@dataclass(frozen=True)
class Door:
    """Who comes in, for which loan, and with which key."""

    request: Request
    viewer: Viewer
    loan_id: int
    key: str | None


async def _door(
    request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, key: Key
) -> Door:
    return Door(request, viewer, loan_id, key)


By = Annotated[Door, Depends(_door)]
MAY_FAIL = problems(409, 422)


@api.post(
    "/tools/{tool_id}/loans",
    status_code=201,
    summary="Ask for a tool",
    responses=CREATED | MAY_FAIL,
)
async def ask(
    request: Request,
    response: Response,
    viewer: ApiMemberEvenSuspended,
    tool_id: ToolKey,
    new: NewLoan,
    key: Key,
) -> LoanOut:
    """A request blocks no dates until the lender approves it: at once, if the tool says so."""
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, new)
        if done is None:
            period = new.period(viewer.here.zone)
            loan = await commands.request(
                tx,
                tool_id,
                *period,
                viewer,
                clock.now(),
                new.message,
                accept_safety=new.accept_safety,
            )
            done = {"loan_id": loan.id}
            await idempotency.keep(tx, viewer.person_id, request, key, new, done)
        answer = await _answer(tx, viewer, done["loan_id"])
    response.headers["Location"] = f"/api/v1{viewer.here.path}/loans/{answer.id}"
    return answer


@api.get("/loans", summary="What you borrow and lend here", responses=problems(422))
async def loans(
    viewer: ApiMemberEvenSuspended, asked: Annotated[LoansAsked, Query()]
) -> Listed[LoanOut]:
    """The newest first."""
    async with db.snapshot() as tx:
        found = await queries.loans_of(
            tx,
            viewer,
            states=asked.state or None,
            tool_id=asked.tool,
            before=asked.cursor,
            limit=asked.limit + 1,
        )
        page = found[: asked.limit]
        return Listed(
            items=await shapes(tx, page, viewer),
            next=cursor_after(page[-1].id) if len(found) > len(page) else None,
        )


@api.get("/loans/{loan_id}", summary="One loan", responses=problems())
async def loan(viewer: ApiMemberEvenSuspended, loan_id: LoanKey) -> LoanOut:
    """For borrower and lender; coordinators read the facts, not what the two say."""
    async with db.snapshot() as tx:
        return await _answer(tx, viewer, loan_id)


def _post(noun: str, summary: str) -> Callable[[Any], Any]:
    return api.post(f"/loans/{{loan_id}}/{noun}", summary=summary, responses=MAY_FAIL)


@_post("approval", "Approve a request")
async def approve(by: By, body: ActAsked | None = None) -> LoanOut:
    """Other requests for these days are superseded."""
    return await _act(by, commands.approve, body)


@_post("refusal", "Decline a request")
async def decline(by: By, body: ReasonAsked | None = None) -> LoanOut:
    return await _act(by, commands.decline, body)


@_post("withdrawal", "Withdraw your request")
async def withdraw(by: By, body: ActAsked | None = None) -> LoanOut:
    return await _act(by, commands.withdraw, body)


@_post("cancellation", "Cancel before the hand-over")
async def cancel(by: By, body: ReasonAsked | None = None) -> LoanOut:
    """Whoever is not the borrower has to give a reason."""
    return await _act(by, commands.cancel, body)


@_post("handover", "The tool is handed over")
async def hand_over(by: By, body: ActAsked | None = None) -> LoanOut:
    return await _act(by, handover.hand_over, body)


@_post("return-claim", "You brought it back")
async def claim_return(by: By, body: PlaceAsked | None = None) -> LoanOut:
    return await _act(by, handover.claim_return, body)


@_post("return-claim/end", "It is not here")
async def not_here(by: By, body: ActAsked | None = None) -> LoanOut:
    return await _act(by, handover.not_here, body)


@_post("return", "It is back")
async def take_back(by: By, body: ActAsked | None = None) -> LoanOut:
    return await _act(by, handover.take_back, body)


@_post("no-show", "Nobody came")
async def no_show(by: By, body: ActAsked | None = None) -> LoanOut:
    return await _act(by, handover.no_show, body)


@_post("wait", "You wait for a tool that is late")
async def wait(by: By, body: ActAsked | None = None) -> LoanOut:
    """Only while the loan is at risk. To let it go, cancel it: nobody minds."""
    return await _act(by, patience.wait, body)


@_post("fetched", "It was handed over to you")
async def fetched(by: By, body: ActAsked | None = None) -> LoanOut:
    """After the end, when the lender has not said so: the lender is asked."""
    return await _act(by, patience.fetched, body)


async def _act(by: Door, command: Callable[..., Awaitable[Loan]], body: ActAsked | None) -> LoanOut:
    """One command, once per key; the answer is the loan as it is then."""
    viewer, more = by.viewer, body.model_dump(exclude_defaults=True) if body else {}
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, by.request, by.key, more)
        if done is None:
            await command(tx, by.loan_id, viewer, clock.now(), **more)
            done = {"loan_id": by.loan_id}
            await idempotency.keep(tx, viewer.person_id, by.request, by.key, more, done)
        return await _answer(tx, viewer, by.loan_id)


async def _answer(tx: db.Tx, viewer: Viewer, loan_id: Any) -> LoanOut:
    found = await queries.loan_for(tx, viewer, loan_id, who=SEEN_BY)
    (answer,) = await shapes(tx, [found], viewer)
    return answer
