"""Handing over without the other one, as JSON: self-service, key boxes, lending at the door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Base64Bytes, ConfigDict, Field

from app import clock, db
from app.errors import NotFound
from app.http import idempotency
from app.http.schemas import CREATED, Answered, Asked, Id, Key, LoanKey, ToolKey, problems
from app.loans import alone, lend_now, queries
from app.loans.handing_api import TINY, loan_of, with_photos
from app.loans.lend_now import Somebody
from app.loans.models import Loan
from app.loans.once import once
from app.loans.shapes import ActAsked, LoanOut
from app.people.doors import ApiMember, ApiMemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import queries as tool_queries
from app.tools.photos import Stored

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["loans"])
MAY_FAIL = problems(409, 422)


class PhotoAsked(ActAsked):
    photo: Base64Bytes = Field(examples=[TINY], description="JPEG, PNG or WebP, in base64")


class BoxOut(Answered):
    place: str = Field(examples=["By the gate"])
    code: str = Field(examples=["4711"])


class BoxSet(Asked):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"place": "By the gate", "code": "4711"}]}
    )

    place: str = Field("", max_length=alone.PLACE_LONGEST)
    code: str = Field("", max_length=alone.CODE_LONGEST)


class LendingAsked(Asked):
    """To a member by id, or to a name without an account; due tonight unless you say otherwise."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"borrower_id": 3},
                {"name": "Grete from number 9", "end": "2026-05-03T18:00:00+02:00"},
            ]
        }
    )

    borrower_id: Id | None = None
    name: str = Field("", max_length=lend_now.NAME_LONGEST)
    end: AwareDatetime | None = None


@api.post("/loans/{loan_id}/taking", summary="Take a self-service tool", responses=MAY_FAIL)
async def take(
    request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, key: Key, body: PhotoAsked
) -> LoanOut:
    """From 15 minutes before the start; with a photo of it as you find it."""
    return await _alone(request, viewer, loan_id, key, body, alone.take)


@api.post("/loans/{loan_id}/bringing", summary="Bring it back alone", responses=MAY_FAIL)
async def bring(
    request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, key: Key, body: PhotoAsked
) -> LoanOut:
    return await _alone(request, viewer, loan_id, key, body, alone.bring)


@api.get("/loans/{loan_id}/key-box", summary="Where the key is", responses=problems())
async def key_box(viewer: ApiMemberEvenSuspended, loan_id: LoanKey) -> BoxOut:
    """For this borrower, from 15 minutes before the start until the return; else 404."""
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id)
        box = await alone.box_for(tx, loan, viewer, clock.now())
    if box is None:
        raise NotFound
    return BoxOut(place=box.place, code=box.code)


@api.get("/tools/{tool_id}/key-box", summary="The key box of your tool", responses=problems())
async def own_key_box(viewer: ApiMember, tool_id: ToolKey) -> BoxOut:
    async with db.snapshot() as tx:
        box = await alone.box_of(tx, await tool_queries.tool_for(tx, viewer, tool_id), viewer)
    if box is None:
        raise NotFound
    return BoxOut(place=box.place, code=box.code)


@api.post("/tools/{tool_id}/key-box", summary="Change the key box", responses=MAY_FAIL)
async def set_key_box(
    request: Request, viewer: ApiMember, tool_id: ToolKey, key: Key, body: BoxSet
) -> BoxOut:
    """Who lends it alone. Who has the tool by a loan of now sees the new code at once."""

    async with db.begin() as tx:

        async def act() -> object:
            return await alone.change_box(tx, tool_id, body.place, body.code, viewer, clock.now())

        await once(tx, request, viewer, key, body, act)
        box = await alone.box_of(tx, await tool_queries.tool_for(tx, viewer, tool_id), viewer)
    return BoxOut(place=box.place if box else "", code=box.code if box else "")


@api.post(
    "/tools/{tool_id}/lending",
    status_code=201,
    summary="Lend it now, at the door",
    responses=CREATED | MAY_FAIL,
)
async def lend(
    request: Request,
    response: Response,
    viewer: ApiMember,
    tool_id: ToolKey,
    key: Key,
    body: LendingAsked,
) -> LoanOut:
    """Out at once. Refused, with what is free, where the tool is promised to somebody."""
    now = clock.now()
    whom, end = Somebody(body.borrower_id, body.name), body.end or lend_now.tonight(viewer, now)
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, body)
        if done is None:
            loan = await lend_now.lend(tx, tool_id, whom, end, viewer, now)
            done = {"loan_id": loan.id}
            await idempotency.keep(tx, viewer.person_id, request, key, body, done)
        answer = await loan_of(tx, viewer, done["loan_id"])
    response.headers["Location"] = f"/api/v1{viewer.here.path}/loans/{answer.id}"
    return answer


async def _alone(
    request: Request,
    viewer: Viewer,
    loan_id: int,
    key: str | None,
    body: PhotoAsked,
    command: Callable[..., Awaitable[Loan]],
) -> LoanOut:
    async def act(tx: db.Tx, stored: Sequence[Stored]) -> object:
        return await command(tx, loan_id, viewer, clock.now(), stored[0], body.version)

    await with_photos(request, viewer, loan_id, key, body, [body.photo], act)
    async with db.snapshot() as tx:
        return await loan_of(tx, viewer, loan_id)
