"""How a tool is lent: what its owner may set, the defaults, and each rule in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app import words
from app.errors import mistyped

SHORTEST_HOURS, LONGEST_DAYS, NOTICE_HOURS, HORIZON_DAYS, BUFFER_HOURS = 0, 7, 0, 90, 0
LIMITS = {
    "shortest_hours": (0, 7 * 24),
    "longest_days": (1, 60),
    "notice_hours": (0, 14 * 24),
    "horizon_days": (1, 180),
    "buffer_hours": (0, 7 * 24),
    "deposit_cents": (0, 100_000),
}
SAFETY_LONGEST = 1000
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, order=True)
class Window:
    """Hours of a weekday (0 is Monday) in which a tool can be fetched and brought back."""

    weekday: int
    opens: time
    closes: time  # still inside

    def holds(self, local: datetime) -> bool:
        at = local.time().replace(fold=0)
        return local.weekday() == self.weekday and self.opens <= at <= self.closes


@dataclass(frozen=True)
class Lending:
    """The lending rules of one tool; without windows it can be fetched at any time."""

    shortest_hours: int = SHORTEST_HOURS
    longest_days: int = LONGEST_DAYS
    notice_hours: int = NOTICE_HOURS
    horizon_days: int = HORIZON_DAYS
    buffer_hours: int = BUFFER_HOURS
    windows: Sequence[Window] = ()
    deposit_cents: int = 0
    auto_approve: bool = False
    safety: str = ""

    @property
    def buffer(self) -> timedelta:
        return timedelta(hours=self.buffer_hours)

    def on(self, weekday: int) -> Window | None:
        return next((one for one in self.windows if one.weekday == weekday), None)


def windows_from(rows: Iterable[Sequence[object]]) -> tuple[Window, ...]:
    """From what the database keeps: [weekday, "17:00", "20:00"] each."""
    return tuple(
        sorted(
            Window(int(str(day)), time.fromisoformat(str(opens)), time.fromisoformat(str(closes)))
            for day, opens, closes in rows
        )
    )


def rows_of(windows: Iterable[Window]) -> list[list[object]]:
    return [
        [one.weekday, one.opens.strftime("%H:%M"), one.closes.strftime("%H:%M")]
        for one in sorted(windows)
    ]


def check(rules: Lending) -> Lending:
    """Raises Refusal with the field that cannot be taken."""
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(rules, name) <= most:
            least, most = (n // 100 if name == "deposit_cents" else n for n in (least, most))
            raise mistyped(name, f"This lies between {least} and {most}.", "Choose a number there.")
    if rules.shortest_hours > rules.longest_days * 24:
        raise mistyped(
            "shortest_hours",
            "The shortest loan is longer than the longest.",
            "Change one of the two.",
        )
    if len({one.weekday for one in rules.windows}) < len(rules.windows):
        raise mistyped("windows", "A weekday has one window.", "Join the two.")
    for one in rules.windows:
        if one.opens >= one.closes:
            raise mistyped(
                f"window_{one.weekday}",
                f"On {WEEKDAYS[one.weekday]} it closes before it opens.",
                "Turn the two times round.",
            )
    if len(rules.safety) > SAFETY_LONGEST:
        raise mistyped(
            "safety", f"A safety note may have {SAFETY_LONGEST} characters.", "Shorten it."
        )
    return rules


def hours(number: int) -> str:
    """'2 hours', '1 day', '3 days'."""
    if number and number % 24 == 0:
        return words.count(number // 24, "day", "days")
    return words.count(number, "hour", "hours")


def windows_words(windows: Sequence[Window]) -> str:
    """'Mon–Fri 17:00–20:00, Sat 09:00–12:00'."""
    runs: list[list[Window]] = []
    for one in sorted(windows):
        last = runs[-1][-1] if runs else None
        same = last and (last.opens, last.closes) == (one.opens, one.closes)
        if last and same and last.weekday + 1 == one.weekday:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(
        f"{_days(run)} {run[0].opens.strftime('%H:%M')}–{run[0].closes.strftime('%H:%M')}"
        for run in runs
    )


def _days(run: Sequence[Window]) -> str:
    first, last = WEEKDAYS[run[0].weekday], WEEKDAYS[run[-1].weekday]
    return first if first == last else f"{first}–{last}"


def in_words(rules: Lending, currency: str, locale: str) -> list[str]:
    """What a tool's page says of its rules: one short line each, only what binds."""
    said = [f"For up to {words.count(rules.longest_days, 'day', 'days')} at a time"]
    if rules.shortest_hours:
        said.append(f"For at least {hours(rules.shortest_hours)}")
    said.append(f"Up to {words.count(rules.horizon_days, 'day', 'days')} ahead")
    if rules.notice_hours:
        said.append(f"Ask at least {hours(rules.notice_hours)} before")
    if rules.windows:
        said.append(f"Fetch it and bring it back {windows_words(rules.windows)}")
    if rules.buffer_hours:
        said.append(f"It rests for {hours(rules.buffer_hours)} after each loan")
    if rules.deposit_cents:
        deposit = words.money(rules.deposit_cents, currency, locale)
        said.append(f"{deposit} deposit, from hand to hand: no money goes through ToolShare")
    if rules.auto_approve:
        said.append("Whom the lender trusts has it at once, if nobody else has asked")
    return said


def weekdays_without(windows: Sequence[Window]) -> frozenset[int]:
    """The weekdays on which nothing can be fetched or brought."""
    if not windows:
        return frozenset()
    return frozenset(range(7)) - {one.weekday for one in windows}
