"""What a mail says about how to get no more of it: signed, since it must work without a session."""

from __future__ import annotations

import hashlib
import hmac

from app.notices.kinds import Group
from app.settings import settings


def token(person_id: int, group: Group) -> str:
    """Works as long as SECRET_KEY does: whoever finds an old mail may still be done with it."""
    return f"{person_id}.{group}.{_signature(person_id, group)}"


def read(text: str) -> tuple[int, Group] | None:
    """Whose mail about what, if we have signed it."""
    number, _, rest = text.partition(".")
    name, _, signature = rest.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 19 and name in set(Group)):
        return None
    person_id, group = int(number), Group(name)
    for previous in (False, True) if settings.previous_secret_key else (False,):
        expected = _signature(person_id, group, previous=previous)
        if hmac.compare_digest(expected.encode(), signature.encode()):
            return person_id, group
    return None


def _signature(person_id: int, group: Group, *, previous: bool = False) -> str:
    key = settings.key_for("unsubscribe", previous=previous)
    return hmac.new(key, f"{person_id}.{group}".encode(), hashlib.sha256).hexdigest()[:32]
