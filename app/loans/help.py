"""For coordinators: who needs help, a loan's facts, and *correct*."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request, Response

from app import clock, db, pages, topic
from app.errors import Refusal, mistyped
from app.loans import correct, periods, queries, telling
from app.loans.correct import Truth
from app.loans.models import Loan
from app.loans.rules import DONE
from app.loans.settling import By, Sent, do
from app.loans.states import State, Who
from app.people.doors import Coordinator
from app.people.forms import Form
from app.people.viewer import Viewer

router = APIRouter()
LoanKey = Annotated[int, Path(ge=1, lt=2**62)]
TIMES = ("start", "end", "out_at", "back_at")
FIELDS = ("state", "reason", *TIMES)
STATE_WORDS = {
    State.REQUESTED: "Asked for",
    State.APPROVED: "Approved",
    State.OUT: "Out",
    State.RETURN_CLAIMED: "Brought back, not confirmed yet",
    State.RETURNED: "Back",
    State.CLOSED: "Closed",
}


@router.get("/c/{slug}/help")
async def who_needs_help(request: Request, viewer: Coordinator) -> Response:
    async with db.snapshot() as tx:
        html = await pages.region(request, tx, topic.help(viewer.community_id))
        return await pages.render(request, "loans/help.html", tx=tx, help_html=html)


@router.get("/c/{slug}/help/{loan_id}")
async def facts(request: Request, viewer: Coordinator, loan_id: LoanKey) -> Response:
    return await _facts(request, viewer, loan_id, None)


@router.post("/c/{slug}/help/{loan_id}/correction")
async def correct_it(request: Request, viewer: Coordinator, by: By, loan_id: LoanKey) -> Response:
    try:
        truth = _truth(by, viewer.here.zone)
        return await do(
            by,
            lambda tx, now, _: correct.correct(
                tx, loan_id, viewer, now, truth, by.number("version")
            ),
            there=f"{viewer.here.path}/help/{loan_id}",
        )
    except Refusal as refusal:
        form = Form.again(refusal, **{name: by.text(name) for name in FIELDS})
        return await _facts(request, viewer, loan_id, form)


async def _facts(request: Request, viewer: Viewer, loan_id: int, form: Form | None) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id, who=Who.COORDINATOR)
        form = form or Form(values=_values(loan, here.zone))
        return await pages.render(
            request,
            "loans/facts.html",
            tx=tx,
            status=form.status,
            loan=telling.tell(loan, here, viewer.person_id, clock.now(), viewer.locale),
            facts_html=await pages.region(request, tx, topic.facts(here.id, loan_id)),
            states=[(one.value, STATE_WORDS.get(one, DONE[one].rstrip("."))) for one in State],
            version=loan.version,
            post=f"{here.path}/help/{loan_id}/correction",
            form=form,
            key=pages.fresh_key(),
        )


def _values(loan: Loan, zone: ZoneInfo) -> dict[str, str]:
    times = {"start": loan.start, "end": loan.end, "out_at": loan.out_at, "back_at": loan.back_at}
    return {"state": loan.state} | {
        name: at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at else ""
        for name, at in times.items()
    }


def _truth(by: Sent, zone: ZoneInfo) -> Truth:
    """What the form left as it stood is left as it is known, to the second."""
    state, known = by.text("state"), _values(by.loan, zone)
    if state not in tuple(State):
        raise mistyped("state", "Choose how it stands.")
    times = {
        name: _instant(name, by.text(name), zone) if by.text(name) != known[name] else None
        for name in TIMES
    }
    return Truth(State(state), by.text("reason"), **times)


def _instant(name: str, typed: str, zone: ZoneInfo) -> datetime | None:
    """'2026-05-03T18:00' in the community's zone."""
    if not typed:
        return None
    day, _, time = typed.partition("T")
    return periods.instant(name, day, time, zone, last=name == "end")
