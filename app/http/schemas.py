"""Shapes that every part of the JSON API shares: problems, pages of a list, ids, cursors, keys."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Header, Path, Request
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.http import idempotency

Item = TypeVar("Item")
ID_LIMIT = 2**62
ToolKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[7])]
LoanKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[42])]
Id = Annotated[int, Field(ge=1, lt=ID_LIMIT)]


class Asked(BaseModel):
    """What a program sends: a field that we do not know is refused, not passed over."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Answered(BaseModel):
    model_config = ConfigDict(frozen=True)


class Named(Answered):
    id: int = Field(examples=[2])
    name: str = Field(examples=["Ada Moreno"])


class Period(Answered):
    """Half open: `end` is the first instant that does not belong to it any more."""

    start: datetime = Field(examples=["2026-05-03T00:00:00+02:00"])
    end: datetime = Field(examples=["2026-05-06T00:00:00+02:00"])


class FieldError(Answered):
    field: str = Field(examples=["body.end"])
    detail: str = Field(examples=["Two dates, or two date-times: not one of each."])


class Problem(Answered):
    """RFC 9457: what was not possible, as a sentence, and a way out of it."""

    type: str = Field(description="`/problems/` and a code to branch on")
    title: str
    status: int
    detail: str = Field(description="A sentence for people")
    way_out: str | None = Field(None, description="What they can do instead")
    lifted_by: str | None = Field(None, description="Who could make it possible")
    free: list[Period] | None = Field(
        None, description="With a conflict of dates: the free periods nearest to the wanted one"
    )
    see: str | None = Field(None, description="What of yours stands in the way")
    errors: list[FieldError] | None = Field(None, description="With 422: the fields to look at")
    request_id: str | None = Field(None, description="To find this request in the log")


class Listed(Answered, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(
        description="Send it as `cursor` for the page after this one; null: this is the last"
    )


DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
YEARS = range(2000, 2200)


def _day_or_instant(given: object) -> date | datetime:
    """A day, or an instant: a date-time without an offset would be a guess."""
    text = given if isinstance(given, str) else ""
    try:
        if DAY.fullmatch(text):
            found = date.fromisoformat(text)
        elif INSTANT.fullmatch(text):
            found = datetime.fromisoformat(text)
        else:
            raise ValueError
    except ValueError:
        raise PydanticCustomError(
            "day_or_instant", "A date like 2026-05-03, or a date-time like 2026-05-03T18:00+02:00."
        ) from None
    if isinstance(found, datetime) and found.tzinfo is None:
        raise PydanticCustomError("naive", "A date-time needs an offset, like +02:00 or Z.")
    if found.year not in YEARS:
        raise PydanticCustomError("too_far", "That is too far away.")
    return found


DayOrInstant = Annotated[
    date | datetime,
    PlainValidator(_day_or_instant),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date"},
                {"type": "string", "format": "date-time"},
            ],
            "examples": ["2026-05-03", "2026-05-03T18:00:00+02:00"],
        }
    ),
]


def _id_in(cursor: object) -> int | None:
    """Where the page before ended. Opaque, so that we may change what stands in it."""
    if cursor is None:
        return None
    try:
        last = int(base64.b64decode(str(cursor), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        last = -1
    if not 0 <= last < ID_LIMIT:
        raise PydanticCustomError("cursor", "This is not the `next` of a page.")
    return last


Cursor = Annotated[
    int | None,
    PlainValidator(_id_in),
    WithJsonSchema({"type": "string", "description": "`next` of the page before"}),
]


class Paged(Asked):
    """The query of a list: how many, and from where on."""

    limit: int = Field(50, ge=1, le=100)
    cursor: Cursor = None


def cursor_after(last: int) -> str:
    return base64.urlsafe_b64encode(str(last).encode("ascii")).decode("ascii")


async def _key(
    request: Request,
    _: Annotated[
        str | None,
        Header(
            alias=idempotency.HEADER,
            description="Any text of your own, at most 200 characters. The same key with the same "
            "body within 24 hours is the same command: it is done once and answered alike.",
            examples=["6f1c0d7e-borrow-the-drill"],
        ),
    ] = None,
) -> str | None:
    return idempotency.key_of(request)


Key = Annotated[str | None, Depends(_key)]

SENTENCES = {
    401: ("sign-in", "Sign in first", "No valid token", "Please sign in first."),
    403: (
        "refused",
        "Not allowed",
        "Not for this person: it says who can",
        "Only the lender or a coordinator can do this.",
    ),
    404: (
        "not-found",
        "Not found",
        "Nothing here, or nothing that you may see",
        "There is nothing here, or nothing that you may see.",
    ),
    409: (
        "conflict",
        "Not possible now",
        "Not possible now; where dates are taken, with the nearest free periods",
        "Somebody has the tool in these dates.",
    ),
    422: (
        "mistyped",
        "Please check",
        "Something in the request cannot be taken, or the key was used with another body",
        "Please check: end.",
    ),
    429: (
        "too-many",
        "Too many tries",
        "Too often in a short time; see `Retry-After`",
        "That was too often in a short time.",
    ),
}
MORE: dict[int, dict[str, Any]] = {
    403: {"lifted_by": "the lender or a coordinator"},
    409: {
        "way_out": "Choose other dates; the nearest free ones are below.",
        "free": [{"start": "2026-05-06T22:00:00Z", "end": "2026-05-20T22:00:00Z"}],
    },
    422: {"errors": [{"field": "body.end", "detail": "The end comes before the start."}]},
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documents the problems a route can answer with, beside those that all have."""
    every = sorted({401, 403, 404, *statuses})
    return {status: _documented(status, *SENTENCES[status]) for status in every}


CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": {"Location": {"description": "Where it lives", "schema": {"type": "string"}}}}
}


def _documented(status: int, code: str, title: str, when: str, detail: str) -> dict[str, Any]:
    example = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        **MORE.get(status, {}),
    }
    schema = {"$ref": "#/components/schemas/Problem"}  # put there by docs.describe
    content = {"application/problem+json": {"schema": schema, "example": example}}
    return {"description": when, "content": content}
