"""Other dates for a loan as JSON: propose them, read them, and one POST for each answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app import clock, db
from app.http import idempotency
from app.http.schemas import (
    CREATED,
    ID_LIMIT,
    Answered,
    Asked,
    DayOrInstant,
    Key,
    Listed,
    LoanKey,
    Named,
    problems,
)
from app.loans import changes, proposals, queries, rules
from app.loans.models import Loan
from app.loans.proposal import ChangeKind, ChangeState, LoanChange
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Viewer

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["loans"])
ChangeKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[5])]
MAY_FAIL = problems(409, 422)
NOUNS = {
    ChangeState.AGREED: "acceptance",
    ChangeState.REFUSED: "refusal",
    ChangeState.WITHDRAWN: "withdrawal",
}


class NewChange(Asked):
    """Days of the community's zone, `end` inclusive; or date-times with an offset."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"end": "2026-05-06", "note": "One more day, please: it rained."},
                {"start": "2026-05-03T09:00:00+02:00", "end": "2026-05-03T18:00:00+02:00"},
            ]
        }
    )

    start: DayOrInstant | None = Field(None, description="As agreed, if you leave it out")
    end: DayOrInstant | None = Field(None, description="As agreed, if you leave it out")
    note: str = Field("", max_length=rules.REASON_LONGEST, description="A word to the other")
    version: int | None = Field(
        None, ge=1, lt=ID_LIMIT, description="As you saw it: 409 if the loan has moved on"
    )

    @field_validator("end")
    @classmethod
    def _something(cls, end: date | None, given: ValidationInfo) -> date | None:
        if end is None and given.data.get("start") is None:
            raise PydanticCustomError("nothing", "A start or an end: else nothing changes.")
        return end

    def period(self, viewer: Viewer) -> tuple[datetime | None, datetime | None]:
        """None: as agreed."""
        zone = viewer.here.zone
        return _instant(self.start, lambda day: clock.day_start(day, zone)), _instant(
            self.end, lambda day: clock.days(day, day, zone)[1]
        )


def _instant(given: date | datetime | None, of_day: Callable[[date], datetime]) -> datetime | None:
    return given if given is None or isinstance(given, datetime) else of_day(given)


class AnswerOut(Answered):
    """A way to answer: POST to `href`."""

    state: ChangeState
    href: str = Field(examples=["/api/v1/c/elm/loans/42/changes/5/acceptance"])
    allowed: bool
    sentence: str | None = Field(None, description="Why not now")


class ChangeOut(Answered):
    id: int = Field(examples=[5])
    kind: ChangeKind
    state: ChangeState
    by: Named
    note: str
    was_start: datetime
    was_end: datetime
    start: datetime = Field(examples=["2026-05-03T00:00:00+02:00"])
    end: datetime = Field(examples=["2026-05-07T00:00:00+02:00"], description="Exclusive")
    was_price_cents: int = Field(examples=[750])
    price_cents: int = Field(examples=[1000], description="Counted anew, for the whole period")
    loan_version: int = Field(description="The loan that it was proposed for")
    at: datetime
    answered_at: datetime | None
    ends_at: datetime = Field(description="From when on it is too late for an answer")
    answers: list[AnswerOut]


@api.post(
    "/loans/{loan_id}/changes",
    status_code=201,
    summary="Propose other dates",
    responses=CREATED | MAY_FAIL,
)
async def propose_change(
    request: Request,
    response: Response,
    viewer: ApiMemberEvenSuspended,
    loan_id: LoanKey,
    new: NewChange,
    key: Key,
) -> ChangeOut:
    """Longer, shorter, moved, or fetched earlier. Blocks nothing until the other agrees.

    Who borrows it asks within the tool's lending rules; who lends it may propose otherwise.
    """
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, new)
        if done is None:
            dates = new.period(viewer)
            change = await changes.propose(
                tx, loan_id, viewer, clock.now(), *dates, new.note, new.version
            )
            done = {"change_id": change.id}
            await idempotency.keep(tx, viewer.person_id, request, key, new, done)
        answer = await _one(tx, viewer, loan_id, done["change_id"])
    there = f"/api/v1{viewer.here.path}/loans/{loan_id}/changes/{answer.id}"
    response.headers["Location"] = there
    return answer


