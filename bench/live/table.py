"""Tables of what was measured round by round: medians, ranges, and ratios to their floors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from statistics import median
from typing import NamedTuple

from bench.figures import LETTERS, number

NAME, FIRST, RANGE, WIDE = 44, 10, 19, 10  # columns of text


class Column(NamedTuple):
    head: str
    over: str = ""  # the letters of the floors to whose figures its own are set in ratio
    short: str = ""  # its head where it is a ratio


@dataclass
class Table:
    """The first column is told with its range. The first rows are the floors."""

    title: str
    columns: Sequence[Column]
    floors: int = 1
    notes: list[str] = field(default_factory=list)
    enough: int = 5  # rounds for a median to be told without a warning
    names: Sequence[str] = ()  # an order other than that in which rows first come
    rows: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = {name: [] for name in self.names}

    def add(self, name: str, *values: float) -> None:
        """One round's figures, one for each column."""
        assert len(values) == len(self.columns), name
        self.rows.setdefault(name, []).append(values)

    def value(self, name: str, column: int = 0) -> float:
        values = [values[column] for values in self.rows.get(name, ())]
        return median(values) if values else nan

    def ratio(self, name: str, floor: str, column: int = 0) -> float:
        """The median of the ratios within each round: a slow minute counts for both."""
        pairs = zip(self.rows.get(name, ()), self.rows.get(floor, ()), strict=False)
        ratios = [mine[column] / its[column] for mine, its in pairs if its[column]]
        return median(ratios) if ratios else nan

    def lines(self) -> Iterator[str]:
        yield self.title
        first, *others = self.columns
        head = f"{'':{NAME}}{first.head:>{FIRST}}{'lowest … highest':>{RANGE}}"
        head += "".join(f"{column.head:>{WIDE}}" for column in others)
        for at, letter in self._ratios():
            column = self.columns[at]
            head += f"{f'{column.short or column.head}/{letter}':>{WIDE}}"
        yield head
        for place, name in enumerate(self.rows):
            if self.rows[name]:
                yield self._line(place, name)
        for note in self.notes:
            yield f"    {note}"
        least = min((len(rows) for rows in self.rows.values()), default=0)
        if self.enough > least:
            yield f"    only {least} of {self.enough} rounds: a look, not a measurement"

    def _ratios(self) -> Iterator[tuple[int, str]]:
        for at, column in enumerate(self.columns):
            for letter in column.over:
                yield at, letter

    def _line(self, place: int, name: str) -> str:
        letter = LETTERS[place] if place < self.floors else " "
        line = f"  {letter} {name:{NAME - 4}}{self._measured(name)}"
        if place >= self.floors:
            names = [*self.rows]
            for at, floor in self._ratios():
                ratio = self.ratio(name, names[LETTERS.index(floor)], at)
                line += f"{times(ratio):>{WIDE}}"
        return line.rstrip()

    def _measured(self, name: str) -> str:
        shown = [values[0] for values in self.rows[name]]
        text = f"{told(median(shown)):>{FIRST}}"
        text += f"{f'{number(min(shown))} … {number(max(shown))}':>{RANGE}}"
        for at in range(1, len(self.columns)):
            text += f"{told(self.value(name, at)):>{WIDE}}"
        return text


def told(value: float) -> str:
    """Nothing for what was not measured: not a number."""
    return "" if isnan(value) else number(value)


def times(value: float) -> str:
    return "" if isnan(value) else f"{number(value)}×"
