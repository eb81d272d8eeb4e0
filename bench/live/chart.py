"""The same figures as a picture: bars on the page, and an SVG for whoever wants one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from bench.figures import number
from bench.live import deliveries, latency, memory
from bench.live.contest import FLOOR, OURS, PLAIN

if TYPE_CHECKING:
    from bench.live.blocks import Blocks

WIDE = 44  # columns of the longest bar
NAMES = (FLOOR, PLAIN, OURS)

STYLE = """
  svg { font: 13px system-ui, sans-serif; background: #fff }
  text { fill: #1f2933 } .of { font-weight: 600 } .soft { fill: #5b6770 }
  .floor { fill: #9aa5b1 } .plain { fill: #d08a3c } .ours { fill: #2f7d5b }
  @media (prefers-color-scheme: dark) {
    svg { background: #14181c }
    text { fill: #e4e9ee } .soft { fill: #a3adb8 }
    .floor { fill: #6b7784 } .plain { fill: #d9974e } .ours { fill: #57b98d }
  }
"""
CLASSES = {FLOOR: "floor", PLAIN: "plain", OURS: "ours"}
LEFT, BAR, ROW, GAP, WIDTH = 110, 400, 22, 26, 640


class Panel(NamedTuple):
    title: str
    bars: Sequence[tuple[str, float]]


def panels(blocks: Blocks) -> list[Panel]:
    few, many = blocks.size.few, blocks.size.many
    found = [
        Panel(
            f"Deliveries a second, {count:,} screens, one change at a time: more is better",
            [(name, table.value(f"{name}, {deliveries.ALONE}")) for name in NAMES],
        )
        for count, table in ((few, blocks.few), (many, blocks.many))
    ]
    rows = ((FLOOR, FLOOR), (PLAIN, PLAIN), (OURS, latency.OTHER))
    found.append(
        Panel(
            f"p99 to the last of {few:,} screens, ms: less is better",
            [(name, blocks.latency.value(row, 1)) for name, row in rows],
        )
    )
    found.append(
        Panel(
            f"Burst of {blocks.size.burst:,} changes, {few:,} screens, seconds: less is better",
            [(name, blocks.burst.value(name)) for name in NAMES],
        )
    )
    kept = ((PLAIN, memory.plain(many)), (OURS, memory.ours(many, 3)))
    found.append(
        Panel(
            f"Memory a socket, {many:,} sockets, kB: less is better",
            [(name, blocks.memory.value(row)) for name, row in kept],
        )
    )
    known = (Panel(title, [bar for bar in bars if not isnan(bar[1])]) for title, bars in found)
    return [panel for panel in known if panel.bars]


def text(panels: Sequence[Panel]) -> Iterator[str]:
    for panel in panels:
        most = max(value for _, value in panel.bars)
        yield panel.title
        for name, value in panel.bars:
            yield f"  {name:13} {'█' * max(1, round(WIDE * value / most))} {number(value)}"


def svg(panels: Sequence[Panel]) -> str:
    parts, y = [], GAP
    for panel in panels:
        parts.append(f'<text class="of" x="16" y="{y}">{escape(panel.title)}</text>')
        most = max(value for _, value in panel.bars)
        for name, value in panel.bars:
            y += ROW
            width = max(2.0, BAR * value / most)
            parts.append(
                f'<text class="soft" x="16" y="{y}">{escape(name)}</text>'
                f'<rect class="{CLASSES[name]}" x="{LEFT}" y="{y - 12}" width="{width:.1f}" '
                f'height="15" rx="2"/>'
                f'<text x="{LEFT + width + 8:.1f}" y="{y}">{number(value)}</text>'
            )
        y += ROW + GAP
    height = y - ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="The live engine, measured"><style>{STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
