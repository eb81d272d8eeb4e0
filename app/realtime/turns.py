"""Whose turn it is among the wide topics, of which one is drawn at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from app.realtime import versions
from app.realtime.watch import Topic


class Turns:
    """Each kind in each scope has its turn, so a board's counters never wait behind hundreds of
    searches. Within one, by turns what most screens watch and what has waited longest: nobody's
    many odd searches keep everybody's list waiting, and none of them waits for ever.
    """

    def __init__(self) -> None:
        self._due: dict[Hashable, dict[Topic, None]] = {}  # both ordered
        self._filled = asyncio.Event()
        self._by_age = False

    def add(self, topic: Topic) -> None:
        scope, kind, _ = versions.split(topic.name)
        self._due.setdefault((scope, kind), {})[topic] = None
        self._filled.set()

    async def next(self) -> Topic:
        while not self._due:
            self._filled.clear()
            await self._filled.wait()
        group = next(iter(self._due))
        due = self._due.pop(group)
        self._by_age = not self._by_age
        topic = next(iter(due)) if self._by_age else max(due, key=lambda one: len(one.watchers))
        del due[topic]
        if due:
            self._due[group] = due  # behind the others
        return topic
