"""What a page knows of the form it shows again: the typed words, and what was wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.errors import Refusal


@dataclass(frozen=True)
class Form:
    """`errors` by field; under the empty name what belongs to no field. Never holds a password."""

    post: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    status: int = 200
    see: str = ""  # the page of what stands in the way

    @classmethod
    def again(cls, refusal: Refusal, **typed: str) -> Form:
        said = " ".join(part for part in (refusal.sentence, refusal.way_out) if part)
        return cls(
            "", typed, {refusal.field_name or "": said}, "", refusal.status, refusal.see or ""
        )

    def to(self, post: str) -> Form:
        """The same, sent to this address."""
        return replace(self, post=post)
