"""What was aimed at, beside what was found."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from bench.figures import number
from bench.live import deliveries, latency, memory
from bench.live.contest import FLOOR, OURS

if TYPE_CHECKING:
    from bench.live.page import Page

HOW = "one change at a time"
SHARE, BURST, KILOBYTES, GROWTH, TAIL, ADDED, SLOW = 0.8, 5.0, 8.0, 1.3, 2.0, 10.0, 1.2


class Goal(NamedTuple):
    found: float
    at_least: bool
    wanted: float
    what: str

    @property
    def reached(self) -> bool:
        return self.found >= self.wanted if self.at_least else self.found <= self.wanted

    def line(self) -> str:
        wanted = f"{'at least' if self.at_least else 'at most'} {number(self.wanted)}"
        word = "unknown" if isnan(self.found) else "reached" if self.reached else "MISSED"
        return f"  {word:8} {number(self.found):>8}   {wanted:<15} {self.what}"


def lines(page: Page) -> Iterator[str]:
    yield "Goals"
    yield from (goal.line() for goal in _goals(page))


def _goals(page: Page) -> Iterator[Goal]:
    alone, floor = f"{OURS}, {deliveries.ALONE}", f"{FLOOR}, {deliveries.ALONE}"
    for table, count in ((page.few, page.size.few), (page.many, page.size.many)):
        share = table.ratio(alone, floor)
        yield Goal(share, True, SHARE, f"of the floor's deliveries, {count:,} screens, {HOW}")
    growth = page.many.value(alone, 1) / page.few.value(alone, 1)
    sizes = f"at {page.size.many:,} screens, of that at {page.size.few:,}"
    yield Goal(growth, False, GROWTH, f"times the CPU a delivery {sizes}")
    yield Goal(page.burst.ratio(FLOOR, OURS), True, BURST, "times past the floor in a burst")
    tail, its = page.latency.value(latency.OTHER, 1), page.latency.value(FLOOR, 1)
    wanted = TAIL * its + ADDED
    yield Goal(tail, False, wanted, "ms p99, commit on one worker → last screen on another")
    slow = page.latency.ratio(latency.SLOW, latency.OTHER, 1)
    yield Goal(slow, False, SLOW, "times the others' p99 while some do not read")
    kept = page.memory.value(memory.ours(page.size.many, 3))
    yield Goal(kept, False, KILOBYTES, f"kB a socket, {page.size.many:,} with 3 topics")
