"""Putting right what went wrong, as JSON: undo, incidents, mediators, sums, and *correct*."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from app import clock, db
from app.db import Tx
from app.http.schemas import Listed, LoanKey, Paged, cursor_after, problems
from app.loans import amounts, cases, correct, handover, incidents, mediation, undo, unsafe
from app.loans.case_door import By, case_after, do, loan_after, told
from app.loans.case_shapes import (
    CaseOut,
    LeftThere,
    MediatorAsked,
    NewAmount,
    NewEvidence,
    NewIncident,
    TermsAsked,
    TruthAsked,
    WhyAsked,
)
from app.loans.shapes import ActAsked, LoanOut, shapes
from app.people.doors import ApiCoordinator, ApiMemberEvenSuspended
from app.tools.photos import Stored

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["amends"])
IncidentKey = Annotated[int, Path(ge=1, lt=2**62)]
AmountKey = Annotated[int, Path(ge=1, lt=2**62)]
MAY_FAIL = problems(409, 422)


class Step(StrEnum):
    AGREED = "agreed"
    PAID = "paid"
    BACK = "back"


def _post(noun: str, summary: str) -> Callable[[Any], Any]:
    return api.post(f"/loans/{{loan_id}}/{noun}", summary=summary, responses=MAY_FAIL)


@api.get("/loans/{loan_id}/incidents", summary="What went wrong", responses=problems())
async def incidents_of(viewer: ApiMemberEvenSuspended, loan_id: LoanKey) -> CaseOut:
    """For the two of the loan, and a mediator whom they asked."""
    async with db.snapshot() as tx:
        return await told(tx, viewer, loan_id)


@api.get("/help", summary="Loans whose people need help", responses=problems(422))
async def who_needs_help(
    viewer: ApiCoordinator, asked: Annotated[Paged, Query()]
) -> Listed[LoanOut]:
    """For coordinators: open incidents, disputes, and returns that are stuck."""
    async with db.snapshot() as tx:
        found = await cases.in_need(
            tx, viewer.community_id, clock.now(), before=asked.cursor, limit=asked.limit + 1
        )
        page = found[: asked.limit]
        return Listed(
            items=await shapes(tx, page, viewer),
            next=cursor_after(page[-1].id) if len(found) > len(page) else None,
        )


@_post("undo", "Take your last step back")
async def undo_last(by: By, body: ActAsked | None = None) -> LoanOut:
    """For ten minutes, where nobody else has built on it."""
    version = body.version if body else None
    return await loan_after(
        by, body, lambda tx, now, _: undo.undo(tx, by.loan_id, by.viewer, now, version)
    )


@_post("correction", "Correct a loan")
async def correct_it(by: By, body: TruthAsked) -> LoanOut:
    """For a coordinator who is no party: any state that the constraints allow."""
    return await loan_after(
        by,
        body,
        lambda tx, now, _: correct.correct(
            tx, by.loan_id, by.viewer, now, body.truth(), body.version
        ),
    )


@_post("unsafe", "The tool is not safe")
async def mark_unsafe(by: By, body: WhyAsked) -> LoanOut:
    """For whoever holds it: nobody can borrow it until its owner lends it again."""
    return await loan_after(
        by,
        body,
        lambda tx, now, _: unsafe.mark(tx, by.loan_id, by.viewer, now, body.reason, body.version),
    )


@_post("found", "A disputed tool is here again")
async def found(by: By, body: ActAsked | None = None) -> LoanOut:
    version = body.version if body else None
    return await loan_after(
        by, body, lambda tx, now, _: incidents.is_here(tx, by.loan_id, by.viewer, now, version)
    )


@_post("doorstep", "You left it on the doorstep")
async def leave(by: By, body: LeftThere) -> CaseOut:
    """A claim with its place and a picture, where the tool allows that."""
    return await case_after(
        by,
        body,
        lambda tx, now, picture: handover.leave(
            tx, by.loan_id, by.viewer, now, body.place, picture, body.version
        ),
    )


@_post("incidents", "Open an incident")
async def open_incident(by: By, body: NewIncident) -> CaseOut:
    """By one of the two, until 30 days after the return."""
    return await case_after(
        by,
        body,
        lambda tx, now, picture: incidents.open_incident(
            tx,
            by.loan_id,
            by.viewer,
            now,
            body.kind,
            body.words,
            picture=picture,
            dispute=body.dispute,
            version=body.version,
        ),
    )


@_post("incidents/{incident_id}/evidence", "Add evidence")
async def add_evidence(by: By, incident_id: IncidentKey, body: NewEvidence) -> CaseOut:
    """Words, a picture or both; never deleted."""
    return await case_after(
        by,
        body,
        lambda tx, now, picture: incidents.add_evidence(
            tx, by.loan_id, incident_id, by.viewer, now, body.words, picture
        ),
    )


@_post("incidents/{incident_id}/proposal", "Propose how to settle it")
async def propose(by: By, incident_id: IncidentKey, body: TermsAsked) -> CaseOut:
    return await case_after(
        by,
        body,
        lambda tx, now, _: incidents.offer(
            tx, by.loan_id, incident_id, by.viewer, now, body.terms()
        ),
    )


@_post("incidents/{incident_id}/settlement", "Accept the proposal")
async def accept(by: By, incident_id: IncidentKey, body: ActAsked | None = None) -> CaseOut:
    """`version` is the incident's: a newer proposal is not accepted unread."""
    version = body.version if body else None
    return await case_after(
        by,
        body,
        lambda tx, now, _: incidents.accept(tx, by.loan_id, incident_id, by.viewer, now, version),
    )


@_post("incidents/{incident_id}/result", "Record a result as the mediator")
async def record_result(by: By, incident_id: IncidentKey, body: TermsAsked) -> CaseOut:
    return await case_after(
        by,
        body,
        lambda tx, now, _: incidents.record_result(
            tx, by.loan_id, incident_id, by.viewer, now, body.terms()
        ),
    )


@_post("mediator", "Ask for a mediator")
async def invite(by: By, body: MediatorAsked) -> CaseOut:
    """A coordinator; where one of the two is one, both have to name the same person."""
    return await case_after(
        by,
        body,
        lambda tx, now, _: mediation.invite(
            tx, by.loan_id, by.viewer, now, body.mediator, body.version
        ),
    )


@api.post(
    "/loans/{loan_id}/mediator/end",
    summary="Stop mediating",
    status_code=204,
    responses=MAY_FAIL,
)
async def step_down(by: By, body: ActAsked | None = None) -> None:
    version = body.version if body else None

    def act(tx: Tx, now: datetime, _: Stored | None) -> Awaitable[object]:
        return mediation.step_down(tx, by.loan_id, by.viewer, now, version)

    async with db.begin() as tx:
        await do(tx, by, body, act)


@_post("amounts", "Note a sum between the two")
async def note_amount(by: By, body: NewAmount) -> CaseOut:
    """What they have agreed on. ToolShare moves no money."""
    return await case_after(
        by,
        body,
        lambda tx, now, _: amounts.note(
            tx, by.loan_id, by.viewer, now, body.cents, body.purpose, body.payer
        ),
    )


@_post("amounts/{amount_id}/{step}", "Agree to a sum, or say that it was paid or given back")
async def say_of_amount(by: By, amount_id: AmountKey, step: Step) -> CaseOut:
    """`paid` is said by the one who got it, `back` by the one who had paid a deposit."""
    return await case_after(
        by,
        None,
        lambda tx, now, _: amounts.step(tx, by.loan_id, amount_id, by.viewer, now, step),
    )
