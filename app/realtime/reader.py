"""Questions of many sockets in one query: who asks while it runs is answered by the next one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.realtime import versions
from app.realtime.topics import Listener, Sessions, snapshot

log = logging.getLogger(__name__)

READ_WITHIN = 5.0  # seconds
AT_ONCE = 500  # questions of one query

Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")
Listeners = Callable[[AsyncSession, Collection[Hashable]], Awaitable[Mapping[Hashable, Listener]]]


class UnansweredError(Exception):
    """The question could not be asked, which is logged already: once for all who asked."""


class Batch(Generic[Asked, Answer]):
    def __init__(self) -> None:
        self.asked: set[Asked] = set()
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()


class Batches(Generic[Asked, Answer]):
    """A thousand sockets that come back at once cost a handful of queries and one connection."""

    def __init__(self, look_up: Callable[[Collection[Asked]], Awaitable[Answer]]) -> None:
        self._look_up = look_up
        self._failing = False
        self._waiting: list[Batch[Asked, Answer]] = []
        self._filled = asyncio.Event()
        self.queries = 0

    async def ask(self, *questions: Asked) -> Answer:
        """As of now or later: the query begins after the asking. Raises UnansweredError."""
        if not self._waiting or len(self._waiting[-1].asked) >= AT_ONCE:
            self._waiting.append(Batch())
        batch = self._waiting[-1]
        batch.asked.update(questions)
        self._filled.set()
        return await asyncio.shield(batch.answer)

    async def answer_forever(self) -> None:
        while True:
            await self._filled.wait()
            while self._waiting:
                await self._answer(self._waiting.pop(0))
            self._filled.clear()

    async def _answer(self, batch: Batch[Asked, Answer]) -> None:
        self.queries += 1
        try:
            async with asyncio.timeout(READ_WITHIN):
                batch.answer.set_result(await self._look_up(batch.asked))
            self._failing = False
        except Exception as error:
            self._complain(error)
            batch.answer.set_exception(UnansweredError())
            batch.answer.exception()  # seen, even if all who asked have gone
        except asyncio.CancelledError:
            batch.answer.cancel()
            raise

    def _complain(self, error: Exception) -> None:
        """Once until it goes again: those who ask may be thousands, and some never cease."""
        if not self._failing:
            away = isinstance(error, SQLAlchemyError | OSError | TimeoutError)
            log.warning("screens could not be looked up: %r", error, exc_info=not away)
        self._failing = True


class Found(NamedTuple):
    """Somebody's rights, and the version of `u{person}/access` that they are as new as."""

    listener: Listener
    access: int


class Entrance:
    """Who holds a session, and what is theirs to hear: read for many sockets at once."""

    def __init__(
        self, sessions: Sessions, listeners: Listeners, on_epoch: Callable[[str], None]
    ) -> None:
        self._sessions, self._listeners, self._on_epoch = sessions, listeners, on_epoch
        self._batches: Batches[Hashable, Mapping[Hashable, Found]] = Batches(self._look_up)
        self.answer_forever = self._batches.answer_forever

    @property
    def queries(self) -> int:
        return self._batches.queries

    async def find(self, key: Hashable) -> Found | None:
        """None: signed out, or never in. Raises UnansweredError."""
        return (await self._batches.ask(key)).get(key)

    async def again(self, key: Hashable) -> Found | None:
        """The same, however long it takes."""
        while True:
            try:
                return await self.find(key)
            except UnansweredError:
                await asyncio.sleep(0.5)

    async def _look_up(self, keys: Collection[Hashable]) -> Mapping[Hashable, Found]:
        now = asyncio.get_running_loop().time()
        async with snapshot(self._sessions) as tx:
            found = await self._listeners(tx, keys)
            topics = {key: f"{one.own_scope}/access" for key, one in found.items()}
            reading = await versions.read(tx, set(topics.values()))
        self._on_epoch(reading.epoch)
        return {
            key: Found(replace(one, read_at=now), reading.version(topics[key]))
            for key, one in found.items()
        }
