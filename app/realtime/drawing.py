"""What is behind is drawn once, and goes to all who watch it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.realtime import versions
from app.realtime.delivery import SLICE, SLICE_COUNT, Delivery
from app.realtime.topics import Sessions, draw, snapshot
from app.realtime.turns import Turns
from app.realtime.watch import Drawing, Look, Topic

log = logging.getLogger(__name__)

AT_ONCE = 4  # drawings at a time, each on a database connection of its own
TOGETHER = 16  # topics at most that are drawn in one snapshot
DRAWN_WITHIN = 10.0  # seconds for what is drawn in one snapshot
WIDE_WAITS = 0.2  # seconds at most that a wide topic waits for the narrow ones
PATIENCE = 5  # drawings for a hint of something that the database does not know


class Drawers:
    """Never two drawings of one topic at a time; hints meanwhile cost one more, not many."""

    def __init__(
        self,
        sessions: Sessions,
        counters: Counter[str],
        at_rest: Callable[[Topic], None],
        on_epoch: Callable[[str], None],
    ) -> None:
        self._sessions, self._counters = sessions, counters
        self._at_rest, self._on_epoch = at_rest, on_epoch
        self._due: dict[Topic, None] = {}  # an ordered set
        self._something_due = asyncio.Event()
        self._wide_due = Turns()
        self._quiet = asyncio.Event()  # nothing narrow is due or being drawn
        self._quiet.set()
        self._drawing = 0
        self.delivery = Delivery(self._quiet)

    def enqueue(self, topic: Topic) -> None:
        if topic.kind.wide:
            self._wide_due.add(topic)
        else:
            self._quiet.clear()
            self._due[topic] = None
            self._something_due.set()

    async def draw_forever(self) -> None:
        """One of a few that draw what is due."""
        while True:
            await self._something_due.wait()
            if batch := self._take_due():
                self._drawing += 1
                try:
                    await self._draw_all(batch)
                finally:
                    self._drawing -= 1
                    self._see_quiet()
            else:
                self._something_due.clear()

    def _take_due(self) -> list[Topic]:
        """What is due, shared out among those who draw."""
        count = min(TOGETHER, -(-len(self._due) // AT_ONCE))
        batch = [topic for topic, _ in zip(self._due, range(count), strict=False)]
        for topic in batch:
            del self._due[topic]
        return batch

    def _see_quiet(self) -> None:
        if not self._drawing and not self._due:
            self._quiet.set()

    async def draw_wide_forever(self) -> None:
        """The only one that draws wide topics, after the narrow ones: they share one event loop,
        and a card that somebody is looking at should not wait for the counters above it.
        """
        while True:
            topic = await self._wide_due.next()
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(WIDE_WAITS):
                        await self._quiet.wait()
            except asyncio.CancelledError:
                self.enqueue(topic)
                raise
            await self._draw_all([topic])

    async def _draw_all(self, batch: list[Topic]) -> None:
        """In one snapshot, as far as none fails; then the others have another one."""
        left = [topic for topic in batch if topic.watchers]
        for topic in batch:  # before the snapshot begins: what is wanted later, this may not show
            topic.take() if topic.watchers else self._rest(topic)
        while left:
            begun = False
            try:
                async with asyncio.timeout(DRAWN_WITHIN), snapshot(self._sessions) as tx:
                    reading = await versions.read(tx, [topic.name for topic in left])
                    self._on_epoch(reading.epoch)
                    begun = True
                    while left:
                        await self._draw(tx, left[0], reading)
                        left.pop(0)
            except Exception as error:
                failed = 1 if begun else len(left)
                for topic in left[:failed]:
                    self._failed(topic, error)
                del left[:failed]
            except asyncio.CancelledError:  # the worker leaves; whoever starts again goes on
                for topic in left:
                    topic.give_back()
                    self.enqueue(topic)
                raise

    def _failed(self, topic: Topic, error: Exception) -> None:
        """It is tried again, ever later."""
        # A database that is away would fill the log with the same trace, topic by topic.
        away = isinstance(error, SQLAlchemyError | OSError | TimeoutError)
        log.warning("drawing %s failed: %r", topic.kind.name, error, exc_info=not away)
        self._counters["drawings_failed"] += 1
        topic.give_back()
        if not topic.watchers:
            self._rest(topic)
            return
        topic.tries += 1
        self._queue_later(topic, 0.2 * 2 ** min(topic.tries, 5))

    async def _draw(self, tx: AsyncSession, topic: Topic, reading: versions.Reading) -> None:
        rows, version = reading.rows(topic.name), reading.version(topic.name)
        readers = topic.readers()
        # Something newer than anybody has: everybody's look, else only who asked.
        looks = readers.keys() if topic.is_news(rows) else readers.keys() & set(topic.taken)
        drawings: dict[Look, Drawing] = {}
        for look in looks:
            listener, since = readers[look]
            face = await draw(tx, topic.kind, listener, topic.name, since)
            drawings[look] = topic.drawing_of(face, version, since)
        known = dict(topic.known)
        topic.learn(rows)
        asked, topic.taken = bool(topic.taken), ()
        self._counters["drawings"] += len(drawings)
        await self._hand_out(topic, drawings, asked)
        self._go_on(topic, progress=known != topic.known)

    def _go_on(self, topic: Topic, progress: bool) -> None:
        """A drawing older than its hint is done again, but not for ever for a hint of nothing."""
        topic.tries = topic.tries + 1 if topic.behind and not progress else 0
        if topic.behind and topic.tries > PATIENCE:
            self._counters["hints_unfounded"] += 1
            topic.hinted.clear()
        if not topic.watchers:
            self._rest(topic)
        elif topic.behind and not progress:
            self._queue_later(topic, 0.02 * 2**topic.tries)
        elif topic.behind or topic.wanted:
            self.enqueue(topic)
        else:
            self._rest(topic)

    def _rest(self, topic: Topic) -> None:
        topic.busy, topic.tries = False, 0
        self._at_rest(topic)

    def _queue_later(self, topic: Topic, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self.enqueue, topic)

    # --- handing out

    async def _hand_out(self, topic: Topic, drawings: dict[Look, Drawing], asked: bool) -> None:
        there = topic.readers() if topic.kind.personal else ()
        for look, drawing in drawings.items():
            # Asked again meanwhile, perhaps since rights changed, or nobody is there any more:
            # this one is not to be shown.
            if topic.kind.personal and (look in topic.wanted or look not in there):
                continue
            topic.drawings[look] = drawing
        alone = self._drawing <= 1 and not self._due and self.delivery.empty
        plain = all(one.ready and not one.others for one in drawings.values())
        # Who asked is called live once the drawing is handed out: that must not take turns.
        if alone and plain and not asked and not topic.kind.personal:
            await self._send_now(topic, {look[1]: one for look, one in drawings.items()})
            return
        for socket in topic.watchers:
            if topic.look(socket.listener) in drawings:
                socket.mark(topic.name)

    async def _send_now(self, topic: Topic, drawings: dict[str, Drawing]) -> None:
        """Nothing else is under way that this could share a write with."""
        try:
            await self._send_each(topic, drawings)
        except BaseException:
            # The drawing counts as known: whoever has not got it must not be forgotten.
            for socket in topic.watchers:
                socket.mark(topic.name)
            raise

    async def _send_each(self, topic: Topic, drawings: dict[str, Drawing]) -> None:
        """The one loop that runs for each of very many sockets: it calls and looks up little."""
        name, sent, size = topic.name, 0, 0
        turn = time.monotonic()
        watchers = topic.watchers
        for n, socket in enumerate(list(watchers), 1):
            drawing = drawings.get(socket.locale)
            has = watchers.get(socket)
            if drawing is not None and has is not None:
                if not socket.clear:
                    socket.mark(name)
                elif has < drawing.version:
                    data = drawing.ready.bytes_for(socket.window)  # type: ignore[union-attr]
                    socket.send(data)
                    watchers[socket] = drawing.version
                    sent += 1
                    size += len(data)
            if n % SLICE_COUNT == 0 and time.monotonic() - turn > SLICE:
                await asyncio.sleep(0)
                turn = time.monotonic()
        self._counters["frames"] += sent
        self._counters["writes"] += sent
        self._counters["bytes"] += size
