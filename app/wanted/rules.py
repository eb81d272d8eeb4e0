"""What may be asked for, who may answer, and who ends it."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app import clock
from app.errors import Refusal, mistyped
from app.people.viewer import Viewer
from app.tools.lending import HORIZON_DAYS
from app.tools.rules import NAME_LONGEST, clean
from app.wanted.models import Wanted, WantedState

LONGEST = 140  # characters of what is wanted, and of an answer
MOST = 5  # that one person asks for at a time
ANSWERS_MOST = 10  # to one of them
LASTS = timedelta(days=14)
KEPT = timedelta(days=30)  # after its end, then it is deleted
REASON_LONGEST = 500
I_HAVE_ONE = "I have one."
ARTICLE = re.compile(r"(a|an|the|some|any)\s+", re.I)
GONE = Refusal(
    "This is not wanted any more.", "Look at what else neighbours need.", code="not_wanted"
)


def check_words(text: str) -> str:
    """One line. Raises Refusal."""
    words = " ".join(clean(text).split())
    if not words:
        raise mistyped("words", "Say what you need.", "A few words will do: “a tile cutter”.")
    return _short(words, "words", LONGEST)


def check_answer(text: str) -> str:
    return _short(" ".join(clean(text).split()) or I_HAVE_ONE, "words", LONGEST)


def check_reason(text: str) -> str:
    reason = " ".join(clean(text).split())
    if not reason:
        raise mistyped("reason", "Say why, in a few words.", "Others have to decide by it.")
    return _short(reason, "reason", REASON_LONGEST)


def _short(text: str, field_name: str, longest: int) -> str:
    if len(text) > longest:
        raise mistyped(field_name, f"That may have {longest} characters.", "Shorten it.")
    return text


def days_from(start: str, end: str) -> tuple[date, date] | None:
    """Two typed days; one alone is both. Raises Refusal that names the field."""
    found = []
    for name, typed in (("start", start or end), ("end", end or start)):
        try:
            found.append(date.fromisoformat(typed) if typed else None)
        except ValueError:
            raise mistyped(name, "That is not a day.", "Write it like 2026-05-31.") from None
    first, last = found
    return (first, last) if first and last else None


def check_days(days: tuple[date, date] | None, today: date) -> None:
    if days is None:
        return
    first, last = days
    if last < first:
        raise mistyped("end", "The last day comes before the first.", "Choose a later day.")
    if last < today:
        raise mistyped("end", "These days are over.", "Choose days from today on.")
    if last > today + timedelta(days=HORIZON_DAYS):
        raise mistyped("end", f"Ask up to {HORIZON_DAYS} days ahead.", "Choose an earlier day.")


def ends_at(days: tuple[date, date] | None, zone: ZoneInfo, now: datetime) -> datetime:
    """After two weeks by itself, and never while its days are still to come, nor after them."""
    if days is None:
        return now + LASTS
    return clock.days(*days, zone)[1]


def why_not_ask(open_ones: int) -> Refusal | None:
    if open_ones >= MOST:
        return Refusal(f"You ask for {MOST} things already.", "Take one of them back first.")
    return None


def why_not_answer(wanted: Wanted, by: Viewer, answers: int) -> Refusal | None:
    if wanted.state != WantedState.OPEN:
        return GONE
    if wanted.person_id == by.person_id:
        return Refusal("This is what you ask for yourself.", "Take it back if you have found one.")
    if answers >= ANSWERS_MOST:
        return Refusal("Many have answered this already.", "Look whether it still stands tomorrow.")
    return None


def why_not_end(wanted: Wanted, by: Viewer) -> Refusal | None:
    if wanted.person_id == by.person_id:
        return None
    return Refusal(
        "Only who asks for it can take it back.", lifted_by="who asks for it", status=403
    )


def why_not_report(wanted: Wanted, by: Viewer) -> Refusal | None:
    if wanted.person_id == by.person_id:
        return Refusal("These are your own words.", "Take them back instead.")
    return None


def name_for(words: str) -> str:
    """What a tool for this may be called: “a tile cutter, this weekend” is a “Tile cutter”."""
    name = ARTICLE.sub("", words.split(",")[0].strip(), count=1)[:NAME_LONGEST].strip(" .!?")
    return name[:1].upper() + name[1:]
