"""What compression saves on the wire, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from bench.live.contest import OURS, Contestant, OursActed, Stage, taking
from bench.live.table import Column, Table

OFFERED, NOT_OFFERED = "compression offered", "not offered"


def table(count: int) -> Table:
    return Table(
        f"Compression, {count:,} screens, one change at a time",
        (Column("bytes"), Column("CPU µs"), Column("a second")),
        floors=0,
        names=[f"{name}, {way}" for name in (OURS,) for way in (NOT_OFFERED, OFFERED)],
        notes=["bytes and CPU: a delivery, the frame's header included"],
    )


@dataclass
class Offering:
    """Screens at one server that do, or do not, offer compression; each has a topic of its own."""

    name: str
    contestant: Contestant
    topic: int


async def opened(stage: Stage, count: int) -> list[Offering]:
    """Both at one worker."""
    found, ours = [], stage.ours()
    for place, way in enumerate((NOT_OFFERED, OFFERED)):
        topic, person, offer = 50 + place, 20_000 + 10_000 * place, way == OFFERED
        base = await stage.acts.versions()
        sink = await stage.sink()
        await sink.open(
            count, ours.port, topics=(topic, 1, 1), base=base, person=person, offer=offer
        )
        found.append(Offering(f"{OURS}, {way}", OursActed(sink, ours, stage.acts), topic))
    return found


async def once(table: Table, offerings: list[Offering], changes: int) -> None:
    for one in offerings:
        await _measured(table, one, changes)


async def _measured(table: Table, one: Offering, changes: int) -> None:
    sink = one.contestant.sink
    await one.contestant.change(one.topic)
    before = await sink.counted()
    taken = await taking(one.contestant)
    for _ in range(changes):
        await one.contestant.change(one.topic)
    cost = await taken()
    delivered = changes * sink.count
    size = ((await sink.counted()).bytes - before.bytes) / delivered
    table.add(one.name, size, 1e6 * cost.cpu / delivered, delivered / cost.seconds)
