"""Versions for many screens at once: who asks while a query runs is answered by the next one."""

import asyncio
from collections.abc import Collection

from app.realtime import versions
from app.realtime.topics import Sessions

READ_WITHIN = 5.0  # seconds


class Batch:
    def __init__(self) -> None:
        self.names: set[str] = set()
        self.answer: asyncio.Future[versions.Reading] = asyncio.get_running_loop().create_future()


class Reader:
    """A thousand sockets that come back at once cost a handful of queries and one connection."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._batch: Batch | None = None
        self._asked = asyncio.Event()
        self.queries = 0

    async def read(self, names: Collection[str]) -> versions.Reading:
        """As of now or later: the query begins after the asking."""
        batch = self._batch = self._batch or Batch()
        batch.names.update(names)
        self._asked.set()
        return await asyncio.shield(batch.answer)

    async def read_forever(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            batch, self._batch = self._batch, None
            if batch is not None:
                await self._answer(batch)

    async def _answer(self, batch: Batch) -> None:
        self.queries += 1
        try:
            async with asyncio.timeout(READ_WITHIN), self._sessions() as tx:
                batch.answer.set_result(await versions.read(tx, batch.names))
        except Exception as error:
            batch.answer.set_exception(error)
            batch.answer.exception()  # seen, even if all who asked have gone
        except asyncio.CancelledError:
            batch.answer.cancel()
            raise
