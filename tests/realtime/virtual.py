"""An event loop whose time passes only while nobody has anything to do, and then at once.

A minute of retries, beats and compares costs milliseconds, and is the same each time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from app.realtime import delivery, door, drawing, engine, socket, watch

Result = TypeVar("Result")


class Jump(selectors.BaseSelector):
    """Instead of waiting, moves the clock on to when the next timer is due."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready:
            assert timeout is not None, "everybody waits for something that nobody will do"
            self.now += max(0.0, timeout)
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.run_until_complete(work)


@contextmanager
def virtual_time(*, every_turn: bool = False) -> Iterator[VirtualLoop]:
    """The engine's own looks at the clock follow the loop.

    With `every_turn` whatever is handed out or written in slices gives way after each socket.
    """
    loop = VirtualLoop()
    clock = SimpleNamespace(monotonic=loop.time, time=loop.time)
    with pytest.MonkeyPatch.context() as patch:
        for module in (delivery, door, drawing, engine, socket):
            patch.setattr(module, "time", clock)
        if every_turn:
            for module in (delivery, drawing):
                patch.setattr(module, "SLICE", -1.0)
                patch.setattr(module, "SLICE_COUNT", 1)
        # Sets are in the order of their members' hashes: the same in each run, as all else is.
        patch.setattr(socket.Socket, "__hash__", lambda self: hash(self.number), raising=False)
        patch.setattr(watch.Topic, "__hash__", lambda self: hash(self.name), raising=False)
        try:
            yield loop
        finally:
            loop.close()
