"""The lending rules of a tool as JSON."""

from __future__ import annotations

from datetime import time
from typing import Any, Literal, get_args

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from app.http.schemas import Answered, Asked
from app.tools import lending
from app.tools.lending import LIMITS, Lending

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS = get_args(Weekday)


class WindowOut(Answered):
    """Hours of a weekday in which it can be fetched and brought back, in the community's zone."""

    weekday: Weekday = Field(examples=["sat"])
    opens: time = Field(examples=["09:00"])
    closes: time = Field(examples=["12:00"])


class WindowAsked(Asked):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"weekday": "sat", "opens": "09:00", "closes": "12:00"}]}
    )

    weekday: Weekday
    opens: time
    closes: time

    @field_validator("opens", "closes")
    @classmethod
    def _plain(cls, at: time) -> time:
        if at.tzinfo is not None or at.second or at.microsecond:
            raise PydanticCustomError("time", "A time of day like 17:30, without an offset.")
        return at


class RulesOut(Answered):
    shortest_hours: int = Field(examples=[0])
    longest_days: int = Field(examples=[7])
    notice_hours: int = Field(examples=[0], description="How long before somebody has to ask")
    horizon_days: int = Field(examples=[90], description="How far ahead")
    buffer_hours: int = Field(examples=[0], description="Its rest after each loan")
    windows: list[WindowOut] = Field(description="Empty: at any time")
    deposit_cents: int = Field(examples=[0], description="Paid between people, not by ToolShare")
    auto_approve: bool = Field(description="Whom the owner trusts has it at once")
    safety: str = Field(description="Whoever asks has to accept it; empty: nothing to mind")


def _within(name: str) -> Any:
    least, most = LIMITS[name]
    return Field(None, ge=least, le=most, strict=True)


class RulesAsked(Asked):
    """What is absent or null stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"longest_days": 3, "notice_hours": 24}]}
    )

    shortest_hours: int | None = _within("shortest_hours")
    longest_days: int | None = _within("longest_days")
    notice_hours: int | None = _within("notice_hours")
    horizon_days: int | None = _within("horizon_days")
    buffer_hours: int | None = _within("buffer_hours")
    windows: list[WindowAsked] | None = Field(None, max_length=7)
    deposit_cents: int | None = _within("deposit_cents")
    auto_approve: bool | None = None
    safety: str | None = Field(None, max_length=lending.SAFETY_LONGEST)

    def over(self, now: Lending) -> Lending:
        """The rules as they are, with these changes."""
        given = self.model_dump(exclude_none=True, exclude={"windows"})
        kept = {name: getattr(now, name) for name in Lending.__dataclass_fields__}
        if self.windows is not None:
            given["windows"] = tuple(
                lending.Window(WEEKDAYS.index(one.weekday), one.opens, one.closes)
                for one in self.windows
            )
        return Lending(**(kept | given))


def shape(rules: Lending) -> RulesOut:
    windows = [
        WindowOut(weekday=WEEKDAYS[one.weekday], opens=one.opens, closes=one.closes)
        for one in rules.windows
    ]
    named = {name: getattr(rules, name) for name in Lending.__dataclass_fields__}
    return RulesOut(**{**named, "windows": windows})
