"""A loan as JSON: what a program sends to ask for one, and what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app import clock, db
from app.chat.rules import LONGEST as MESSAGE_LONGEST
from app.errors import Span
from app.http.schemas import ID_LIMIT, Answered, Asked, DayOrInstant, Id, Named, Paged
from app.loans import queries, ripple, rules, telling
from app.loans.handover import PLACE_LONGEST
from app.loans.models import Loan
from app.loans.states import MOVES, Act, State
from app.people.viewer import Viewer

NOUNS = {
    Act.APPROVE: "approval",
    Act.DECLINE: "refusal",
    Act.WITHDRAW: "withdrawal",
    Act.CANCEL: "cancellation",
    Act.HAND_OVER: "handover",
    Act.NO_SHOW: "no-show",
    Act.CLAIM_RETURN: "return-claim",
    Act.NOT_HERE: "return-claim/end",
    Act.TAKE_BACK: "return",
    Act.WAIT: "wait",
    Act.FETCHED: "fetched",
}


class PeriodAsked(Asked):
    """Two days, both inclusive and in the community's zone; or two date-times with offset."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"start": "2026-05-03", "end": "2026-05-05"},
                {"start": "2026-05-03T09:00:00+02:00", "end": "2026-05-03T18:00:00+02:00"},
            ]
        }
    )

    start: DayOrInstant
    end: DayOrInstant

    @field_validator("end")
    @classmethod
    def _both_alike(cls, end: date, given: ValidationInfo) -> date:
        start = given.data.get("start")
        if start is not None and isinstance(start, datetime) != isinstance(end, datetime):
            raise PydanticCustomError("mixed", "Two dates, or two date-times: not one of each.")
        return end

    def period(self, zone: ZoneInfo) -> Span:
        """Half open."""
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            return self.start.astimezone(zone), self.end.astimezone(zone)
        return clock.days(self.start, self.end, zone)


class NewLoan(PeriodAsked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"start": "2026-05-03", "end": "2026-05-05", "message": "For a shelf. May I?"},
                {"start": "2026-05-03T09:00:00+02:00", "end": "2026-05-03T18:00:00+02:00"},
            ]
        }
    )

    message: str = Field("", max_length=MESSAGE_LONGEST, description="The first line of your room")
    accept_safety: bool = Field(False, description="You have read the tool's safety note")


class ActAsked(Asked):
    version: int | None = Field(
        None, ge=1, lt=ID_LIMIT, description="As you saw it: 409 if the loan has moved on"
    )


class ReasonAsked(ActAsked):
    reason: str = Field(
        "", max_length=rules.REASON_LONGEST, examples=["I need it myself that weekend."]
    )


class PlaceAsked(ActAsked):
    place: str = Field("", max_length=PLACE_LONGEST, examples=["Behind the blue door"])


class Party(Answered):
    id: int | None = Field(examples=[3], description="null: somebody without an account")
    name: str = Field(examples=["Ben Okafor"])


class ActOut(Answered):
    """Something that you may do with this loan, now or later: POST it to `href`."""

    act: Act
    href: str = Field(examples=["/api/v1/c/elm/loans/42/cancellation"])
    allowed: bool
    sentence: str | None = Field(None, description="Why not now")


class LoanOut(Answered):
    id: int = Field(examples=[42])
    state: State
    tool: Named
    borrower: Party
    lender: Named
    keepers: list[int] = Field(examples=[[]], description="Who lends it, too")
    start: datetime = Field(examples=["2026-05-03T00:00:00+02:00"])
    end: datetime = Field(examples=["2026-05-06T00:00:00+02:00"], description="Exclusive")
    first_day: date | None = Field(examples=["2026-05-03"], description="Of whole days only")
    last_day: date | None = Field(examples=["2026-05-05"], description="Inclusive")
    price_cents: int = Field(examples=[750], description="For the whole period")
    deposit_cents: int = Field(examples=[0], description="Paid between people, not by ToolShare")
    currency: str = Field(examples=["EUR"])
    version: int = Field(examples=[1])
    reason: str = Field(description="Why it was declined or cancelled, where somebody said so")
    place: str = Field(description="Where the borrower left it")
    requested_at: datetime
    expires_at: datetime | None = Field(description="Until when it waits for an answer")
    out_at: datetime | None
    back_at: datetime | None
    overdue: bool
    at_risk: bool = Field(description="Its tool is still out with somebody else, past the end")
    acts: list[ActOut]


class LoansAsked(Paged):
    state: list[State] = Field([], max_length=len(State), description="May be given many times")
    tool: Id | None = None


async def shapes(tx: db.Tx, found: Sequence[Loan], viewer: Viewer) -> list[LoanOut]:
    """One query more, however many loans: who has each tool in hand."""
    tools = {one.tool_id for one in found}
    unfinished = await queries.open_of_tools(tx, viewer.community_id, tools)
    holders = {one.tool_id: one for one in unfinished if one.in_hand}
    return [_shape(one, holders.get(one.tool_id), viewer, clock.now()) for one in found]


def _shape(one: Loan, holder: Loan | None, viewer: Viewer, now: datetime) -> LoanOut:
    here = viewer.here
    zone, waits = here.zone, one.state == State.REQUESTED
    whole = clock.is_midnight(one.start, zone) and clock.is_midnight(one.end, zone)
    last = clock.local_day(one.end - timedelta(microseconds=1), zone)
    return LoanOut(
        id=one.id,
        state=State(one.state),
        tool=Named(id=one.tool.id, name=one.tool.name),
        borrower=Party(id=one.borrower_id, name=telling.borrower_name(one)),
        lender=Named(id=one.lender.id, name=one.lender.name),
        keepers=list(one.keepers),
        start=one.start.astimezone(zone),
        end=one.end.astimezone(zone),
        first_day=clock.local_day(one.start, zone) if whole else None,
        last_day=last if whole else None,
        price_cents=one.price_cents,
        deposit_cents=one.deposit_cents,
        currency=here.currency,
        version=one.version,
        reason=one.reason,
        place=one.place,
        requested_at=one.requested_at.astimezone(zone),
        expires_at=one.expires_at.astimezone(zone) if waits else None,
        out_at=one.out_at and one.out_at.astimezone(zone),
        back_at=one.back_at and one.back_at.astimezone(zone),
        overdue=rules.is_late(one, now),
        at_risk=ripple.at_risk(one, holder, now),
        acts=_acts(one, holder, viewer, now),
    )


def _acts(one: Loan, holder: Loan | None, viewer: Viewer, now: datetime) -> list[ActOut]:
    part, found = rules.part_of(one, viewer), []
    for (state, act), (_, who) in MOVES.items():
        if state != one.state or act not in NOUNS or not part & who:
            continue
        why_not = rules.why_not(act, one, viewer, now)
        if act is Act.HAND_OVER and why_not is None:
            why_not = rules.why_not_while_out(one, holder)
        if act is Act.WAIT and why_not is None:
            why_not = ripple.why_not_wait(one, holder, now)
        found.append(
            ActOut(
                act=act,
                href=f"/api/v1{viewer.here.path}/loans/{one.id}/{NOUNS[act]}",
                allowed=why_not is None,
                sentence=why_not.sentence if why_not else None,
            )
        )
    return found
