"""The record of a hand-over: its form, and its photos for the eyes of the two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.datastructures import FormData, UploadFile

from app import clock, db, pages
from app.errors import NotFound, Refusal
from app.http import idempotency
from app.loans import alone, noting, periods, queries, records, sides, telling
from app.loans.models import Loan
from app.loans.noting import Noted
from app.loans.once import of_form, once, pictures
from app.loans.papers import Direction
from app.people.doors import MemberEvenSuspended
from app.people.forms import Form as Typed
from app.people.viewer import Viewer
from app.tools import showing

router = APIRouter()
LoanKey = Annotated[int, Path(ge=1, lt=2**62)]
LOAN = "/c/{slug}/loans/{loan_id}"
TYPED = ("condition", "words", "happened_at", "repair")
FILES = 2 * records.MOST_PHOTOS  # beyond what is taken, so that the form can say so itself


@router.get(f"{LOAN}/handover/{{direction}}")
async def record(
    request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey, direction: Direction
) -> Response:
    return await _record_page(request, viewer, loan_id, direction, None)


@router.post(f"{LOAN}/handover/{{direction}}")
async def note(
    request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey, direction: Direction
) -> Response:
    """Parts, condition, words, photos of one side; by the lender also when it really was."""
    async with db.snapshot() as tx:
        await queries.loan_for(tx, viewer, loan_id)  # before anything of a stranger's is read
    form = await request.form(max_files=FILES, max_fields=100)
    try:
        await _keep(request, viewer, loan_id, direction, form)
    except Refusal as refusal:
        typed = {name: str(form.get(name, "")) for name in TYPED}
        again = Typed.again(refusal, **typed)
        ticked = [str(name) for name in form.getlist("there")]
        return await _record_page(request, viewer, loan_id, direction, again, ticked)
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")


@router.get(f"{LOAN}/photos/{{name}}-{{width}}.{{ending}}", include_in_schema=False)
async def handover_photo(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    name: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
    width: int,
    ending: str,
) -> Response:
    """For the two, and whom they asked to mediate."""
    async with db.snapshot() as tx:
        kept = await records.photo_for(tx, viewer, loan_id, name)
    return await showing.shown(request, kept.name, width, ending)


@router.post(f"{LOAN}/taking")
async def take(request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey) -> Response:
    """A self-service tool, taken by the borrower alone."""
    return await _alone(request, viewer, loan_id, alone.take)


@router.post(f"{LOAN}/bringing")
async def bring(request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey) -> Response:
    return await _alone(request, viewer, loan_id, alone.bring)


async def _alone(
    request: Request, viewer: Viewer, loan_id: int, act: Callable[..., Awaitable[Loan]]
) -> Response:
    async with db.snapshot() as tx:
        await queries.loan_for(tx, viewer, loan_id)  # before anything of a stranger's is read
    form = await request.form(max_files=1, max_fields=10)
    typed = str(form.get("version", ""))
    version = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None
    key = idempotency.key_of(request, str(form.get(idempotency.FIELD, "")))
    async with pictures(viewer, of_form(_uploads(form, "photo"))) as kept:
        async with db.begin() as tx:

            async def take_or_bring() -> object:
                return await act(tx, loan_id, viewer, clock.now(), kept.first, version)

            done = await once(tx, request, viewer, key, form, take_or_bring)
        kept.hung = done
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")


def _uploads(form: FormData, name: str) -> list[UploadFile]:
    found = [one for one in form.getlist(name) if isinstance(one, UploadFile) and one.filename]
    if len(found) > records.MOST_PHOTOS:
        raise Refusal(
            f"There is room for {records.MOST_PHOTOS} photos.",
            "Choose the best of yours.",
            status=422,
            code="photo",
            field_name="photos",
        )
    return found


async def _keep(
    request: Request, viewer: Viewer, loan_id: int, direction: Direction, form: FormData
) -> None:
    key = idempotency.key_of(request, str(form.get(idempotency.FIELD, "")))
    async with pictures(viewer, of_form(_uploads(form, "photos"))) as kept:
        async with db.begin() as tx:

            async def note_it() -> object:
                loan = await queries.loan_for(tx, viewer, loan_id)
                noted = await _noted(tx, loan, direction, form, viewer)
                now = clock.now()
                return await noting.note(tx, loan_id, direction, noted, kept.stored, viewer, now)

            done = await once(tx, request, viewer, key, form, note_it)
        kept.hung = done


async def _noted(
    tx: db.Tx, loan: Loan, direction: Direction, form: FormData, viewer: Viewer
) -> Noted:
    """What the form says; a time that was not touched is none."""
    how = bool(form.get("says_how"))
    at, typed = None, str(form.get("happened_at", ""))
    found = (await records.of_loan(tx, loan)).get(direction)
    if typed and (found is None or typed != _typed_time(found.happened_at, viewer)):
        day, _, time_of_day = typed.partition("T")
        at = periods.instant("happened_at", day, time_of_day, viewer.here.zone)
    return Noted(
        there=[str(name) for name in form.getlist("there")] if how else None,
        condition=str(form.get("condition", "")) if how else None,
        words=str(form.get("words", "")) if how else None,
        happened_at=at,
        repair=bool(form.get("repair")),
    )


def _typed_time(at: datetime, viewer: Viewer) -> str:
    return at.astimezone(viewer.here.zone).strftime("%Y-%m-%dT%H:%M")


async def _record_page(
    request: Request,
    viewer: Viewer,
    loan_id: int,
    direction: Direction,
    form: Typed | None,
    ticked: Sequence[str] = (),
) -> Response:
    """`form` None: as it was noted last."""
    async with db.snapshot() as tx:
        now = clock.now()
        loan = await queries.loan_for(tx, viewer, loan_id)
        if refusal := records.why_not_note(loan, viewer):
            raise refusal
        shown = await sides.sides(tx, loan, viewer)
        side = next((one for one in shown if one.direction == direction), None)
        if side is None:
            raise NotFound
        names = records.parts_of(loan.tool)
        if form is None:
            gone = {part["name"] for part in side.parts if not part["there"]}
            ticked = [name for name in names if name not in gone]
            at = _typed_time(side.record.happened_at, viewer)
            form = Typed(
                values={"condition": side.condition, "words": side.words, "happened_at": at}
            )
        return await pages.render(
            request,
            "loans/record.html",
            tx=tx,
            status=form.status,
            loan=telling.tell(loan, viewer.here, viewer.person_id, now, viewer.locale),
            side=side,
            lends=loan.lent_by(viewer.person_id),
            parts=names,
            there=ticked,
            room=records.MOST_PHOTOS - len(side.photos),
            latest=_typed_time(now, viewer),
            form=replace(form, key=pages.fresh_key(), post=side.path),
        )
