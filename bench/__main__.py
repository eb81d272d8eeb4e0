"""`python -m bench [name …]`: pages of figures, each beside its floor of the same run."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType

import uvloop

from app.child import StartError
from bench.figures import Section
from bench.ground import Ground, opened, say
from bench.size import LONGEST, QUICK, ROUNDS_END, SEARCH_LONGEST, Size

# Each a module here with `measure`.
NAMES = ("card", "board", "approvals", "dates", "room", "said", "talk", "left_open")
SEARCH = "search"  # a page of its own: it takes minutes to hang up so many tools
APART = ("photos", "imports", "visit")  # a page of their own, by name only
LIVE = "live"  # a page of its own, in these blocks
BLOCKS = ("few", "many", "compression", "memory", "back", "touches")
ENOUGH = 5  # rounds for a median to be told without a warning
Once = Callable[[], Awaitable[None]]


def main(arguments: list[str]) -> int:
    """The exit code: 1 if it could not be measured, or the time was up."""
    asked = _parsed(arguments)
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        if names := [name for name in NAMES if name in asked.names or not asked.names]:
            _app(names, replace(QUICK if asked.quick else Size(), tools=asked.tools))
        if names := [name for name in APART if name in asked.names]:
            _app(names, QUICK if asked.quick else Size())
        if SEARCH in asked.names:
            size = QUICK if asked.quick else Size()
            walls = (*size.searched, asked.tools) if asked.tools else size.searched
            _app([SEARCH], replace(size, searched=walls), SEARCH_LONGEST)
        if LIVE in asked.names or not asked.names:
            _live(asked.quick, asked.block, asked.chart)
    except (StartError, OSError, EOFError, RuntimeError) as error:
        print(f"Nothing was measured: {error!r}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _app(names: list[str], size: Size, longest: int = LONGEST) -> None:
    end = time.monotonic() + longest - LONGEST + ROUNDS_END
    _stop_after(longest)
    with opened() as ground, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(ground, size, names, end))


def _live(quick: bool, blocks: list[str], chart: Path | None) -> None:
    from bench.live import page

    _stop_after(page.LONGEST)
    page.measured(quick, blocks, chart)


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    known = (*NAMES, *APART, SEARCH, LIVE)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="does it run at all? No figures.")
    parser.add_argument(
        "--tools",
        type=int,
        default=0,
        help="hang up more, up to so many; of search: one wall more, with so many",
    )
    parser.add_argument(
        "--block",
        action="append",
        choices=BLOCKS,
        default=[],
        help="of live only this (repeatable)",
    )
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw what live found as SVG")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(known)}")
    return asked


def _stop(number: int, frame: FrameType | None) -> None:
    """An exit, so that every server and worker is stopped on the way out."""
    sys.exit("Stopped: it took too long." if number == signal.SIGALRM else 143)


def _stop_after(seconds: int) -> None:
    signal.alarm(seconds)


async def _measure(ground: Ground, size: Size, names: list[str], rounds_end: float) -> None:
    """Rounds that interleave all measurements, so that a slow minute hits each of them."""
    from app import db  # reads the settings that the ground has just made
    from bench import machine

    facts = list(await machine.facts(ground.postgres.url, ground.valkey.url, ground.folder))
    sections: list[Section] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(db.engine.dispose)
        rounds: list[Once] = []
        for name in names:
            say(f"Preparing {name}")
            module = importlib.import_module(f"bench.{name}")
            section, once = await stack.enter_async_context(module.measure(ground, size))
            sections += section if isinstance(section, list) else [section]
            rounds.append(once)
        done = await _rounds(rounds, size.rounds, rounds_end)
    if not done:
        raise TimeoutError("not one round was finished in time")
    _print(facts, sections, done)


async def _rounds(rounds: list[Once], wanted: int, end: float) -> int:
    """How many were finished by `end`, on the monotonic clock."""
    done = 0
    try:
        async with asyncio.timeout(end - time.monotonic()) as limit:
            while done < wanted:
                say(f"Round {done + 1} of {wanted}")
                for once in rounds:
                    await once()
                done += 1
    except TimeoutError:
        if not limit.expired():  # something else did not come
            raise
    return done


def _print(facts: list[str], sections: list[Section], done: int) -> None:
    print(f"ToolShare, measured: medians of {done} interleaved rounds\n")
    print(*facts, sep="\n")
    for section in sections:
        print()
        print(*section.lines(), sep="\n")
    if done < ENOUGH:
        print("\nToo few rounds to trust: a look, not a measurement.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
