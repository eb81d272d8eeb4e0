"""A tool as JSON: what hangs on the board, how it is lent, and what one asks of it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from app.board import queries as board
from app.board.search import Days
from app.http.schemas import Answered, Asked, Id, Named, Paged
from app.people.viewer import Viewer
from app.tools import grid, lending, rules
from app.tools.lending import LIMITS, Lending
from app.tools.models import Skill, ToolStatus

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS = get_args(Weekday)
CategorySlug = Annotated[str, Field(max_length=40, pattern="^[a-z0-9-]*$", examples=["drills"])]
Parts = Annotated[
    list[Annotated[str, Field(max_length=rules.NAME_LONGEST)]], Field(max_length=rules.PARTS_MOST)
]


def _of_the_list(metres: int) -> int:
    if metres not in grid.WITHIN:
        choices = ", ".join(map(str, grid.WITHIN))
        raise PydanticCustomError("distance", "One of {choices}.", {"choices": choices})
    return metres


Distance = Annotated[
    int, AfterValidator(_of_the_list), Field(json_schema_extra={"enum": list(grid.WITHIN)})
]


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


class StateOut(Answered):
    """What a tool's loans make of it now; never a name."""

    kind: str = Field(
        examples=["free"],
        description="free, asked, reserved, out, overdue, paused or maintenance",
    )
    words: str = Field(examples=["Reserved from Sat 3 May"])
    free_now: bool
    next_free: datetime | None = Field(description="null while nobody can say")


class CategoryName(Answered):
    slug: str = Field(examples=["drills"])
    name: str = Field(examples=["Drills and drivers"])


class WhereOut(Answered):
    """Never the place itself: whoever borrows it reads that in `/loans/{loan_id}/place`."""

    district: str | None = Field(examples=["Old Mill"])
    distance: str | None = Field(
        examples=["5 minutes' walk"],
        description="From your place, between squares of half a kilometre; null: not known",
    )


class ToolOut(Answered):
    id: int = Field(examples=[7])
    name: str = Field(examples=["Cordless drill"])
    category: CategoryName
    brand: str = Field(examples=["Makita"])
    description: str = Field(examples=["Two batteries and a set of bits."])
    skill: Skill = Field(description="Who can use it")
    price_cents: int = Field(examples=[250], description="A day; 0 is free")
    currency: str = Field(examples=["EUR"])
    parts: list[str] = Field(examples=[["Charger", "Bits"]], description="What comes with it")
    self_service: bool = Field(description="The borrower takes it and brings it back alone")
    owner: Named | None = Field(description="null: it belongs to the community")
    keepers: list[int] = Field(examples=[[]], description="Who lends a community's tool")
    place: WhereOut
    rules: RulesOut
    status: ToolStatus
    state: StateOut


class NewTool(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Cordless drill",
                    "category": "drills",
                    "description": "Two batteries and a set of bits.",
                    "brand": "Makita",
                    "price_cents": 250,
                }
            ]
        }
    )

    name: str = Field(max_length=rules.NAME_LONGEST)
    category: CategorySlug
    description: str = Field("", max_length=rules.DESCRIPTION_LONGEST)
    brand: str = Field("", max_length=rules.NAME_LONGEST)
    skill: Skill = Skill.ANYONE
    price_cents: int = Field(0, ge=0, le=rules.PRICE_HIGHEST, strict=True)
    rules: RulesAsked | None = Field(None, description="How it is lent; null: as is usual")
    parts: Parts = Field([], description="What comes with it, a name each")
    self_service: bool = False
    of_all: bool = Field(False, description="The community's, by a coordinator who keeps it first")
    answer: Id | None = Field(
        None, description="Of yours, to what somebody looks for: they are told of the tool"
    )


class ToolChanges(Asked):
    """What is absent or null stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"price_cents": 0, "description": "Now with a case."}]}
    )

    name: str | None = Field(None, max_length=rules.NAME_LONGEST)
    category: CategorySlug | None = None
    description: str | None = Field(None, max_length=rules.DESCRIPTION_LONGEST)
    brand: str | None = Field(None, max_length=rules.NAME_LONGEST)
    skill: Skill | None = None
    price_cents: int | None = Field(None, ge=0, le=rules.PRICE_HIGHEST, strict=True)
    rules: RulesAsked | None = None
    parts: Parts | None = None
    self_service: bool | None = None


class ToolsAsked(Paged):
    q: Annotated[str, AfterValidator(rules.clean)] = Field(
        "",
        max_length=100,
        description="Words of name, brand, category or description; typos are forgiven",
    )
    category: CategorySlug = ""
    free: bool = Field(False, description="Only what can be taken now")
    free_from: date | None = Field(
        None, examples=["2026-05-01"], description="Only what is free on all days from this one on"
    )
    free_to: date | None = Field(
        None, examples=["2026-05-03"], description="Inclusive; without it, that one day"
    )

    max_price_cents: int | None = Field(None, ge=0, le=rules.PRICE_HIGHEST, description="A day")
    skill: Skill | None = Field(None, description="Only what asks for no more than this")
    lender: Id | None = Field(None, description="Only what this person lends")
    district: Id | None = Field(None, description="Only what is there, see `/districts`")
    distance: Distance | None = Field(
        None, examples=[1500], description="Metres, at most; from the place that you have given"
    )

    @property
    def days(self) -> Days | None:
        first, last = self.free_from or self.free_to, self.free_to or self.free_from
        return (first, last) if first and last else None


def shape_rules(now: Lending) -> RulesOut:
    windows = [
        WindowOut(weekday=WEEKDAYS[one.weekday], opens=one.opens, closes=one.closes)
        for one in now.windows
    ]
    named = {name: getattr(now, name) for name in Lending.__dataclass_fields__}
    return RulesOut(**{**named, "windows": windows})


def shape(one: board.Seen, viewer: Viewer, near: int | None) -> ToolOut:
    """`near`: the cell from which the viewer has it so far."""
    tool, now, here = one.tool, one.state, viewer.here
    return ToolOut(
        id=tool.id,
        name=tool.name,
        category=CategoryName(slug=tool.category.slug, name=tool.category.name),
        brand=tool.brand,
        skill=Skill(tool.skill),
        description=tool.description,
        price_cents=tool.price_cents,
        currency=here.currency,
        parts=[line for line in tool.parts.split("\n") if line],
        self_service=tool.self_service,
        owner=Named(id=tool.owner.id, name=tool.owner.name) if tool.owner else None,
        keepers=list(tool.keepers),
        place=WhereOut(
            district=tool.district.name if tool.district else None,
            distance=grid.words(near, tool.cell) or None,
        ),
        rules=shape_rules(tool.lending),
        status=one.status,
        state=StateOut(
            kind=now.kind,
            words=f"{now.words} {now.when}".strip(),
            free_now=now.free_now,
            next_free=now.next_free and now.next_free.astimezone(here.zone),
        ),
    )
