"""How old a change is when the last of the screens has it, at a steady pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from bench.figures import latency
from bench.live.contest import FLOOR, PLAIN, Contestant, OursActed
from bench.live.programs import Arrival
from bench.live.servers import Steering
from bench.live.table import Column, Table

PACE = 20  # changes a second
OTHER = "ours, committed by another worker"
OWN = "ours, committed by their own worker"
SLOW = "ours, another worker, some do not read"
WHOLE = "ours, another worker, since the schedule"
NAMES = (FLOOR, PLAIN, OTHER, OWN, SLOW, WHOLE)


def table(count: int) -> Table:
    return Table(
        f"A change → the last of {count:,} screens, {PACE} changes a second, in milliseconds",
        (Column("p50", "A"), Column("p99", "A"), Column("late")),
        names=NAMES,
        notes=[
            "open loop: a schedule made in advance, and nobody waits for an answer; floor and loop",
            "    are timed from the schedule on; ours from the return of the commit, and once from",
            "    the schedule on, so with the whole transaction; late: p99 of giving the change",
        ],
    )


async def paced(
    changes: int, change: Callable[[int], Awaitable[tuple[int, Arrival]]]
) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    """Seconds from commit, seconds from schedule, and how late each was given."""
    began = time.monotonic() + 0.05
    late: list[float] = []

    async def one(number: int) -> tuple[float, float]:
        due = began + number / PACE
        await asyncio.sleep(due - time.monotonic())
        late.append(time.monotonic() - due)
        committed, arrival = await change(number)
        return (arrival.last - committed) / 1e9, arrival.last / 1e9 - due

    took = await asyncio.gather(*(one(number) for number in range(changes)))
    return [one for one, _ in took], [one for _, one in took], late


async def written(table: Table, name: str, contestant: Contestant, changes: int) -> None:
    async def change(number: int) -> tuple[int, Arrival]:
        return 0, await contestant.change(number % 50)

    await contestant.change(0)
    _, scheduled, late = await paced(changes, change)
    _add(table, name, scheduled, late)


async def acted(table: Table, name: str, contestant: OursActed, by: Steering, changes: int) -> None:
    """Committed by a worker, which may be the screens' own."""

    async def change(number: int) -> tuple[int, Arrival]:
        topic = number % 50
        told = await by.post(f"/change/x/{topic}")
        return told["at"], await contestant.sink.arrival(topic, told["version"])

    await change(0)
    committed, scheduled, late = await paced(changes, change)
    _add(table, name, committed, late)
    if name == OTHER:
        _add(table, WHOLE, scheduled, late)


def _add(table: Table, name: str, seconds: Sequence[float], late: Sequence[float]) -> None:
    cost = latency(seconds)
    lateness = latency(late).worst or 0
    table.add(name, 1000 * cost.usual, 1000 * (cost.worst or 0), 1000 * lateness)
