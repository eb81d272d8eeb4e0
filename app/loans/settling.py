"""Putting right what went wrong, from the loan's page: undo, incidents, mediators, sums."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.datastructures import FormData, UploadFile

from app import clock, db, pages
from app.db import Tx
from app.errors import mistyped
from app.http import idempotency
from app.loans import amounts, cases, fair, handover, incidents, mediation, queries, undo, unsafe
from app.loans.incident import Payer, Purpose
from app.loans.incidents import Terms
from app.loans.models import Loan
from app.loans.once import of_form, once, pictures
from app.loans.states import Who
from app.people.doors import MemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import showing
from app.tools.photos import Stored

router = APIRouter()
LoanKey = Annotated[int, Path(ge=1, lt=2**62)]
IncidentKey = Annotated[int, Path(ge=1, lt=2**62)]
AmountKey = Annotated[int, Path(ge=1, lt=2**62)]
ANY_PART = queries.PARTIES | Who.COORDINATOR


@dataclass(frozen=True)
class Sent:
    """A form of a loan's page, by somebody who has a part in the loan."""

    request: Request
    viewer: Viewer
    loan: Loan  # as it was when the form came
    form: FormData

    @property
    def loan_id(self) -> int:
        return self.loan.id

    def text(self, name: str) -> str:
        found = self.form.get(name, "")
        return found if isinstance(found, str) else ""

    def number(self, name: str) -> int | None:
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise mistyped(name, "This form is broken.", "Load the page again.")
        return int(text)

    def photos(self) -> list[UploadFile]:
        found = self.form.get("photo")
        return [found] if isinstance(found, UploadFile) and found.filename else []

    def terms(self) -> Terms:
        payer = fair.check_payer(self.text("payer") or Payer.BORROWER)
        return Terms(self.text("reason"), fair.cents_from(self.text("amount")), payer)


async def _sent(request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey) -> Sent:
    async with db.snapshot() as tx:  # before anything of the body is kept
        loan = await queries.loan_for(tx, viewer, loan_id, who=ANY_PART)
    return Sent(request, viewer, loan, await request.form(max_files=1, max_fields=20))


By = Annotated[Sent, Depends(_sent)]
Act = Callable[[Tx, datetime, Stored | None], Awaitable[object]]


async def do(by: Sent, act: Act, *, there: str = "") -> Response:
    """One command, once per key, then the loan's page; a picture that nothing names goes again."""
    key = idempotency.key_of(by.request, by.text(idempotency.FIELD))
    async with pictures(by.viewer, of_form(by.photos())) as kept:
        async with db.begin() as tx:
            done = await once(
                tx,
                by.request,
                by.viewer,
                key,
                by.form,
                lambda: act(tx, clock.now(), kept.first),
            )
        kept.hung = done
    return pages.back_to(there or f"{by.viewer.here.path}/loans/{by.loan_id}")


@router.post("/c/{slug}/loans/{loan_id}/undo")
async def take_back_the_last_step(by: By) -> Response:
    there = f"{by.viewer.here.path}/help/{by.loan_id}" if by.text("back") == "help" else ""
    return await do(
        by,
        lambda tx, now, _: undo.undo(tx, by.loan_id, by.viewer, now, by.number("version")),
        there=there,
    )


@router.post("/c/{slug}/loans/{loan_id}/doorstep")
async def leave_on_the_doorstep(by: By) -> Response:
    return await do(
        by,
        lambda tx, now, picture: handover.leave(
            tx, by.loan_id, by.viewer, now, by.text("place"), picture, by.number("version")
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/unsafe")
async def mark_unsafe(by: By) -> Response:
    return await do(
        by,
        lambda tx, now, _: unsafe.mark(
            tx, by.loan_id, by.viewer, now, by.text("reason"), by.number("version")
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/found")
async def is_here(by: By) -> Response:
    return await do(
        by,
        lambda tx, now, _: incidents.is_here(tx, by.loan_id, by.viewer, now, by.number("version")),
    )


@router.post("/c/{slug}/loans/{loan_id}/incidents")
async def open_incident(by: By) -> Response:
    return await do(
        by,
        lambda tx, now, picture: incidents.open_incident(
            tx,
            by.loan_id,
            by.viewer,
            now,
            by.text("kind"),
            by.text("reason"),
            picture=picture,
            dispute=bool(by.text("dispute")),
            version=by.number("version"),
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/incidents/{incident_id}/evidence")
async def add_evidence(by: By, incident_id: IncidentKey) -> Response:
    return await do(
        by,
        lambda tx, now, picture: incidents.add_evidence(
            tx, by.loan_id, incident_id, by.viewer, now, by.text("reason"), picture
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/incidents/{incident_id}/proposal")
async def propose(by: By, incident_id: IncidentKey) -> Response:
    return await do(
        by,
        lambda tx, now, _: incidents.offer(tx, by.loan_id, incident_id, by.viewer, now, by.terms()),
    )


@router.post("/c/{slug}/loans/{loan_id}/incidents/{incident_id}/settlement")
async def accept(by: By, incident_id: IncidentKey) -> Response:
    return await do(
        by,
        lambda tx, now, _: incidents.accept(
            tx, by.loan_id, incident_id, by.viewer, now, by.number("version")
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/incidents/{incident_id}/result")
async def record_result(by: By, incident_id: IncidentKey) -> Response:
    return await do(
        by,
        lambda tx, now, _: incidents.record_result(
            tx, by.loan_id, incident_id, by.viewer, now, by.terms()
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/mediator")
async def invite(by: By) -> Response:
    return await do(
        by,
        lambda tx, now, _: mediation.invite(
            tx, by.loan_id, by.viewer, now, by.number("mediator") or 0, by.number("version")
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/mediator/end")
async def step_down(by: By) -> Response:
    return await do(
        by,
        lambda tx, now, _: mediation.step_down(
            tx, by.loan_id, by.viewer, now, by.number("version")
        ),
        there=f"{by.viewer.here.path}/rooms",
    )


@router.post("/c/{slug}/loans/{loan_id}/amounts")
async def note_amount(by: By) -> Response:
    return await do(
        by,
        lambda tx, now, _: amounts.note(
            tx,
            by.loan_id,
            by.viewer,
            now,
            fair.cents_from(by.text("amount")),
            Purpose.DEPOSIT,
            fair.check_payer(by.text("payer") or Payer.BORROWER),
        ),
    )


@router.post("/c/{slug}/loans/{loan_id}/amounts/{amount_id}/{step}")
async def say_of_amount(
    by: By, amount_id: AmountKey, step: Annotated[str, Path(pattern="^(agreed|paid|back)$")]
) -> Response:
    return await do(
        by,
        lambda tx, now, _: amounts.step(tx, by.loan_id, amount_id, by.viewer, now, step),
    )


@router.get("/c/{slug}/evidence/{name}-{width}.{ending}", include_in_schema=False)
async def picture(
    request: Request,
    viewer: MemberEvenSuspended,
    name: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
    width: int,
    ending: str,
) -> Response:
    """For the two of the loan and their mediator; for all others there is no such picture."""
    async with db.snapshot() as tx:
        await cases.evidence_for(tx, viewer, name)
    # Not kept by the browser: who may see it can change, with a mediator who steps down.
    return await showing.shown(request, name, width, ending, showing.NOT_KEPT)
