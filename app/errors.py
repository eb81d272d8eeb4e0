"""What can go wrong on purpose: each is a sentence for a neighbour, with a way out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

Span = tuple[datetime, datetime]


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an accident
    """Not possible now. `free` holds the nearest free periods as half-open instants.

    `see` is the page of what stands in the way, if that is the asking person's own.
    """

    sentence: str
    way_out: str | None = None
    lifted_by: str | None = None
    free: Sequence[Span] = field(default=())
    status: int = 409
    code: str = "refused"
    field_name: str | None = None
    see: str | None = None

    def __str__(self) -> str:
        return self.sentence


@dataclass(eq=False)
class Conflict(Refusal):
    """A race was lost, or the dates are taken."""

    code: str = "conflict"


def mistyped(field_name: str, sentence: str, way_out: str | None = None) -> Refusal:
    """A form field that cannot be taken as it is; the page keeps the typed text."""
    return Refusal(sentence, way_out, status=422, code="mistyped", field_name=field_name)


class NotFound(Exception):  # noqa: N818
    """Not there, or not for this person: both look the same from outside."""


class SignInNeeded(Exception):  # noqa: N818
    """A page asks to sign in, the API answers 401."""


class NotYet(Exception):  # noqa: N818
    """Signed in, but not an active member: the page says what they wait for."""
