"""What was aimed at, beside what was found."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from bench.figures import number
from bench.live import deliveries, latency, memory
from bench.live.contest import FLOOR, OURS

if TYPE_CHECKING:
    from bench.live.blocks import Blocks

HOW = "one change at a time"
SHARE, BURST, KILOBYTES, GROWTH, TAIL, ADDED, SLOW = 0.8, 5.0, 8.0, 1.3, 2.0, 10.0, 1.2


MEMORY = "kB a socket"


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
        word = "reached" if self.reached else "MISSED"
        return f"  {word:8} {number(self.found):>8}   {wanted:<15} {self.what}"


def explanations(blocks: Blocks) -> Iterator[list[str]]:
    """Where it goes, for the goals that were not reached."""
    missed = {goal.what.startswith(MEMORY) for goal in _goals(blocks) if not goal.reached}
    if False in missed and blocks.time_goes:
        yield blocks.time_goes
    if True in missed and blocks.memory_goes:
        yield blocks.memory_goes


def lines(blocks: Blocks) -> Iterator[str]:
    yield "Goals (those of what was measured)"
    yield from (goal.line() for goal in _goals(blocks))


def _goals(blocks: Blocks) -> list[Goal]:
    """Those of which something was measured."""
    return [goal for goal in _all(blocks) if not isnan(goal.found)]


def _all(blocks: Blocks) -> Iterator[Goal]:
    alone, floor = f"{OURS}, {deliveries.ALONE}", f"{FLOOR}, {deliveries.ALONE}"
    for table, count in ((blocks.few, blocks.size.few), (blocks.many, blocks.size.many)):
        share = table.ratio(alone, floor)
        yield Goal(share, True, SHARE, f"of the floor's deliveries, {count:,} screens, {HOW}")
    growth = blocks.many.value(alone, 1) / blocks.few.value(alone, 1)
    sizes = f"at {blocks.size.many:,} screens, of that at {blocks.size.few:,}"
    yield Goal(growth, False, GROWTH, f"times the CPU a delivery {sizes}")
    yield Goal(blocks.burst.ratio(FLOOR, OURS), True, BURST, "times past the floor in a burst")
    tail, its = blocks.latency.value(latency.OTHER, 1), blocks.latency.value(FLOOR, 1)
    wanted = TAIL * its + ADDED
    yield Goal(tail, False, wanted, "ms p99, commit on one worker → last screen on another")
    slow = blocks.latency.ratio(latency.SLOW, latency.OTHER, 1)
    yield Goal(slow, False, SLOW, "times the others' p99 while some do not read")
    kept = blocks.memory.value(memory.ours(blocks.size.many, 3))
    yield Goal(kept, False, KILOBYTES, f"{MEMORY}, {blocks.size.many:,} with 3 topics")
