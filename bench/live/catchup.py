"""A worker ends, things change, it is back, and all its screens come at the same instant."""

from __future__ import annotations

import time
from math import nan

import asyncpg

from bench.live.contest import OursActed, PlainWritten, Stage, taking
from bench.live.ground import Ground
from bench.live.table import Column, Table

ACCEPTED = "FastAPI loop, only accepted and greeted"
NAME = "ours, until each has what it missed"
CHANGED = 50  # topics that changed meanwhile; each screen is behind on one of them
COUNT = """
    SELECT coalesce(sum(calls), 0) AS all,
           coalesce(sum(calls) FILTER (WHERE query LIKE '%live_topic%'), 0) AS versions,
           coalesce(sum(calls) FILTER (WHERE query LIKE '%thing%'), 0) AS drawings
    FROM pg_stat_statements WHERE query ILIKE '%select%' AND query NOT LIKE '%pg_%'
"""


def table(count: int) -> Table:
    return Table(
        f"{count:,} screens come back at once to a worker that was killed and started again",
        (
            Column("seconds", "A"),
            Column("CPU s", "A", "CPU"),
            Column("SELECTs"),
            Column("versions"),
            Column("drawings"),
            Column("retries"),
        ),
        names=(ACCEPTED, NAME),
        notes=[
            f"meanwhile {CHANGED} topics changed, and each screen is behind on one of its three;",
            "    seconds from the moment that all try to connect, none spread out;",
            "    versions, drawings: SELECTs of versions, and of what is drawn;",
            "    retries: handshakes refused or closed, and tried again as a page does it",
        ],
    )


async def opened(stage: Stage, count: int) -> OursActed:
    sink, server = await stage.sink(), stage.ours()
    base = await stage.acts.versions()
    await sink.open(count, server.port, topics=(0, CHANGED, 1), pads=2, base=base)
    return OursActed(sink, server, stage.acts)


async def once(table: Table, contestant: OursActed, plain: PlainWritten, ground: Ground) -> None:
    taken, began = await taking(plain), time.monotonic_ns()
    served = await plain.sink.reopen()
    seconds = (served.last - began) / 1e9
    table.add(ACCEPTED, seconds, (await taken()).cpu, nan, nan, nan, plain.sink.retries)
    await _ours(table, contestant, ground)


async def _ours(table: Table, contestant: OursActed, ground: Ground) -> None:
    sink, server = contestant.sink, contestant.server
    server.restart()
    newest = [(topic, await contestant.acts.change("x", topic)) for topic in range(CHANGED)]
    connection = await asyncpg.connect(ground.postgres.url.replace("+asyncpg", ""))
    try:
        if ground.statements:
            await connection.execute("SELECT pg_stat_statements_reset()")
        cpu, began = contestant.cpu(), time.monotonic_ns()
        await sink.reopen()
        arrivals = [await sink.arrival(*one) for one in newest]
        seconds = (max(arrival.last for arrival in arrivals) - began) / 1e9
        cpu = contestant.cpu() - cpu
        asked = (nan, nan, nan)
        if ground.statements:
            row = await connection.fetchrow(COUNT)
            asked = (float(row["all"]), float(row["versions"]), float(row["drawings"]))
    finally:
        await connection.close()
    table.add(NAME, seconds, cpu, *asked, sink.retries)
