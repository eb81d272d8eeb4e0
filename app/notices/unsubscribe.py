"""What a mail says about how to get no more of it: signed, since it must work without a session."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection

from app.notices.kinds import Group
from app.settings import settings


def token(person_id: int, groups: Collection[Group]) -> str:
    """Works as long as SECRET_KEY does: whoever finds an old mail may still be done with it."""
    names = "-".join(group for group in Group if group in groups)
    return f"{person_id}.{names}.{_signature(person_id, names)}"


def read(text: str) -> tuple[int, list[Group]] | None:
    """Whose mail about what, if we have signed it."""
    number, _, rest = text.partition(".")
    names, _, signature = rest.partition(".")
    groups = names.split("-")
    if not (number.isascii() and number.isdecimal() and len(number) < 20):
        return None
    if not set(groups) <= set(Group):
        return None
    person_id = int(number)
    for previous in (False, True) if settings.previous_secret_key else (False,):
        expected = _signature(person_id, names, previous=previous)
        if hmac.compare_digest(expected.encode(), signature.encode()):
            return person_id, [Group(name) for name in groups]
    return None


def _signature(person_id: int, names: str, *, previous: bool = False) -> str:
    key = settings.key_for("unsubscribe", previous=previous)
    return hmac.new(key, f"{person_id}.{names}".encode(), hashlib.sha256).hexdigest()[:32]
