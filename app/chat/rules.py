"""Who may write, and what."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.chat.models import Message, MessageKind
from app.errors import Refusal, mistyped

LONGEST = 4000
REASON_LONGEST = 500
EDIT_WITHIN = timedelta(minutes=15)


def clean(text: str) -> str:
    """The message as it is kept: line ends made alike, outer blanks and NULs gone."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def why_not_say(text: str, *, participant: bool, photo: bool = False) -> Refusal | None:
    """`text` is already clean; beside a photo there may be none."""
    if not participant:
        return Refusal("Only the two of you can write here.", status=403)
    if not text and not photo:
        return mistyped("body", "The message is empty.", "Write something first.")
    if len(text) > LONGEST:
        return mistyped(
            "body",
            f"That is {len(text)} characters; a message may have {LONGEST}.",
            "Send it in two parts.",
        )
    return None


def why_not_edit(message: Message, by: int, now: datetime) -> Refusal | None:
    """Whether its words can still be changed."""
    if refusal := why_not_remove(message, by):
        return refusal
    if now >= message.created_at + EDIT_WITHIN:
        return Refusal(
            "A message can be changed for 15 minutes.",
            "Write another one, or take this one back.",
            code="too_late",
        )
    return None


def why_not_remove(message: Message, by: int) -> Refusal | None:
    """Whether this person can take it back."""
    if message.kind == MessageKind.NOTE or message.author_id != by:
        return Refusal("Only who wrote a message can do this.", status=403)
    if message.removed_at is not None:
        return Refusal("This message has been taken back.", code="removed")
    return None


def why_not_report(message: Message, by: int) -> Refusal | None:
    """Whether somebody can show it to the coordinators."""
    if message.kind == MessageKind.NOTE or message.author_id is None:
        return Refusal("This is a line of the room itself.", "Report what somebody has said.")
    if message.author_id == by:
        return Refusal("These are your own words.", "You can take them back.")
    if message.removed_at is not None:
        return Refusal("This message has been taken back.", code="removed")
    return None


def check_reason(text: str) -> str:
    """What a report says, and what came of it: a sentence that somebody else reads."""
    reason = clean(text)
    if not reason:
        raise mistyped("reason", "Say why, in a few words.", "Somebody else has to understand it.")
    if len(reason) > REASON_LONGEST:
        raise mistyped("reason", f"That may have {REASON_LONGEST} characters.", "Shorten it.")
    return reason