@api.get("/loans/{loan_id}/changes", summary="What was proposed", responses=problems())
async def loan_changes(viewer: ApiMemberEvenSuspended, loan_id: LoanKey) -> Listed[ChangeOut]:
    """The newest first, the last fifty."""
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id)
        found = await changes.changes_of(tx, loan)
        return Listed(items=[_shape(one, loan, viewer) for one in found], next=None)


@api.get("/loans/{loan_id}/changes/{change_id}", summary="One proposal", responses=problems())
async def loan_change(
    viewer: ApiMemberEvenSuspended, loan_id: LoanKey, change_id: ChangeKey
) -> ChangeOut:
    async with db.snapshot() as tx:
        return await _one(tx, viewer, loan_id, change_id)


@dataclass(frozen=True)
class Door:
    """Who answers which proposal, and with which key."""

    request: Request
    viewer: Viewer
    loan_id: int
    change_id: int
    key: str | None


async def _door(
    request: Request,
    viewer: ApiMemberEvenSuspended,
    loan_id: LoanKey,
    change_id: ChangeKey,
    key: Key,
) -> Door:
    return Door(request, viewer, loan_id, change_id, key)


By = Annotated[Door, Depends(_door)]
ONE = "/loans/{loan_id}/changes/{change_id}"


@api.post(f"{ONE}/acceptance", summary="Agree to other dates", responses=MAY_FAIL)
async def agree_to_change(by: By) -> ChangeOut:
    """The loan has them at once."""
    return await _answer(by, changes.agree)


@api.post(f"{ONE}/refusal", summary="Keep the dates as they are", responses=MAY_FAIL)
async def refuse_change(by: By) -> ChangeOut:
    return await _answer(by, changes.refuse)


@api.post(f"{ONE}/withdrawal", summary="Withdraw your proposal", responses=MAY_FAIL)
async def withdraw_change(by: By) -> ChangeOut:
    return await _answer(by, changes.withdraw)


async def _answer(by: Door, answer: Callable[..., Awaitable[LoanChange]]) -> ChangeOut:
    viewer = by.viewer
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, by.request, by.key, {})
        if done is None:
            await answer(tx, by.loan_id, by.change_id, viewer, clock.now())
            done = {"change_id": by.change_id}
            await idempotency.keep(tx, viewer.person_id, by.request, by.key, {}, done)
        return await _one(tx, viewer, by.loan_id, by.change_id)


async def _one(tx: db.Tx, viewer: Viewer, loan_id: int, change_id: int) -> ChangeOut:
    loan = await queries.loan_for(tx, viewer, loan_id)
    return _shape(await proposals.change_of(tx, loan, change_id), loan, viewer)


def _shape(one: LoanChange, loan: Loan, viewer: Viewer) -> ChangeOut:
    zone, now = viewer.here.zone, clock.now()
    was_start, was_end = one.was_span
    mine = one.by_id == viewer.person_id
    answers = []
    for state, noun in NOUNS.items():
        if one.state != ChangeState.OPEN or mine is not (state is ChangeState.WITHDRAWN):
            continue
        why_not = proposals.why_not_answer(one, loan, viewer, state, now)
        answers.append(
            AnswerOut(
                state=state,
                href=f"/api/v1{viewer.here.path}/loans/{loan.id}/changes/{one.id}/{noun}",
                allowed=why_not is None,
                sentence=why_not.sentence if why_not else None,
            )
        )
    return ChangeOut(
        id=one.id,
        kind=ChangeKind(one.kind),
        state=ChangeState(one.state),
        by=Named(id=one.by.id, name=one.by.name),
        note=one.note,
        was_start=was_start.astimezone(zone),
        was_end=was_end.astimezone(zone),
        start=one.start.astimezone(zone),
        end=one.end.astimezone(zone),
        was_price_cents=one.was_price_cents,
        price_cents=one.price_cents,
        loan_version=one.loan_version,
        at=one.at.astimezone(zone),
        answered_at=one.answered_at and one.answered_at.astimezone(zone),
        ends_at=one.too_late_at.astimezone(zone),
        answers=answers,
    )
