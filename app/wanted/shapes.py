"""What is wanted, as JSON."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import ConfigDict, Field

from app.http.schemas import Answered, Asked, Named
from app.people.viewer import Viewer
from app.wanted import rules
from app.wanted.models import Wanted, WantedAnswer, WantedState


class WantedAnswerOut(Answered):
    id: int = Field(examples=[5])
    person: Named
    words: str = Field(examples=["I have one."])
    tool_id: int | None = Field(description="What they have listed for it")
    at: datetime


class WantedOut(Answered):
    id: int = Field(examples=[12])
    person: Named
    words: str = Field(examples=["A tile cutter, this weekend"])
    category: str | None = Field(examples=["drills"], description="Its slug; null: any")
    start: date | None = Field(description="First and last day, both inclusive; null: any days")
    end: date | None
    state: WantedState = Field(description="open; answered: a tool was listed for it")
    at: datetime
    ends_at: datetime
    answers: list[WantedAnswerOut]


class NewWanted(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "words": "A tile cutter, this weekend",
                    "start": "2026-05-02",
                    "end": "2026-05-03",
                }
            ]
        }
    )

    words: str = Field(max_length=rules.LONGEST)
    category: str = Field("", max_length=40, pattern="^[a-z0-9-]*$", description="Its slug")
    start: date | None = None
    end: date | None = None

    @property
    def days(self) -> tuple[date, date] | None:
        first, last = self.start or self.end, self.end or self.start
        return (first, last) if first and last else None


class NewAnswer(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"words": "I have one."}]})

    words: str = Field("", max_length=rules.LONGEST)


class Because(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "This is no tool."}]})

    reason: str = Field(max_length=rules.REASON_LONGEST)


def shape(wanted: Wanted, viewer: Viewer) -> WantedOut:
    zone = viewer.here.zone
    return WantedOut(
        id=wanted.id,
        person=Named(id=wanted.person.id, name=wanted.person.name),
        words=wanted.words,
        category=wanted.category.slug if wanted.category else None,
        start=wanted.first_day,
        end=wanted.last_day,
        state=WantedState(wanted.state),
        at=wanted.created_at.astimezone(zone),
        ends_at=wanted.ends_at.astimezone(zone),
        answers=[_answer(one, viewer) for one in wanted.answers],
    )


def _answer(answer: WantedAnswer, viewer: Viewer) -> WantedAnswerOut:
    return WantedAnswerOut(
        id=answer.id,
        person=Named(id=answer.person.id, name=answer.person.name),
        words=answer.words,
        tool_id=answer.tool_id,
        at=answer.created_at.astimezone(viewer.here.zone),
    )
