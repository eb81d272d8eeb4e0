"""Topic → watchers in this process: what is behind is drawn once and goes to all who watch it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from app.realtime import versions
from app.realtime.reader import Reader
from app.realtime.topics import Kind, Sessions, draw, frame, snapshot
from app.realtime.watch import ACCESS, Drawing, Look, Shown, Topic, Watcher

log = logging.getLogger(__name__)

DRAWN_WITHIN = 10.0  # seconds for the drawings of one topic
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
        self.reader = Reader(sessions)
        self._counters = counters
        self._on_scope, self._on_epoch = on_scope, on_epoch
        self._due: asyncio.Queue[Topic] = asyncio.Queue()
        self._wide_due: asyncio.Queue[Topic] = asyncio.Queue()
        self._quiet = asyncio.Event()  # nothing narrow is due or being drawn
        self._quiet.set()
        self._drawing = 0
        self.topics: dict[str, Topic] = {}

    # --- who watches what

    def enter(self, watcher: Watcher, name: str, kind: Kind, version: int) -> None:
        """Comes before the topic's version is read, so that nothing falls between."""
        topic = self.topics.get(name)
        if topic is None:
            topic = self.topics[name] = Topic(name, kind)
            self._on_scope(versions.split(name)[0], True)
        topic.watchers.add(watcher)
        watcher.shown[name] = Shown(version, version)

    def leave(self, watcher: Watcher, name: str) -> None:
        topic = self.topics.get(name)
        if topic is None or watcher.shown.pop(name, None) is None:
            return
        topic.watchers.discard(watcher)
        if not topic.watchers:
            del self.topics[name]
            self._on_scope(versions.split(name)[0], False)
        elif topic.kind.personal:
            look = topic.look(watcher.listener)
            if all(topic.look(other.listener) != look for other in topic.watchers):
                topic.drawings.pop(look, None)
                topic.wanted.discard(look)

    async def catch_up(self, watcher: Watcher, names: Iterable[str]) -> None:
        """Compare what a screen shows with the table; only what is behind gets drawn."""
        names = list(names)
        reading = await self.reader.read(names)
        self._on_epoch(reading.epoch)
        for name in names:
            topic, shown = self.topics.get(name), watcher.shown.get(name)
            if topic is None or shown is None:
                continue
            for row, version in reading.rows(name).items():
                topic.known.setdefault(row, version)
                self.hint(row, version)
            newest = max(topic.version, reading.version(name))
            shown.version = min(shown.version, newest)
            # A stranger who guesses must hear the same whether the guess was right or wrong: a
            # right that is not plain from the scope is asked even where nothing changed.
            own = versions.split(name)[0] == watcher.listener.own_scope
            if shown.version < newest or (topic.kind.personal and not own):
                self._want(watcher, topic)
            else:
                shown.seen = True

    def force(self, watcher: Watcher) -> None:
        """The rights of this screen's person changed: its personal topics are asked again."""
        for name, shown in watcher.shown.items():
            topic = self.topics[name]
            if topic.kind.personal:
                shown.forced = True
                topic.drawings.pop(topic.look(watcher.listener), None)
                self._want(watcher, topic)

    def _want(self, watcher: Watcher, topic: Topic) -> None:
        if topic.kind is ACCESS:
            watcher.recheck()
            return
        look = topic.look(watcher.listener)
        drawing = topic.drawings.get(look)
        fresh = drawing and drawing.version >= topic.version and not topic.behind
        if fresh and not topic.kind.personal:
            watcher.mark(topic.name)
        else:
            topic.wanted.add(look)
            self._queue(topic)

    def settled(self, watcher: Watcher, name: str) -> bool:
        """Nothing more is coming of what this screen asked for."""
        topic = self.topics.get(name)
        return topic is None or name not in watcher.shown or topic.settled(watcher.listener)

    # --- what is behind

    def hint(self, row: str, version: int) -> bool:
        """A row may have this version. True if that is news for a topic watched here."""
        topic = self.topics.get(versions.topic_of(row))
        if topic is None or version <= topic.known.get(row, 0):
            return False
        news = version > topic.hinted.get(row, 0)
        topic.hinted[row] = max(version, topic.hinted.get(row, 0))
        self._queue(topic)
        return news

    def compare(self, reading: versions.Reading) -> int:
        """Mark what the table has and no hint told; how many topics that were."""
        found: set[str] = set()
        for row, version in reading.found():
            topic = self.topics.get(versions.topic_of(row))
            # Of a topic that is just being joined nothing is known yet: its watch compares itself.
            if topic and version > topic.known.get(row, version) and self.hint(row, version):
                found.add(topic.name)
        for topic in self.topics.values():
            if topic.hinted or topic.wanted:
                self._queue(topic)
        return len(found)

    def rechecked(self, watcher: Watcher, name: str, reading: versions.Reading) -> None:
        """The rights of this version have been read."""
        topic = self.topics[name]
        topic.learn(reading.rows(name))
        watcher.shown[name].version = reading.version(name)
        topic.tries = topic.tries + 1 if topic.behind else 0
        if topic.tries > PATIENCE:
            topic.hinted.clear()

    def _queue(self, topic: Topic) -> None:
        if topic.kind is ACCESS:
            newest = max([topic.version, *topic.hinted.values()])
            for watcher in topic.watchers:
                if watcher.shown[topic.name].version < newest:
                    watcher.recheck()
        elif not topic.busy:
            topic.busy = True
            self._enqueue(topic)

    # --- drawing

    def _enqueue(self, topic: Topic) -> None:
        if topic.kind.wide:
            self._wide_due.put_nowait(topic)
        else:
            self._quiet.clear()
            self._due.put_nowait(topic)

    async def draw_forever(self) -> None:
        """One of a few that draw what is due."""
        while True:
            topic = await self._due.get()
            self._drawing += 1
            try:
                await self._draw_due(topic)
            finally:
                self._drawing -= 1
                if not self._drawing and self._due.empty():
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
            await self._draw_due(topic)

    async def _draw_due(self, topic: Topic) -> None:
        """A drawing that fails is tried again, ever later."""
        if self.topics.get(topic.name) is not topic:
            return
        known = dict(topic.known)
        try:
            async with asyncio.timeout(DRAWN_WITHIN):
                await self._draw(topic)
        except Exception as error:
            # A database that is away would fill the log with the same trace, topic by topic.
            away = isinstance(error, SQLAlchemyError | OSError | TimeoutError)
            log.warning("drawing %s failed: %r", topic.kind.name, error, exc_info=not away)
            self._counters["drawings_failed"] += 1
            topic.tries += 1
            self._queue_later(topic, min(5.0, 0.2 * 2**topic.tries))
            return
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

    async def _draw(self, topic: Topic) -> None:
        topic.taken, topic.wanted = topic.wanted, set()
        try:
            async with snapshot(self._sessions) as tx:
                reading = await versions.read(tx, [topic.name])
                self._on_epoch(reading.epoch)
                rows = reading.rows(topic.name)
                readers = topic.readers()
                # Something newer than anybody has: everybody's look, else only who asked.
                looks = readers.keys() if topic.is_news(rows) else readers.keys() & topic.taken
                drawings: dict[Look, Drawing] = {}
                for look in looks:
                    listener, since = readers[look]
                    face = await draw(tx, topic.kind, listener, topic.name, since)
                    drawings[look] = topic.drawing_of(face, reading.version(topic.name), since)
        except BaseException:
            topic.wanted |= topic.taken
            raise
        finally:
            topic.taken = set()
        topic.learn(rows)
        self._counters["drawings"] += len(drawings)
        self._hand_out(topic, drawings)

    def _hand_out(self, topic: Topic, drawings: dict[Look, Drawing]) -> None:
        for look, drawing in drawings.items():
            # Asked again meanwhile, perhaps since rights changed: this one is not to be shown.
            if not (topic.kind.personal and look in topic.wanted):
                topic.drawings[look] = drawing
        for watcher in topic.watchers:
            if topic.look(watcher.listener) in drawings:
                watcher.mark(topic.name)

    def frame_for(self, watcher: Watcher, name: str) -> str | None:
        """The newest frame of a topic that this screen lacks; it counts as shown from here on."""
        topic, shown = self.topics.get(name), watcher.shown.get(name)
        drawing = topic.drawings.get(topic.look(watcher.listener)) if topic else None
        if topic is None or shown is None or drawing is None or drawing.version < shown.version:
            return None
        text = drawing.text_for(watcher.listener.person_id)
        if text is None:
            return self._gone(name, shown, drawing)
        if drawing.version == shown.version and not shown.forced and not shown.gone:
            shown.seen = True
            return None
        if drawing.since > (0 if shown.gone else shown.version):
            self._want(watcher, topic)
            return None
        shown.version, shown.seen, shown.gone, shown.forced = drawing.version, True, False, False
        self._counters["frames"] += 1
        return text

    def _gone(self, name: str, shown: Shown, drawing: Drawing) -> str | None:
        # Who never saw it gets back the version they came with: not even a number leaks.
        told = drawing.version if shown.seen else shown.claimed
        shown.version, shown.forced = drawing.version, False
        if shown.gone:
            return None
        shown.gone = True
        return frame(topic=name, version=told, html=None)
