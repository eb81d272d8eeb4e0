"""Who may join and who may act on whom, and what names and addresses may look like."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email

from app import clock
from app.errors import NotFound, Refusal, mistyped
from app.people.models import Community, JoinLink, JoinRule, Membership, Role, Status
from app.people.viewer import Apart, Viewer

NAME_LENGTH, NOTE_LENGTH, EMAIL_LENGTH = 80, 500, 254
TURNED_AWAY_FOR = timedelta(days=7)
COORDINATING = (Role.COORDINATOR, Role.ADMIN)

BAD_SIGN_IN = "sign_in"


def plain(text: str) -> str:
    """Trimmed, in one Unicode form, with single spaces: what people meant to type."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def check_name(text: str, field: str = "name") -> str:
    """A person's or a community's name. Raises Refusal with the field."""
    name = plain(text)
    if not name:
        raise mistyped(field, "A name is needed.", "Write what your neighbours call you.")
    if len(name) > NAME_LENGTH:
        raise mistyped(field, f"A name has at most {NAME_LENGTH} characters.")
    if _unprintable(name):
        raise mistyped(field, "This name has characters that cannot be seen.", "Leave them out.")
    return name


def check_note(text: str) -> str:
    note = unicodedata.normalize("NFC", text).strip()
    if len(note) > NOTE_LENGTH:
        raise mistyped("note", f"The note has at most {NOTE_LENGTH} characters.")
    if _unprintable(note.replace("\n", "").replace("\r", "")):
        raise mistyped("note", "The note has characters that cannot be seen.", "Leave them out.")
    return note


def check_email(text: str) -> str:
    """An address as it is kept: trimmed, its domain in lower case. Nothing is sent to find out."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except (EmailNotValidError, UnicodeError):
        raise mistyped(
            "email", "This is not an e-mail address.", "It looks like name@example.org."
        ) from None


def check_zone(text: str) -> str:
    if text not in clock.zones():
        raise mistyped("zone", "Choose one of the time zones.", "For example Europe/London.")
    return str(ZoneInfo(text))


def check_slug(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,39}", text):
        raise mistyped("slug", "A short name has 2 to 40 small letters, digits and dashes.")
    return text


def slug_of(name: str) -> str:
    """A short name for addresses, from a name: 'Elm Street' becomes 'elm-street'."""
    letters = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:40].strip("-")
    return slug if len(slug) > 1 else "neighbours"


def _unprintable(text: str) -> bool:
    """Control characters, and those that turn the direction of what follows."""
    return any(unicodedata.category(letter) in ("Cc", "Cs", "Co") for letter in text) or bool(
        re.search("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]", text)
    )


def bad_sign_in() -> Refusal:
    """The same for an unknown address and for a wrong password."""
    return Refusal(
        "This e-mail and password do not belong together.",
        "If you forgot it, the coordinator of your community can make you a new start.",
        status=422,
        code=BAD_SIGN_IN,
        field_name="password",
    )


def why_not_use(link: JoinLink | None, now: datetime) -> Refusal | None:
    """Unknown, expired, ended and used up look the same: nothing to learn from guessing."""
    if link is None or link.uses_left < 1 or link.expires_at <= now:
        return Refusal(
            "This invitation is not valid any more.",
            "Ask a neighbour or the coordinator for a new one.",
            status=422,
            code="invitation",
            field_name="code",
        )
    return None


def why_not_join(standing: Membership | None) -> Refusal | None:
    """Whether who stands like this may come in through an invitation or an open door."""
    if standing is not None and standing.status == Status.SUSPENDED:
        return Refusal(
            "Your membership is suspended.",
            "Talk to the coordinator.",
            lifted_by="coordinator",
            status=403,
            code="suspended",
        )
    return None


def why_not_ask(community: Community, standing: Membership | None, now: datetime) -> Refusal | None:
    """Raises NotFound where nobody may ask: such a community does not show itself."""
    if community.join_rule == JoinRule.INVITE:
        raise NotFound
    if refusal := why_not_join(standing):
        return refusal
    if standing and standing.removed_at and now < standing.removed_at + TURNED_AWAY_FOR:
        return Refusal(
            "A coordinator has said no.",
            "You can ask again a week later, or talk to them.",
            lifted_by="coordinator",
            status=403,
        )
    return None


def status_after_joining(
    community: Community, standing: Membership | None, *, invited: bool
) -> Status:
    """Invitations and open doors make active members at once, unless somebody was sent away."""
    if standing is not None and standing.status == Status.ACTIVE:
        return Status.ACTIVE
    if standing is not None and standing.removed_at is not None:
        return Status.PENDING
    return Status.ACTIVE if invited or community.join_rule == JoinRule.OPEN else Status.PENDING


def why_not_coordinate(by: Viewer) -> Refusal | None:
    if not by.is_coordinator:
        return Refusal(
            "Only a coordinator can do this.", lifted_by="coordinator", status=403, code="forbidden"
        )
    return None


def why_not_block(person_id: int, by: Viewer) -> Refusal | None:
    if person_id == by.person_id:
        return mistyped("person", "You cannot block yourself.")
    return None


def why_not_write_to(apart: Apart | None) -> Refusal | None:
    """In a room of the two. What was said stays there to be read."""
    if apart is None:
        return None
    if apart.mine:
        return Refusal(
            f"You blocked {apart.first_name}.",
            "End the block in your profile to write.",
            status=403,
            code="blocked",
        )
    return Refusal(
        "Nobody can write in this room at the moment.",
        "If something is still to be settled, a coordinator can help.",
        status=403,
    )


def why_not_reset(standing: Membership | None, by: Viewer, highest: Role) -> Refusal | None:
    """`highest` is the strongest role that the person holds in any community.

    Raises NotFound for who is not in the community.
    """
    if refusal := why_not_coordinate(by):
        return refusal
    if standing is None or standing.status not in (Status.ACTIVE, Status.SUSPENDED):
        raise NotFound
    if standing.person_id == by.person_id:
        return Refusal("This is your own account.", "Change the password in your profile.")
    if highest is Role.ADMIN:
        return Refusal(
            "Nobody can make a new start for an admin.",
            "Whoever runs this server can help.",
            status=403,
        )
    if highest is Role.COORDINATOR and by.role != Role.ADMIN:
        return Refusal(
            "Only an admin can make a new start for a coordinator.", lifted_by="admin", status=403
        )
    return None
