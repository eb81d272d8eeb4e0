"""Reading a story: scenes of lines, and the instants that their words for time mean.

jigsaw: gus, +2 to +3                     a loan: tool, borrower, first and last day (0: today)
  -4 18:05     gus asks: May I?           day and local time, who, what, in which words
  90 min ago   ada approves               minutes awake: nobody writes in the middle of the night
  -1 17:39     ada notes: worn [blade]    with a photo that was taken then
barbecue: ben, sat to sun                 the weekend that comes next
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app import clock

MORNING, NIGHT = time(8), time(21, 30)
SCENE = re.compile(
    r"(?P<tool>[a-z-]+):(?: (?P<borrower>[a-z]+), (?P<first>.+?)(?: to (?P<last>.+))?)?"
)
LINE = re.compile(
    r"(?P<at>[+-]\d+ \d\d:\d\d|\d+ min ago) +(?P<who>[a-z]+) (?P<does>[a-z ]+)"
    r"(?:: (?P<words>.+?))?(?: \[(?P<shot>[a-z-]+)\])?"
)
SATURDAY = 5


@dataclass(frozen=True)
class Line:
    """Somebody does something."""

    at: str
    who: str
    does: str
    words: str = ""
    shot: str = ""


@dataclass(frozen=True)
class Scene:
    """What happens around one loan; without a borrower around a tool alone."""

    tool: str
    borrower: str = ""
    first: str = ""
    last: str = ""
    lines: list[Line] = field(default_factory=list)


def scenes(text: str) -> Iterator[Scene]:
    """Raises ValueError with the line that cannot be read."""
    scene: Scene | None = None
    for number, written in enumerate(text.splitlines(), 1):
        if not written.strip() or written.startswith("#"):
            continue
        if not written.startswith(" "):
            if scene is not None:
                yield scene
            found = _match(SCENE, written, number)
            scene = Scene(
                found["tool"], found["borrower"], found["first"], found["last"] or found["first"]
            )
        elif scene is None:
            raise ValueError(f"line {number} belongs to no scene")
        else:
            scene.lines.append(Line(**_match(LINE, written.strip(), number)))
    if scene is not None:
        yield scene


def _match(form: re.Pattern[str], written: str, number: int) -> dict[str, str]:
    found = form.fullmatch(written)
    if found is None:
        raise ValueError(f"line {number} cannot be read: {written}")
    return found.groupdict(default="")


@dataclass(frozen=True)
class Calendar:
    """Turns the story's words for time into instants, as seen from `now`."""

    now: datetime
    zone: ZoneInfo

    def instant(self, words: str) -> datetime:
        """'-4 18:05' or '90 min ago', in UTC."""
        if words.endswith(" min ago"):
            return self._awake(timedelta(minutes=int(words.removesuffix(" min ago"))))
        day, at = words.split()
        return self._at(int(day), time.fromisoformat(at))

    def period(self, first: str, last: str) -> tuple[datetime, datetime]:
        """Whole days, both inclusive, or instants; half-open in UTC."""
        today = clock.local_day(self.now, self.zone)
        start, end = (
            self.instant(words)
            if " " in words
            else clock.day_start(today + timedelta(days=self._days(words) + further), self.zone)
            for words, further in ((first, 0), (last, 1))
        )
        return start, end

    def _days(self, words: str) -> int:
        """'+3', or 'sat' and 'sun' of the weekend that is still to come."""
        if words not in ("sat", "sun"):
            return int(words)
        today = clock.local_day(self.now, self.zone)
        return ((SATURDAY - today.weekday()) % 7 or 7) + (words == "sun")

    def _at(self, day: int, at: time) -> datetime:
        on = clock.local_day(self.now, self.zone) + timedelta(days=day)
        return datetime.combine(on, at, self.zone).astimezone(UTC)

    def _awake(self, ago: timedelta) -> datetime:
        """So much earlier, where the hours between NIGHT and MORNING do not count."""
        day = 0
        last = min(max(self.now, self._at(0, MORNING)), self._at(0, NIGHT))
        if last > self.now:
            day, last = -1, self._at(-1, NIGHT)
        while last - ago < self._at(day, MORNING):
            ago -= last - self._at(day, MORNING)
            day -= 1
            last = self._at(day, NIGHT)
        return last - ago
