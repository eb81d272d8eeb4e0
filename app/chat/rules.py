"""Who may write, and what."""

from app.errors import Refusal, mistyped

LONGEST = 4000


def clean(text: str) -> str:
    """The message as it is kept: line ends made alike, outer blanks and NULs gone."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def why_not_say(text: str, *, participant: bool) -> Refusal | None:
    """`text` is already clean."""
    if not participant:
        return Refusal("Only the two of you can write here.", status=403)
    if not text:
        return mistyped("body", "The message is empty.", "Write something first.")
    if len(text) > LONGEST:
        return mistyped(
            "body",
            f"That is {len(text)} characters; a message may have {LONGEST}.",
            "Send it in two parts.",
        )
    return None
