"""What was measured, round by round, and the page that tells it: medians, ranges, ratios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

NAME = 51  # columns
LETTERS = "ABC"


class Cost(NamedTuple):
    """Seconds that one thing took in one round; `worst` is None where only a rate was taken."""

    usual: float
    worst: float | None = None


def latency(seconds: Sequence[float]) -> Cost:
    """p50 and p99 by nearest rank: with 100 samples the 50th and the 99th."""
    ordered = sorted(seconds)
    last = len(ordered)
    return Cost(ordered[(last + 1) // 2 - 1], ordered[-(-99 * last // 100) - 1])


def rate(count: int, seconds: float) -> Cost:
    return Cost(seconds / count)


@dataclass
class Section:
    """One table. The first rows are its floors: the least that such a thing could cost."""

    title: str
    floors: int = 1
    per_second: bool = False  # a rate, told as so many a second
    tails: bool = False  # compare p99 with the floors', too
    notes: list[str] = field(default_factory=list)
    rows: dict[str, list[Cost]] = field(default_factory=dict)

    def add(self, name: str, cost: Cost) -> None:
        """One round's figure; rows stand in the order in which they first came."""
        self.rows.setdefault(name, []).append(cost)

    @property
    def rounds(self) -> int:
        return min((len(costs) for costs in self.rows.values()), default=0)

    def _whole(self) -> dict[str, list[Cost]]:
        """Without a round that was given up."""
        return {name: costs[: self.rounds] for name, costs in self.rows.items()}

    def lines(self) -> Iterator[str]:
        yield self.title
        head = "a second" if self.per_second else "p50 ms"
        tail = "" if self.per_second else f"{'p99 ms':>9}"
        yield f"{'':{NAME}}{head:>9}{'lowest … highest':>19}{tail}{self._ratio_heads()}"
        for at, (name, costs) in enumerate(self._whole().items()):
            letter = LETTERS[at] if at < self.floors else " "
            ratios = "" if at < self.floors else self._ratios(costs)
            yield f"  {letter} {name:{NAME - 4}}{self._measured(costs)}{ratios}".rstrip()
        for note in self.notes:
            yield f"    {note}"

    def _measured(self, costs: Sequence[Cost]) -> str:
        shown = [1 / one.usual if self.per_second else 1000 * one.usual for one in costs]
        text = f"{number(median(shown)):>9}"
        text += f"{f'{number(min(shown))} … {number(max(shown))}':>19}"
        if not self.per_second:
            text += f"{number(1000 * median(one.worst or 0 for one in costs)):>9}"
        return text

    def _ratio_heads(self) -> str:
        what = "cost" if self.per_second else "p50"
        heads = [f"{what}/{LETTERS[n]}" for n in range(self.floors)]
        heads += [f"p99/{LETTERS[n]}" for n in range(self.floors if self.tails else 0)]
        return "".join(f"{head:>9}" for head in heads)

    def _ratios(self, costs: Sequence[Cost]) -> str:
        """Medians of the ratios within each round, so that a slow minute counts for both."""
        floors = list(self._whole().values())[: self.floors]
        ratios = [
            median(mine.usual / its.usual for mine, its in zip(costs, floor, strict=True))
            for floor in floors
        ]
        if self.tails:
            ratios += [
                median(
                    (mine.worst or 0) / (its.worst or 1)
                    for mine, its in zip(costs, floor, strict=True)
                )
                for floor in floors
            ]
        return "".join(f"{number(ratio) + '×':>9}" for ratio in ratios)


def number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
