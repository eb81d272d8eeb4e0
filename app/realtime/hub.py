"""Topic → sockets in this process: who watches what, what each lacks, and what is behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from app.realtime import versions
from app.realtime.drawing import PATIENCE, Drawers
from app.realtime.reader import Batches
from app.realtime.ready import Ready
from app.realtime.topics import Kind, Listener, Sessions, frame
from app.realtime.watch import ACCESS, Drawing, Topic

if TYPE_CHECKING:
    from app.realtime.socket import Socket


class Hub:
    """Knows what every screen shows and what the database is said to have."""

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
        self.topics: dict[str, Topic] = {}
        self.drawers = Drawers(sessions, counters, self._at_rest, on_epoch)
        self._views: dict[str, set[Topic]] = {}  # topic → views of it that are watched
        # Called when a screen has left, or lost, a topic that has company.
        self.on_left: Callable[[Socket, str], None] = lambda socket, name: None

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
        gone = socket.gone is not None and name in socket.gone
        proven = name in socket.shown and name not in (socket.unproven or ()) and not gone
        topic.watchers[socket] = version
        socket.shown[topic.name] = topic
        if kind is ACCESS:  # of a cut that its other tab knows, a new one must not wait to hear
            self._newer_rights(topic, max(version, topic.hinted.get(name, 0)))
        else:
            if socket.gone:  # what was said of it is not on the page any more
                socket.gone.discard(name)
            # Of what was shown to be theirs a frame may be on its way that is newer than this
            # claim: gone has to be newer still.
            if not proven:
                if socket.unproven is None:
                    socket.unproven = {}
                socket.unproven[name] = version

    def leave(self, socket: Socket, name: str) -> None:
        topic = socket.shown.pop(name, None)
        if topic is None:
            return
        del topic.watchers[socket]
        _forget(socket, name)
        if topic.kind.personal:
            look = topic.look(socket.listener)
            if all(topic.look(other.listener) != look for other in topic.watchers):
                topic.drawings.pop(look, None)
                topic.wanted = [one for one in topic.wanted if one != look]
        if not topic.busy:
            self._at_rest(topic)
        if topic.kind.company is not None:
            self.on_left(socket, name)

    def _at_rest(self, topic: Topic) -> None:
        """Whom nobody watches is forgotten; not while it is being drawn, since who comes back
        meanwhile (a page that is loaded again) would have it drawn twice at a time.
        """
        if topic.watchers:
            return
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
            topic = socket.shown.get(name)
            if topic is None:
                continue
            if topic.kind is ACCESS:
                self._newer_rights(topic, reading.version(name))
                continue
            rows = reading.rows(name)
            for row, version in rows.items():
                topic.known.setdefault(row, version)
                self._hint(topic, row, version)
            newest = max(topic.version, sum(rows.values()))
            claim = topic.watchers[socket]
            topic.watchers[socket] = shown = min(claim, newest)
            if shown < newest:
                if socket.least is None:
                    socket.least = {}
                socket.least[name] = newest
            if shown < newest or self._might_not_be_theirs(socket, topic, claim, newest):
                self._want(socket, topic)
            else:
                _prove(socket, name)
        socket.clear = socket.clear and not socket.least

    def _might_not_be_theirs(self, socket: Socket, topic: Topic, claim: int, newest: int) -> bool:
        """A stranger who guesses must hear the same whether the guess was right or wrong.

        A right that is not plain from the scope is asked even where nothing changed; and what is
        drawn as None (a draft) must not differ from what never was, nor a claim too high tell it.
        """
        if topic.kind.personal:
            return versions.split(topic.name)[0] != socket.listener.own_scope
        return newest == 0 or claim > newest

    def force(self, socket: Socket, former: Listener) -> None:
        """The rights of this screen's person changed: its personal topics are asked again, and
        if they read in another language now, all of them.
        """
        moved = former.locale != socket.listener.locale
        for name, topic in socket.shown.items():
            if topic.kind is ACCESS or not (moved or topic.kind.personal):
                continue
            socket.forced = {*(socket.forced or ()), name}
            if topic.kind.personal:
                topic.drawings.pop(topic.look(former), None)
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
        topic = socket.shown.get(name)
        return topic is None or topic.settled(socket.listener)

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
            self.drawers.enqueue(topic)

    # --- rights: asked for each socket, since one that was read too early must not hide behind
    # another that was not

    def _newer_rights(self, topic: Topic, version: int) -> bool:
        """A person's rights may have this version. True if a socket of theirs has older ones."""
        late = [one for one, shown in topic.watchers.items() if shown < version]
        news = bool(late) and version > topic.hinted.get(topic.name, 0)
        topic.hinted[topic.name] = max(version, topic.hinted.get(topic.name, 0))
        for socket in late:
            socket.recheck()
        return news

    def rechecked(self, socket: Socket, name: str, version: int) -> None:
        """The rights of this version have been read."""
        topic = socket.shown[name]
        topic.watchers[socket] = version
        if version >= topic.hinted.get(name, 0):
            topic.tries = 0
        elif topic.tries < PATIENCE:
            topic.tries += 1
            socket.recheck()
        else:
            self._counters["hints_unfounded"] += 1
            topic.hinted[name] = version

    # --- what a screen lacks

    def frame_for(self, socket: Socket, name: str) -> Ready | None:
        """The newest frame of a topic that this screen lacks; it counts as shown from here on."""
        topic = socket.shown.get(name)
        drawing = topic.drawings.get(topic.look(socket.listener)) if topic else None
        if topic is None or drawing is None or drawing.version < (has := topic.watchers[socket]):
            return None
        if socket.least and drawing.version < socket.least.get(name, 0):
            return None  # a newer one is on its way: what they may see may have changed since
        ready = drawing.ready_for(socket.listener.person_id)
        if ready is None:
            return self._gone(socket, topic, drawing)
        gone = socket.gone is not None and name in socket.gone
        forced = socket.forced is not None and name in socket.forced
        if drawing.version == has and not forced and not gone:
            _prove(socket, name)
            return None
        if drawing.since > (0 if gone else has):
            self._want(socket, topic)
            return None
        _forget(socket, name)
        topic.watchers[socket] = drawing.version
        self._counters["frames"] += 1
        return ready

    def _gone(self, socket: Socket, topic: Topic, drawing: Drawing) -> Ready | None:
        # Who never saw it gets back the version they came with: not even a number leaks.
        told = (socket.unproven or {}).get(topic.name, drawing.version)
        topic.watchers[socket] = drawing.version
        _reached(socket, topic.name)
        if socket.forced:
            socket.forced.discard(topic.name)
        if socket.gone and topic.name in socket.gone:
            return None
        socket.gone = {*(socket.gone or ()), topic.name}
        if topic.kind.company is not None:
            self.on_left(socket, topic.name)
        return Ready(frame(topic=topic.name, version=told, html=None))


def _prove(socket: Socket, name: str) -> None:
    """It is theirs: from here on a gone frame may tell the true version."""
    if socket.unproven and socket.unproven.pop(name, None) is not None and not socket.unproven:
        socket.unproven = None


def _reached(socket: Socket, name: str) -> None:
    if socket.least and socket.least.pop(name, None) is not None and not socket.least:
        socket.least = None


def _forget(socket: Socket, name: str) -> None:
    """Nothing is special about this topic any more."""
    _prove(socket, name)
    _reached(socket, name)
    if socket.gone:
        socket.gone.discard(name)
    if socket.forced:
        socket.forced.discard(name)
