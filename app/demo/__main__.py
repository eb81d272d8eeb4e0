"""`python -m app.demo` loads the demo into the database that DATABASE_URL names, once."""

from __future__ import annotations

import asyncio
import logging
import sys

import structlog

from app import clock, db
from app.demo.load import PLACES, load
from app.settings import settings

EVERY = 10  # pictures between two signs of life


async def main() -> int:
    """Says what it does in a few lines; the exit code for the shell."""
    if wrong := settings.why_not_start():
        print(wrong, file=sys.stderr)
        return 1
    # A security log of invented people would only hide these lines.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    total = sum(len(place.tools) for place in PLACES)

    def hung(number: int) -> None:
        if number == 1:
            print(f"Hanging up {total} tools", end="", flush=True)
        if number % EVERY == 0 or number == total:
            print(f" … {number}", end="\n" if number == total else "", flush=True)

    try:
        stages = await load(clock.now(), hung)
    finally:
        await db.engine.dispose()
    if stages is None:
        print("There is a community already; nothing was changed.")
        return 0
    for stage in stages:
        print(f"Neighbours can join {stage.place.name} with the code {stage.code}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
