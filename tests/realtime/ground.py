"""What the engine stands on, in memory: versions and things, with snapshots as PostgreSQL has them.

The engine asks it through the statements of `versions.py`, so those two are all it understands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol

from app.realtime import versions


class AwayError(OSError):
    """The database cannot be reached, on purpose."""


@dataclass(frozen=True)
class State:
    """All that is committed."""

    epoch: str = "first"
    rows: Mapping[str, int] = field(default_factory=dict)
    things: Mapping[str, str] = field(default_factory=dict)

    def version(self, topic: str) -> int:
        return sum(self.rows.get(row, 0) for row in versions.rows_of(topic))


async def at_once() -> None:
    pass


class Memory:
    """Stands for the sessions of a database; `pause` is how long each statement is on its way."""

    def __init__(self, pause: Callable[[], Awaitable[None]] = at_once) -> None:
        self.state, self.pause = State(), pause
        self.away = False

    def __call__(self) -> Tx:
        return Tx(self)


class Tx:
    """A session. Rows that it has raised are nobody else's until it ends: callers see to that."""

    def __init__(self, memory: Memory) -> None:
        self.info: dict[str, Any] = {}
        self._memory = memory
        self._seen: State | None = None
        self._repeatable = False
        self._raised: dict[str, int] = {}
        self._put: dict[str, str | None] = {}

    async def __aenter__(self) -> Tx:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.rollback()

    async def connection(self, execution_options: object) -> None:
        await self._on_its_way()
        self._repeatable = True

    async def execute(self, statement: Any, asked: Mapping[str, Any]) -> Any:
        if statement is versions._ADD:  # the acts are the test's: never slow, never in vain
            added = self._add(asked["names"])
            return SimpleNamespace(all=lambda: added)
        assert statement is versions._READ
        await self._on_its_way()
        state = self._state()
        rows = [(name, state.rows[name]) for name in asked["names"] if name in state.rows]
        await self._on_its_way()
        return [*rows, (state.epoch, None)]

    def _add(self, names: Iterable[str]) -> list[tuple[str, int]]:
        for name in names:
            before = self._memory.state.rows.get(name, 0)
            self._raised[name] = self._raised.get(name, before) + 1
        return [(name, self._raised[name]) for name in names]

    def _state(self) -> State:
        if not self._repeatable:
            return self._memory.state
        if self._seen is None:  # a snapshot begins with its first statement
            self._seen = self._memory.state
        return self._seen

    async def _on_its_way(self) -> None:
        await self._memory.pause()
        if self._memory.away:
            raise AwayError("away")

    async def look(self) -> State:
        await self._on_its_way()
        return self._state()

    def put(self, key: str, words: str | None) -> None:
        self._put[key] = words

    async def flush(self) -> None:
        pass

    async def commit(self) -> None:
        was = self._memory.state
        things = {**was.things, **{k: v for k, v in self._put.items() if v is not None}}
        for key, words in self._put.items():
            if words is None:
                things.pop(key, None)
        self._memory.state = replace(was, rows={**was.rows, **self._raised}, things=things)
        await self.rollback()

    async def rollback(self) -> None:
        self._raised, self._put = {}, {}


class Ground(Protocol):
    """Where the storm rages."""

    @property
    def sessions(self) -> Any: ...

    async def state(self) -> State: ...

    async def look(self, tx: Any) -> State:
        """What a transaction sees of the things (its versions are the engine's business)."""

    async def put(self, tx: Any, key: str, words: str | None) -> None: ...

    async def restore(self, state: State) -> None:
        """As after a backup was played back: another epoch, and versions that went back."""


class InMemory:
    def __init__(self, pause: Callable[[], Awaitable[None]]) -> None:
        self.sessions = Memory(pause)

    async def state(self) -> State:
        return self.sessions.state

    async def look(self, tx: Tx) -> State:
        return await tx.look()

    async def put(self, tx: Tx, key: str, words: str | None) -> None:
        tx.put(key, words)

    async def restore(self, state: State) -> None:
        self.sessions.state = state
