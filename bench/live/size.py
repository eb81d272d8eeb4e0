"""How much is done: five rounds of everything in seven minutes, if the machine is quiet."""

from __future__ import annotations

from dataclasses import dataclass, replace

SPARE = 200  # descriptors for all else
LONGEST = 520  # seconds: then it stops, whatever it is at
ENOUGH = 500  # and a little before, it tells what it has


@dataclass(frozen=True)
class Size:
    rounds: int = 5
    few: int = 1000  # screens
    many: int = 8000
    sixty: int = 2000  # that watch 60 topics
    back: int = 5000  # that come back at once
    slow: int = 10  # that do not read
    changes: int = 48  # to the few; a multiple of the lanes
    changes_to_many: int = 16
    paced: int = 100
    burst: int = 1000
    acts: int = 6000
    # Seconds for the rounds of each block: past it none is begun, and the page says how many were.
    seconds_few: int = 185
    seconds_many: int = 75
    seconds_compressed: int = 20
    seconds_back: int = 80
    seconds_touches: int = 35

    def within(self, descriptors: int) -> tuple[Size, str]:
        """What a process may open, and a sentence if that is not enough."""
        most = descriptors - SPARE
        if self.many <= most:
            return self, ""
        fewer = {name: min(getattr(self, name), most) for name in ("few", "many", "sixty", "back")}
        words = f"A process may open {descriptors:,} files here (ulimit -Hn), so {most:,} screens"
        return replace(self, **fewer), f"{words} is the most."


QUICK = Size(
    rounds=1,
    few=100,
    many=200,
    sixty=100,
    back=100,
    changes=16,
    paced=20,
    burst=200,
    acts=100,
)
