"""Topic → sockets in this process: what is behind is drawn once and goes to all who watch it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.realtime import versions
from app.realtime.delivery import SLICE, SLICE_COUNT, Delivery
from app.realtime.frames import Ready
from app.realtime.reader import Batches
from app.realtime.topics import Kind, Sessions, draw, frame, snapshot
from app.realtime.watch import ACCESS, Drawing, Look, Topic

if TYPE_CHECKING:
    from app.realtime.socket import Socket

log = logging.getLogger(__name__)

DRAWERS = 4  # drawings at a time, each on a database connection of its own
TOGETHER = 16  # topics at most that are drawn in one snapshot
DRAWN_WITHIN = 10.0  # seconds for what is drawn in one snapshot
WIDE_WAITS = 0.2  # seconds at most that a wide topic waits for the narrow ones
PATIENCE = 5  # drawings for a hint of something that the database does not know


class Hub:
    """Never two drawings of one topic at a time; hints meanwhile cost one more, not many."""

    def __init__(
        self,
        sessions: Sessions,
        counters: Counter[str],
        on_scope: Callable[[str, bool], None],
        on_epoch: Callable[[str], None],
    ) -> None:
        self._sessions = sessions
        self.reader: Batches[str, versions.Reading] = Batches(self._read_versions)
        self._counters = counters
        self._on_scope, self._on_epoch = on_scope, on_epoch
        self._due: dict[Topic, None] = {}  # an ordered set
        self._something_due = asyncio.Event()
        self._wide_due: asyncio.Queue[Topic] = asyncio.Queue()
        self._quiet = asyncio.Event()  # nothing narrow is due or being drawn
        self._quiet.set()
        self._drawing = 0
        self.delivery = Delivery(self._quiet)
        self.topics: dict[str, Topic] = {}
        self._views: dict[str, set[Topic]] = {}  # topic → views of it that are watched

    async def _read_versions(self, names: Collection[str]) -> versions.Reading:
        async with self._sessions() as tx:
            return await versions.read(tx, names)

    # --- who watches what

    def enter(self, socket: Socket, name: str, kind: Kind, version: int) -> None:
        """Comes before the topic's version is read, so that nothing falls between."""
        topic = self.topics.get(name)
        if topic is None:
            topic = self.topics[name] = Topic(name, kind)
            self._on_scope(versions.split(name)[0], True)
            for base in versions.bases_of(name):
                if base != name:
                    self._views.setdefault(base, set()).add(topic)
        topic.watchers.add(socket)
        socket.shown[topic.name] = version
        if kind is ACCESS:
            self._newer_rights(topic, version)
        else:
            if socket.unproven is None:
                socket.unproven = {}
            socket.unproven[topic.name] = version

    def leave(self, socket: Socket, name: str) -> None:
        topic = self.topics.get(name)
        if topic is None or socket.shown.pop(name, None) is None:
            return
        topic.watchers.discard(socket)
        _forget(socket, name)
        if not topic.watchers:
            self._drop(topic)
        elif topic.kind.personal:
            look = topic.look(socket.listener)
            if all(topic.look(other.listener) != look for other in topic.watchers):
                topic.drawings.pop(look, None)
                topic.wanted = [one for one in topic.wanted if one != look]

    def _drop(self, topic: Topic) -> None:
        del self.topics[topic.name]
        self._on_scope(versions.split(topic.name)[0], False)
        for base in versions.bases_of(topic.name):
            if views := self._views.get(base):
                views.discard(topic)
                if not views:
                    del self._views[base]

    async def catch_up(self, socket: Socket, names: Iterable[str]) -> None:
        """Compare what a screen shows with the table; only what is behind gets drawn."""
        names = list(names)
        reading = await self.reader.ask(*names)
        self._on_epoch(reading.epoch)
        for name in names:
            topic, shown = self.topics.get(name), socket.shown.get(name)
            if topic is None or shown is None:
                continue
            if topic.kind is ACCESS:
                self._newer_rights(topic, reading.version(name))
                continue
            rows = reading.rows(name)
            for row, version in rows.items():
                topic.known.setdefault(row, version)
                self._hint(topic, row, version)
            newest = max(topic.version, sum(rows.values()))
            socket.shown[name] = shown = min(shown, newest)
            # A stranger who guesses must hear the same whether the guess was right or wrong: a
            # right that is not plain from the scope is asked even where nothing changed.
            own = versions.split(name)[0] == socket.listener.own_scope
            if shown < newest or (topic.kind.personal and not own):
                self._want(socket, topic)
            else:
                _prove(socket, name)

    def force(self, socket: Socket) -> None:
        """The rights of this screen's person changed: its personal topics are asked again."""
        for name in socket.shown:
            topic = self.topics[name]
            if topic.kind.personal:
                socket.forced = {*(socket.forced or ()), name}
                topic.drawings.pop(topic.look(socket.listener), None)
                self._want(socket, topic)
        socket.see()

    def _want(self, socket: Socket, topic: Topic) -> None:
        look = topic.look(socket.listener)
        drawing = topic.drawings.get(look)
        fresh = drawing and drawing.version >= topic.version and not topic.behind
        if fresh and not topic.kind.personal:
            socket.mark(topic.name)
        else:
            topic.want(look)
            self._queue(topic)

    def settled(self, socket: Socket, name: str) -> bool:
        """Nothing more is coming of what this screen asked for."""
        topic = self.topics.get(name)
        return topic is None or name not in socket.shown or topic.settled(socket.listener)

    # --- what is behind

    def hint(self, row: str, version: int) -> bool:
        """A row may have this version. True if that is news for a topic watched here."""
        return sum(self._hint(topic, row, version) for topic in self._counting(row)) > 0

    def _counting(self, row: str) -> list[Topic]:
        """The topics watched here for which a row counts."""
        base = versions.topic_of(row)
        topic, views = self.topics.get(base), self._views.get(base)
        return [*([topic] if topic else ()), *(views or ())]

    def _hint(self, topic: Topic, row: str, version: int) -> bool:
        if topic.kind is ACCESS:
            return self._newer_rights(topic, version)
        if version <= topic.known.get(row, 0):
            return False
        news = version > topic.hinted.get(row, 0)
        topic.hinted[row] = max(version, topic.hinted.get(row, 0))
        self._queue(topic)
        return news

    def compare(self, reading: versions.Reading) -> int:
        """Mark what the table has and no hint told; how many topics that were."""
        found: set[str] = set()
        for row, version in reading.found():
            for topic in self._counting(row):
                # Of one that is just being joined nothing is known: its watch compares itself.
                joining = topic.kind is not ACCESS and row not in topic.known
                if not joining and self._hint(topic, row, version):
                    found.add(topic.name)
        for topic in self.topics.values():
            if topic.kind is not ACCESS and (topic.hinted or topic.wanted):
                self._queue(topic)
        return len(found)

    def _queue(self, topic: Topic) -> None:
        if topic.busy:
            self._counters["conflated"] += 1
        else:
            topic.busy = True
            self._enqueue(topic)

    # --- rights: asked for each socket, since one that was read too early must not hide behind
    # another that was not

    def _newer_rights(self, topic: Topic, version: int) -> bool:
        """A person's rights may have this version. True if a socket of theirs has older ones."""
        late = [one for one in topic.watchers if one.shown[topic.name] < version]
        news = bool(late) and version > topic.hinted.get(topic.name, 0)
        topic.hinted[topic.name] = max(version, topic.hinted.get(topic.name, 0))
        for socket in late:
            socket.recheck()
        return news

    def rechecked(self, socket: Socket, name: str, version: int) -> None:
        """The rights of this version have been read."""
        topic = self.topics[name]
        socket.shown[name] = version
        if version >= topic.hinted.get(name, 0):
            topic.tries = 0
        elif topic.tries < PATIENCE:
            topic.tries += 1
            socket.recheck()
        else:
            self._counters["hints_unfounded"] += 1
            topic.hinted[name] = version

    # --- drawing

    def _enqueue(self, topic: Topic) -> None:
        if topic.kind.wide:
            self._wide_due.put_nowait(topic)
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
        count = min(TOGETHER, -(-len(self._due) // DRAWERS))
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
            topic = await self._wide_due.get()
            with suppress(TimeoutError):
                async with asyncio.timeout(WIDE_WAITS):
                    await self._quiet.wait()
            await self._draw_all([topic])

    async def _draw_all(self, batch: list[Topic]) -> None:
        """In one snapshot, as far as none fails; then the others have another one."""
        left = [topic for topic in batch if self.topics.get(topic.name) is topic]
        for topic in left:  # before the snapshot begins: what is wanted later, this may not show
            topic.take()
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

    def _failed(self, topic: Topic, error: Exception) -> None:
        """It is tried again, ever later."""
        # A database that is away would fill the log with the same trace, topic by topic.
        away = isinstance(error, SQLAlchemyError | OSError | TimeoutError)
        log.warning("drawing %s failed: %r", topic.kind.name, error, exc_info=not away)
        self._counters["drawings_failed"] += 1
        topic.give_back()
        topic.tries += 1
        self._queue_later(topic, min(5.0, 0.2 * 2**topic.tries))

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
        topic.taken = ()
        self._counters["drawings"] += len(drawings)
        await self._hand_out(topic, drawings)
        self._go_on(topic, progress=known != topic.known)

    def _go_on(self, topic: Topic, progress: bool) -> None:
        """A drawing older than its hint is done again, but not for ever for a hint of nothing."""
        topic.tries = topic.tries + 1 if topic.behind and not progress else 0
        if topic.behind and topic.tries > PATIENCE:
            self._counters["hints_unfounded"] += 1
            topic.hinted.clear()
        if topic.behind and not progress:
            self._queue_later(topic, 0.02 * 2**topic.tries)
        elif topic.behind or topic.wanted:
            self._enqueue(topic)
        else:
            topic.busy, topic.tries = False, 0

    def _queue_later(self, topic: Topic, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._enqueue, topic)

    # --- handing out

    async def _hand_out(self, topic: Topic, drawings: dict[Look, Drawing]) -> None:
        for look, drawing in drawings.items():
            # Asked again meanwhile, perhaps since rights changed: this one is not to be shown.
            if not (topic.kind.personal and look in topic.wanted):
                topic.drawings[look] = drawing
        alone = self._drawing <= 1 and not self._due and self.delivery.empty
        plain = all(one.ready and not one.veiled_for for one in drawings.values())
        if alone and plain and not topic.kind.personal:
            await self._send_now(topic, {look[1]: one for look, one in drawings.items()})
            return
        for socket in topic.watchers:
            if topic.look(socket.listener) in drawings:
                socket.mark(topic.name)

    async def _send_now(self, topic: Topic, drawings: dict[str, Drawing]) -> None:
        """Nothing else is under way that this could share a write with. The one loop that runs
        for each of very many sockets, so it calls little and looks up little.
        """
        name, sent, size = topic.name, 0, 0
        turn = time.monotonic()
        for n, socket in enumerate(list(topic.watchers), 1):
            drawing = drawings.get(socket.locale)
            if drawing is not None and name in socket.shown:
                if not socket.clear:
                    socket.mark(name)
                elif socket.shown[name] < drawing.version:
                    socket.shown[name] = drawing.version
                    data = drawing.ready.bytes_for(socket.window)  # type: ignore[union-attr]
                    socket.send(data)
                    sent += 1
                    size += len(data)
            if n % SLICE_COUNT == 0 and time.monotonic() - turn > SLICE:
                await asyncio.sleep(0)
                turn = time.monotonic()
        self._counters["frames"] += sent
        self._counters["writes"] += sent
        self._counters["bytes"] += size

    def frame_for(self, socket: Socket, name: str) -> Ready | None:
        """The newest frame of a topic that this screen lacks; it counts as shown from here on."""
        topic, has = self.topics.get(name), socket.shown.get(name)
        drawing = topic.drawings.get(topic.look(socket.listener)) if topic else None
        if topic is None or has is None or drawing is None or drawing.version < has:
            return None
        ready = drawing.ready_for(socket.listener.person_id)
        if ready is None:
            return self._gone(socket, name, drawing)
        gone = socket.gone is not None and name in socket.gone
        forced = socket.forced is not None and name in socket.forced
        if drawing.version == has and not forced and not gone:
            _prove(socket, name)
            return None
        if drawing.since > (0 if gone else has):
            self._want(socket, topic)
            return None
        _forget(socket, name)
        socket.shown[topic.name] = drawing.version
        self._counters["frames"] += 1
        return ready

    def _gone(self, socket: Socket, name: str, drawing: Drawing) -> Ready | None:
        # Who never saw it gets back the version they came with: not even a number leaks.
        told = (socket.unproven or {}).get(name, drawing.version)
        socket.shown[name] = drawing.version
        if socket.forced:
            socket.forced.discard(name)
        if socket.gone and name in socket.gone:
            return None
        socket.gone = {*(socket.gone or ()), name}
        return Ready(frame(topic=name, version=told, html=None))


def _prove(socket: Socket, name: str) -> None:
    """It is theirs: from here on a gone frame may tell the true version."""
    if socket.unproven and socket.unproven.pop(name, None) is not None and not socket.unproven:
        socket.unproven = None


def _forget(socket: Socket, name: str) -> None:
    """Nothing is special about this topic any more."""
    _prove(socket, name)
    if socket.gone:
        socket.gone.discard(name)
    if socket.forced:
        socket.forced.discard(name)
