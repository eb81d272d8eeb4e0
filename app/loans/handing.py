"""The pages of a hand-over on two phones: the code on one, the scan on the other."""

from __future__ import annotations

from io import BytesIO
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Path, Request, Response

from app import clock, db, pages
from app.errors import NotFound, Refusal
from app.http import idempotency, problems, throttle
from app.loans import codes, hands, queries, telling
from app.loans.once import once
from app.people.doors import MemberEvenSuspended
from app.people.forms import Form as Typed
from app.people.viewer import Viewer

router = APIRouter()
LoanKey = Annotated[int, Path(ge=1, lt=2**62)]
Key = Annotated[str, Form()]
LOAN = "/c/{slug}/loans/{loan_id}"


@router.post(f"{LOAN}/code")
async def show_code(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    idempotency_key: Key = "",
    version: Annotated[int | None, Form()] = None,
) -> Response:
    """Four digits and a QR code on this phone, for ten minutes."""
    key, body = idempotency.key_of(request, idempotency_key), {"version": str(version)}
    async with db.begin() as tx:

        async def show() -> object:
            return await codes.show(tx, loan_id, viewer, clock.now(), version)

        await once(tx, request, viewer, key, body, show)
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")


@router.get(f"{LOAN}/code.svg")
async def code_picture(request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey) -> Response:
    """The link to the scan page with the digits in its fragment, which no server ever sees."""
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id)
        shown = await codes.shown(tx, loan, viewer, clock.now())
    if shown is None or not shown.mine:
        raise NotFound
    root = pages.root(request)
    drawing = BytesIO()
    qr = segno.make(f"{root}{viewer.here.path}/loans/{loan_id}/scan#{shown.digits}", error="m")
    qr.save(drawing, kind="svg", scale=8, border=4, dark="#000", light="#fff")
    return Response(drawing.getvalue(), media_type="image/svg+xml")


@router.get(f"{LOAN}/scan")
async def scan(request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey) -> Response:
    """Where the other's camera leads: it asks, and the button does it."""
    return await _scan_page(request, viewer, loan_id, Typed())


@router.post(f"{LOAN}/code/use")
async def use_code(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    digits: Annotated[str, Form()] = "",
    idempotency_key: Key = "",
    version: Annotated[int | None, Form()] = None,
) -> Response:
    key = idempotency.key_of(request, idempotency_key)
    body = {"version": str(version), "digits": digits}
    try:
        await use(request, viewer, loan_id, digits, version, key, body)
    except Refusal as refusal:
        if problems.is_htmx(request) or refusal.status != 422:
            raise
        return await _scan_page(request, viewer, loan_id, Typed.again(refusal, digits=digits))
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")


async def use(
    request: Request,
    viewer: Viewer,
    loan_id: int,
    digits: str,
    version: int | None,
    key: str | None,
    body: idempotency.Body,
) -> None:
    """A code, typed or sent by a program. Raises Refusal; a wrong try counts all the same."""
    # Each code has its own five tries; this bounds how many codes somebody can go through.
    await throttle.spend(f"code:{viewer.person_id}", "code", limit="30/10minutes")
    async with db.begin() as tx:
        wrong = None
        if await idempotency.recall(tx, viewer.person_id, request, key, body) is None:
            wrong = await codes.use(tx, loan_id, digits, viewer, clock.now(), version)
            if wrong is None:
                outcome = {"loan_id": loan_id}
                await idempotency.keep(tx, viewer.person_id, request, key, body, outcome)
    if wrong is not None:  # a wrong try, which is counted now
        raise wrong


async def _scan_page(request: Request, viewer: Viewer, loan_id: int, form: Typed) -> Response:
    async with db.snapshot() as tx:
        now = clock.now()
        loan = await queries.loan_for(tx, viewer, loan_id)
        offered = await hands.tell(tx, loan, viewer, now)
        return await pages.render(
            request,
            "loans/scan.html",
            tx=tx,
            status=form.status,
            loan=telling.tell(loan, viewer.here, viewer.person_id, now, viewer.locale),
            hands=offered,
            form=form,
            key=pages.fresh_key(),
        )
