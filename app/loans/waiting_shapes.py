"""The shapes of waitlists in JSON."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app import clock
from app.errors import Span
from app.http.schemas import Answered, Asked, DayOrInstant, Id, Named, Period
from app.loans import rules
from app.people.viewer import Here
from app.tools.lending import LIMITS


class NewWish(Asked):
    """Two days, both inclusive, or two date-times; or any days of a length; or a lost request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"start": "2026-05-03", "end": "2026-05-05"}, {"days": 2}, {"like": 42}]
        }
    )

    start: DayOrInstant | None = None
    end: DayOrInstant | None = None
    days: int | None = Field(
        None, ge=1, le=LIMITS["longest_days"][1], description="Any, in a row, as the tool is lent"
    )
    like: Id | None = Field(None, description="A request of yours: the same dates")

    @model_validator(mode="after")
    def _one_of_them(self) -> NewWish:
        dates = self.start is not None and self.end is not None
        if (self.start is None) != (self.end is None) or dates + (self.days is not None) + (
            self.like is not None
        ) != 1:
            raise PydanticCustomError("what", "Send start and end, or days, or like: one of them.")
        if isinstance(self.start, datetime) != isinstance(self.end, datetime):
            raise PydanticCustomError("mixed", "Two dates, or two date-times: not one of each.")
        return self

    def period(self, here: Here) -> Span | None:
        if self.start is None or self.end is None:
            return None
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            return self.start.astimezone(here.zone), self.end.astimezone(here.zone)
        return clock.days(self.start, self.end, here.zone)


class OfferTaken(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"accept_safety": True}]})

    accept_safety: bool = Field(False, description="You have read the tool's safety note")


class MoveAsked(Asked):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"person": 4, "place": 1, "reason": "A broken pipe."}]}
    )

    person: Id
    place: int = Field(ge=1, le=1000)
    reason: str = Field(max_length=rules.REASON_LONGEST, description="Both are told")


class OfferOut(Period):
    """Dates that are kept for you."""

    until: datetime
    seconds_left: int = Field(
        examples=[41_000], description="The countdown stands still at night, from 22:00 to 07:00"
    )


class WishOut(Answered):
    """What you wait for."""

    tool: Named
    start: datetime | None = Field(description="null: any days")
    end: datetime | None
    days: int | None = Field(examples=[2], description="In a row; null: the dates above")
    place: int = Field(examples=[2], description="1 is next")
    length: int = Field(examples=[3], description="How many wait, you among them")
    probably_from: datetime | None = Field(description="null: nobody can say")
    sentence: str = Field(examples=["Probably from Tue 6 May."])
    offer: OfferOut | None


class InLine(Answered):
    person: Named
    start: datetime | None
    end: datetime | None
    days: int | None
    place: int
    offered: Period | None


class WaitlistOut(Answered):
    length: int = Field(examples=[3])
    mine: WishOut | None = Field(description="null: you do not wait for it")
    line: list[InLine] | None = Field(description="For the lender and coordinators")
