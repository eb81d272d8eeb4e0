"""How much is done in a round: five of them, and all else, in six minutes."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 420  # seconds: then it stops, whatever it is at


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
    acts: int = 2000
    seconds: int = 330  # for all rounds


QUICK = Size(
    rounds=2,
    few=100,
    many=200,
    sixty=100,
    back=100,
    changes=16,
    paced=20,
    burst=200,
    acts=100,
    seconds=25,
)
