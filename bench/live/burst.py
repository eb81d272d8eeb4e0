"""A thousand changes to fifty topics at once: until every screen has the last state of all."""

from __future__ import annotations

import asyncio
import time

from bench.live.acts import CLIENTS
from bench.live.contest import FLOOR, OURS, PLAIN, OursActed, Written, taking
from bench.live.table import Column, Table

TOPICS = 50
PART = 10  # of the floor's and the loop's work, this part is done; the rest would go the same way


def table(count: int, changes: int) -> Table:
    return Table(
        f"{changes:,} changes to {TOPICS} topics at once, {count:,} screens that watch them all",
        (Column("seconds", "A"), Column("CPU s", "A", "CPU"), Column("frames")),
        names=(FLOOR, PLAIN, OURS),
        notes=[
            f"floor and loop write each change to each screen: a {PART}th of it done, times {PART}",
            f"ours: {changes:,} commits by {CLIENTS} clients (the seconds begin with the first)",
            "frames: that a screen got",
        ],
    )


async def written(table: Table, name: str, contestant: Written, changes: int) -> None:
    taken = await taking(contestant)
    await contestant.flow(changes // PART)
    cost = await taken()
    table.add(name, PART * cost.seconds, PART * cost.cpu, changes)


async def acted(table: Table, contestant: OursActed, changes: int) -> None:
    sink = contestant.sink
    waiting = iter(range(changes))
    newest: dict[int, int] = {}

    async def client() -> None:
        for number in waiting:
            topic = number % TOPICS
            version = await contestant.acts.change("x", topic)
            newest[topic] = max(version, newest.get(topic, 0))

    before = await sink.counted()
    began = time.monotonic_ns()
    taken = await taking(contestant)
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    arrivals = await asyncio.gather(*(sink.arrival(*one) for one in newest.items()))
    cost = await taken()
    last = max(arrival.last for arrival in arrivals)
    frames = (await sink.counted()).frames - before.frames
    sink.forget()
    table.add(OURS, (last - began) / 1e9, cost.cpu, frames / sink.count)
