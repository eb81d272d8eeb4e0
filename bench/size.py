"""How much is done: enough for a p99 in each round, and little enough for four minutes in all."""

from __future__ import annotations

from dataclasses import dataclass

ROUNDS_END = 225  # seconds after the start: a round under way is then given up
LONGEST = 235  # seconds: then it stops, whatever it is at
SEARCH_LONGEST = 560  # and the search, which takes most of it to hang up a million tools


@dataclass(frozen=True)
class Size:
    """Counts are per round."""

    rounds: int = 5
    acts: int = 100
    pages: int = 100
    queries: int = 300
    approvals: int = 80  # a multiple of the clients
    lent: int = 1000  # tools on which they are spread, a multiple of the clients, too
    empties: int = 2000
    tools: int = 0  # as many as the demo has
    many_tools: int = 10_000  # in the search by dates, with twenty loans each
    searches: int = 20
    searched: tuple[int, ...] = (1_000, 100_000)  # tools on walls that are searched by words
    messages: int = 20_000  # in the room that is opened beside one with 20
    said: int = 80  # a multiple of the clients, and few enough for everybody's sixty a minute
    left_open: int = 5000  # messages that come while a page stays open; at a tenth it is looked at
    photos: int = 8
    rows: int = 5000  # of a table with tools


QUICK = Size(
    rounds=2,
    acts=10,
    pages=10,
    queries=30,
    approvals=16,
    lent=80,
    empties=200,
    many_tools=500,
    searches=4,
    searched=(200,),
    messages=500,
    said=16,
    left_open=500,
    photos=1,
    rows=200,
)
CLIENTS = 8  # at once, half of them at each worker
