"""Hand-overs as JSON: codes for two phones, and the record of both sides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, Base64Bytes, ConfigDict, Field
from starlette.responses import FileResponse

from app import clock, db
from app.errors import Refusal
from app.http.schemas import Answered, Asked, Key, Listed, LoanKey, problems
from app.loans import codes, handing, noting, queries, records, sides
from app.loans.models import Loan
from app.loans.noting import Noted
from app.loans.once import of_body, once, pictures
from app.loans.papers import Condition, Direction
from app.loans.shapes import ActAsked, LoanOut, shapes
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import photos, showing
from app.tools.photos import Stored

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["loans"])
MAY_FAIL = problems(409, 422)
TINY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="  # noqa: E501


class CodeOut(Answered):
    """On this phone: the other one types the digits, or scans the link."""

    direction: Direction
    digits: str = Field(examples=["4711"])
    link: str = Field(
        examples=["/c/elm/loans/42/scan#4711"],
        description="For a QR code, after the address of this server",
    )
    expires_at: datetime


class CodeUsed(ActAsked):
    digits: str = Field(max_length=20, examples=["4711"], description="As the other's phone shows")


class PartOut(Answered):
    name: str = Field(examples=["Charger"])
    there: bool


class HandoverOut(Answered):
    direction: Direction
    pressed_at: datetime = Field(description="When somebody said so")
    happened_at: datetime = Field(description="When it really was, by the lender's word")
    parts: list[PartOut]
    condition: Condition = Field(description="Empty while nobody has noted it")
    words: str
    photos: list[str] = Field(examples=[["/api/v1/c/elm/loans/42/photos/0123abcd"]])


class HandoverNoted(Asked):
    """What is absent or null stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"there": ["Charger"], "condition": "worn", "words": "The case has a scratch."},
                {"happened_at": "2026-05-03T09:30:00+02:00"},
            ]
        }
    )

    there: list[str] | None = Field(None, max_length=30, description="Names of the parts list")
    condition: Condition | None = None
    words: str | None = Field(None, max_length=noting.WORDS_LONGEST)
    happened_at: AwareDatetime | None = None
    repair: bool = Field(False, description="Damaged on return: nobody can ask for it now")
    photos: list[Base64Bytes] = Field([], max_length=records.MOST_PHOTOS)


@api.post("/loans/{loan_id}/code", summary="Show a code for two phones", responses=MAY_FAIL)
async def show_code(
    request: Request,
    viewer: ApiMemberEvenSuspended,
    loan_id: LoanKey,
    key: Key,
    body: ActAsked | None = None,
) -> CodeOut:
    """Ten minutes, five tries, one use; a new one makes the old worthless."""
    asked = body or ActAsked(version=None)
    async with db.begin() as tx:

        async def act() -> object:
            return await codes.show(tx, loan_id, viewer, clock.now(), asked.version)

        await once(tx, request, viewer, key, asked, act)
        loan = await queries.loan_for(tx, viewer, loan_id)
        shown = await codes.shown(tx, loan, viewer, clock.now())
    if shown is None or not shown.mine:
        raise Refusal("This code has been overtaken.", "Show a new one.")
    return CodeOut(
        direction=shown.direction,
        digits=shown.digits,
        link=f"{viewer.here.path}/loans/{loan_id}/scan#{shown.digits}",
        expires_at=shown.expires_at.astimezone(viewer.here.zone),
    )


@api.post(
    "/loans/{loan_id}/code/use",
    summary="Type the other's code",
    responses=problems(409, 422, 429),
)
async def use_code(
    request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, key: Key, body: CodeUsed
) -> LoanOut:
    """The tool changes hands: out of an approved loan, back of one that is out."""
    await handing.use(request, viewer, loan_id, body.digits, body.version, key, body)
    async with db.snapshot() as tx:
        return await loan_of(tx, viewer, loan_id)


@api.get(
    "/loans/{loan_id}/handovers", summary="How it went out and came back", responses=problems()
)
async def handovers(viewer: ApiMemberEvenSuspended, loan_id: LoanKey) -> Listed[HandoverOut]:
    """For the two, and a mediator whom they asked."""
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id)
        return Listed(items=await _handovers(tx, loan, viewer), next=None)


@api.post(
    "/loans/{loan_id}/handovers/{direction}",
    summary="Note parts, condition, photos, the real time",
    responses=MAY_FAIL,
)
async def note(
    request: Request,
    viewer: ApiMemberEvenSuspended,
    loan_id: LoanKey,
    direction: Direction,
    key: Key,
    body: HandoverNoted,
) -> HandoverOut:
    """The lender's word on parts and condition stands; the real time is the lender's to set."""
    said = Noted(body.there, body.condition, body.words, body.happened_at, body.repair)

    async def act(tx: db.Tx, stored: Sequence[Stored]) -> object:
        return await noting.note(tx, loan_id, direction, said, stored, viewer, clock.now())

    await with_photos(request, viewer, loan_id, key, body, body.photos, act)
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id)
        found = await _handovers(tx, loan, viewer)
    return next(one for one in found if one.direction == direction)


@api.get(
    "/loans/{loan_id}/photos/{name}",
    summary="A photo of a hand-over",
    responses=problems(),
    response_class=FileResponse,
)
async def handover_photo(
    request: Request,
    viewer: ApiMemberEvenSuspended,
    loan_id: LoanKey,
    name: Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=["0" * 32])],
) -> Response:
    async with db.snapshot() as tx:
        kept = await records.photo_for(tx, viewer, loan_id, name)
    return await showing.shown(request, kept.name, *photos.FULL, showing.NOT_KEPT)


async def with_photos(
    request: Request,
    viewer: Viewer,
    loan_id: int,
    key: str | None,
    body: Asked,
    sent: Sequence[bytes],
    act: Callable[[db.Tx, Sequence[Stored]], Awaitable[object]],
) -> None:
    """One act with photos, once per key."""
    async with db.snapshot() as tx:
        await queries.loan_for(tx, viewer, loan_id)
    async with pictures(viewer, of_body(sent)) as kept:
        async with db.begin() as tx:
            done = await once(tx, request, viewer, key, body, lambda: act(tx, kept.stored))
        kept.hung = done


async def _handovers(tx: db.Tx, loan: Loan, viewer: Viewer) -> list[HandoverOut]:
    zone, base = viewer.here.zone, f"/api/v1{viewer.here.path}/loans/{loan.id}/photos"
    hung = await records.photos_of(tx, loan)
    return [
        HandoverOut(
            direction=Direction(one.direction),
            pressed_at=one.record.pressed_at.astimezone(zone),
            happened_at=one.record.happened_at.astimezone(zone),
            parts=[PartOut.model_validate(part) for part in one.record.parts],
            condition=Condition(one.condition),
            words=one.words,
            photos=[f"{base}/{shot.name}" for shot in hung if shot.direction == one.direction],
        )
        for one in await sides.sides(tx, loan, viewer)
    ]


async def loan_of(tx: db.Tx, viewer: Viewer, loan_id: Any) -> LoanOut:
    found = await queries.loan_for(tx, viewer, loan_id)
    (answer,) = await shapes(tx, [found], viewer)
    return answer
