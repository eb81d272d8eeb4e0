"""The page of `bin/bench live`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvloop

from bench import machine
from bench.ground import say
from bench.live import chart, cores, goals, ground
from bench.live.acts import Acts
from bench.live.blocks import Blocks
from bench.live.ground import Ground
from bench.live.size import ENOUGH, LONGEST, QUICK, Size

__all__ = ("LONGEST", "measured")


def measured(quick: bool, names: Sequence[str], file: Path | None) -> None:
    """Measures all of it, or the named blocks; prints the page, and `file` gets the picture."""
    size, scarce = (QUICK if quick else Size()).within(cores.raise_the_limit())
    with ground.opened() as here, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measured(here, size, scarce, names, file))


async def _measured(
    here: Ground, size: Size, scarce: str, names: Sequence[str], file: Path | None
) -> None:
    end = time.monotonic() + ENOUGH
    await ground.furnish(here.postgres.url)
    facts = [*await machine.facts(here.postgres.url, here.valkey.url, here.folder)]
    facts += _circumstances(here, scarce)
    async with Acts(here.postgres.url) as acts:
        blocks = Blocks(here, acts, size)
        try:
            async with asyncio.timeout(end - time.monotonic()):
                await blocks.measure(names)
        except TimeoutError as error:
            facts.append(f"NOT ALL OF IT: {str(error) or 'the time was up'}")
        facts += blocks.others
    print("The live engine, measured\n")
    print(*facts, sep="\n")
    print(*_body(blocks), sep="\n")
    if file:
        file.write_text(chart.svg(chart.panels(blocks)))
        say(f"The picture is in {file}")


def _circumstances(here: Ground, scarce: str) -> Iterator[str]:
    """How it was measured."""
    if cores.apart():
        yield f"The server alone on core {cores.SERVER}; the screens, PostgreSQL, Valkey, the other"
        yield f"worker and the measurement on core {cores.CLIENT}; all over loopback"
    else:
        yield "One core only: servers and screens take turns on it, so look at the CPU columns"
    if not here.programs.compiled:
        yield "No C compiler (cc) was found: floor and screens are Python, so the floor is too high"
        yield "and the screens are slow; look at the CPU columns"
    if scarce:
        yield scarce


def _body(blocks: Blocks) -> Iterator[str]:
    for table in blocks.tables:
        if any(table.rows.values()):
            yield ""
            yield from table.lines()
    yield ""
    yield from chart.text(chart.panels(blocks))
    yield ""
    yield from goals.lines(blocks)
    for lines in goals.explanations(blocks):
        yield ""
        yield from lines
