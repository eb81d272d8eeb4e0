"""What this process knows of a topic, and what was drawn of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.realtime.ready import Ready
from app.realtime.topics import Face, Faced, Faces, Kind, Listener, Reset, TwoFaces, drawn_frame

if TYPE_CHECKING:
    from app.realtime.socket import Socket

ACCESS = Kind("access")  # u3/access: never drawn; its version says when to read rights again

Look = tuple[int, str]  # whose and in which locale a drawing is; 0 is everybody
NONE: frozenset[Look] = frozenset()


@dataclass(slots=True)
class Drawing:
    """One look of a topic, ready for every socket. None: gone."""

    version: int
    since: int  # what a screen must have for this to fit; 0 fits all
    ready: Ready | None
    others: Mapping[int, Ready | None] = field(default_factory=dict)  # who see another face

    def ready_for(self, person_id: int) -> Ready | None:
        return self.others.get(person_id, self.ready)


@dataclass(slots=True, eq=False)
class Topic:
    """One that is watched here. There is one for each person, so what is empty costs little."""

    name: str
    kind: Kind
    # The version that each screen shows. In the order in which they came, which is about the order
    # in which they lie in memory: that is quicker to go through.
    watchers: dict[Socket, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)  # per row: what every screen has or gets
    hinted: dict[str, int] = field(default_factory=dict)  # per row: said to exist, not drawn yet
    drawings: dict[Look, Drawing] = field(default_factory=dict)
    wanted: Collection[Look] = NONE
    taken: Collection[Look] = NONE  # wanted, and being drawn now
    busy: bool = False  # queued or being drawn
    tries: int = 0

    @property
    def version(self) -> int:
        return sum(self.known.values())

    @property
    def behind(self) -> bool:
        return any(version > self.known.get(row, 0) for row, version in self.hinted.items())

    def look(self, listener: Listener) -> Look:
        return (listener.person_id if self.kind.personal else 0, listener.locale)

    def is_news(self, rows: Mapping[str, int]) -> bool:
        return any(version > self.known.get(row, -1) for row, version in rows.items())

    def learn(self, rows: Mapping[str, int]) -> None:
        """Take in versions that the database itself told. Hints are never believed that far."""
        for row, version in rows.items():
            self.known[row] = max(version, self.known.get(row, 0))
        if self.hinted:
            self.hinted = {r: v for r, v in self.hinted.items() if v > self.known.get(r, 0)}

    def want(self, look: Look) -> None:
        self.wanted = {*self.wanted, look}

    def take(self) -> None:
        """What is wanted up to now is what the drawing that begins now is for."""
        self.taken, self.wanted = {*self.taken, *self.wanted}, NONE

    def give_back(self) -> None:
        self.wanted, self.taken = {*self.wanted, *self.taken}, NONE

    def readers(self) -> dict[Look, tuple[Listener, int]]:
        """For each look one listener, and the least that a screen has."""
        found: dict[Look, tuple[Listener, int]] = {}
        if not self.kind.personal:
            some = {watcher.locale: watcher for watcher in self.watchers}
            return {(0, locale): (watcher.listener, 0) for locale, watcher in some.items()}
        for watcher, shown in self.watchers.items():
            listener, look = watcher.listener, self.look(watcher.listener)
            gone = watcher.gone and self.name in watcher.gone
            has = 0 if gone else shown
            if former := found.get(look):
                # The latest read of two tabs' rights: a cut may have reached only one of them.
                listener = max(former[0], listener, key=lambda one: one.read_at)
                has = min(has, former[1])
            found[look] = (listener, has)
        return found

    def drawing_of(self, drawn: Faced, version: int, since: int) -> Drawing:
        """Turn what was drawn into the one frame that goes to every socket of this look."""
        face = drawn.face if isinstance(drawn, TwoFaces | Faces) else drawn
        others = drawn.others if isinstance(drawn, TwoFaces | Faces) else {}
        fits_all = not self.kind.rows or isinstance(face, Reset)
        return Drawing(
            version,
            0 if fits_all else since,
            self._ready(face, version, since),
            {person: self._ready(one, version, 0) for person, one in others.items()},
        )

    def _ready(self, face: Face, version: int, since: int) -> Ready | None:
        """Only what is shared is compressed. A personal fragment holds secrets beside text that
        others choose: whoever can watch its length could guess the one by choosing the other.
        """
        if face is None:
            return None
        text = drawn_frame(self.kind, self.name, version, since, face)
        return Ready(text, squeezable=not self.kind.personal)

    def settled(self, listener: Listener) -> bool:
        """No drawing is under way that this listener's screen asked for."""
        look = self.look(listener)
        return look not in self.wanted and look not in self.taken
