"""Deliveries a second: each change to each screen, none left out."""

from __future__ import annotations

from math import nan

from bench.live.contest import FLOOR, OURS, PLAIN, Contestant, taking
from bench.live.table import Column, Table

ALONE, FLOWING, SPREAD = "one at a time", "in flight", "first screen → last"
COLUMNS = (Column("a second", "AB", "rate"), Column("CPU µs", "A", "CPU"), Column("writes"))
NOTES = [
    "one at a time: the next change is given when every screen has the former; for ours a change",
    "    is a commit, so the hint's way and the drawing's queries are waited for each time",
    "in flight: the floor and the loop get all at once; ours has 8 in flight, to 8 topics, the",
    "    next to a topic when all have its former: none is left out, but frames may share a write",
    "first screen → last: one at a time, timed only from its first screen on: the writing alone",
    "CPU and writes: the server's, a delivery; ours with all that it does for a change",
]


def table(count: int) -> Table:
    names = [f"{FLOOR}, {ALONE}", f"{FLOOR}, {FLOWING}"]
    names += [f"{name}, {way}" for name in (PLAIN, OURS) for way in (ALONE, FLOWING, SPREAD)]
    title = f"Deliveries a second, {count:,} screens"
    return Table(title, COLUMNS, floors=2, notes=list(NOTES), names=[*names, f"{FLOOR}, {SPREAD}"])


async def once(table: Table, contestants: dict[str, Contestant], changes: int) -> None:
    """One round of every contestant."""
    for name, contestant in contestants.items():
        wanted = changes if name != PLAIN else max(8, changes // 2)
        await contestant.change(0)  # whatever was idle has woken
        await _alone(table, name, contestant, wanted)
    for name, contestant in contestants.items():
        wanted = changes if name != PLAIN else max(8, changes // 2)
        delivered = wanted * contestant.sink.count
        taken = await taking(contestant)
        await contestant.flow(wanted)
        cost = await taken()
        name = f"{name}, {FLOWING}"
        table.add(
            name, delivered / cost.seconds, 1e6 * cost.cpu / delivered, cost.writes / delivered
        )


async def _alone(table: Table, name: str, contestant: Contestant, changes: int) -> None:
    delivered, spread = changes * contestant.sink.count, 0
    taken = await taking(contestant)
    for _ in range(changes):
        arrival = await contestant.change(0)
        spread += arrival.last - arrival.first
    cost = await taken()
    each, writes = 1e6 * cost.cpu / delivered, cost.writes / delivered
    table.add(f"{name}, {ALONE}", delivered / cost.seconds, each, writes)
    table.add(f"{name}, {SPREAD}", 1e9 * delivered / spread, nan, nan)
