"""The page for lending at the door: choose who, and it is out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi import Form as Typing

from app import clock, db, pages
from app.errors import NotFound, Refusal, Span, mistyped
from app.http import idempotency
from app.loans import lend_now, periods
from app.loans.lend_now import Somebody
from app.people.doors import Member
from app.people.forms import Form
from app.people.viewer import Viewer
from app.tools import queries as tool_queries
from app.tools import rules as tool_rules

router = APIRouter()
ToolKey = Annotated[int, Path(ge=1, lt=2**62)]
NOBODY = "0"  # of the choice: somebody without an account
Said = Annotated[str, Typing()]


@router.get("/c/{slug}/tools/{tool_id}/lending")
async def lending_page(request: Request, viewer: Member, tool_id: ToolKey) -> Response:
    today = clock.local_day(clock.now(), viewer.here.zone)
    return await _page(request, viewer, tool_id, Form(values={"end": today.isoformat()}))


@router.post("/c/{slug}/tools/{tool_id}/lending")
async def lend(
    request: Request,
    viewer: Member,
    tool_id: ToolKey,
    borrower: Said = "",
    name: Said = "",
    end: Said = "",
    end_time: Said = "",
    idempotency_key: Said = "",
) -> Response:
    typed = {"borrower": borrower, "name": name, "end": end, "end_time": end_time}
    try:
        now = clock.now()
        key = idempotency.key_of(request, idempotency_key)
        async with db.begin() as tx:
            done = await idempotency.recall(tx, viewer.person_id, request, key, typed)
            if done is None:
                until = _until(end, end_time, viewer, now)
                loan = await lend_now.lend(tx, tool_id, _whom(borrower, name), until, viewer, now)
                done = {"loan_id": loan.id}
                await idempotency.keep(tx, viewer.person_id, request, key, typed, done)
    except Refusal as refusal:
        form = Form.again(refusal, **typed)
        return await _page(request, viewer, tool_id, form, refusal.free)
    return pages.back_to(f"{viewer.here.path}/loans/{done['loan_id']}")


def _whom(borrower: str, name: str) -> Somebody:
    if borrower in ("", NOBODY):
        return Somebody(name=name)
    if not (borrower.isascii() and borrower.isdecimal() and len(borrower) < 19):
        raise mistyped("borrower", "Choose one of the neighbours.")
    return Somebody(person_id=int(borrower))


def _until(end: str, end_time: str, viewer: Viewer, now: datetime) -> datetime:
    if not end:
        end = clock.local_day(now, viewer.here.zone).isoformat()
    if end_time:
        return periods.instant("end", end, end_time, viewer.here.zone, last=True)
    return periods.period_from(end, end, "", "", viewer.here.zone)[1]


async def _page(
    request: Request, viewer: Viewer, tool_id: int, form: Form, free: Sequence[Span] = ()
) -> Response:
    here, today = viewer.here, clock.local_day(clock.now(), viewer.here.zone)
    async with db.snapshot() as tx:
        tool = await tool_queries.tool_for(tx, viewer, tool_id)
        if not tool_rules.may_change(tool, viewer):
            raise NotFound
        path = f"{here.path}/tools/{tool_id}"
        found = await lend_now.neighbours(tx, viewer)
        return await pages.render(
            request,
            "loans/lend.html",
            tx=tx,
            status=form.status,
            tool={"name": tool.name, "path": path},
            people=[
                *((str(one.person_id), one.person.name) for one in found),
                (NOBODY, "Somebody without an account"),
            ],
            why_not=lend_now.why_not_lend(tool, viewer),
            today=today.isoformat(),
            latest=(today + timedelta(days=tool.lending.longest_days - 1)).isoformat(),
            free=free,
            form=replace(form, key=pages.fresh_key(), post=f"{path}/lending"),
        )
