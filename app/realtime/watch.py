"""What a screen shows, what this process knows of a topic, and what was drawn of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.realtime.topics import Face, Kind, Listener, Reset, TwoFaces, drawn_frame, frame

ACCESS = Kind("access")  # u3/access: never drawn; its version says when to read rights again
SPREAD = 2  # milliseconds per watcher over which browsers spread their own asking
SPREAD_MOST = 3000

Look = tuple[int, str]  # whose and in which locale a drawing is; 0 is everybody


@dataclass(slots=True)
class Shown:
    """What one screen shows of one topic."""

    version: int
    claimed: int  # what the screen said it had when it came
    seen: bool = False  # proved to be theirs, so a gone frame may tell the true version
    gone: bool = False
    forced: bool = False  # rights changed: send again even at the same version


class Watcher(Protocol):
    """A screen: holds stale names, not messages."""

    listener: Listener
    rights_at: float  # when the listener was read
    shown: dict[str, Shown]

    def mark(self, topic: str) -> None:
        """There is a drawing of the topic that this screen may not have yet."""

    def recheck(self) -> None:
        """The person's rights may have changed."""


@dataclass(slots=True)
class Drawing:
    """One look of a topic, as the text of a frame that serves every socket. None: gone."""

    version: int
    since: int  # what a screen must have for this to fit; 0 fits all
    text: str | None
    veiled_text: str | None = None
    veiled_for: frozenset[int] = frozenset()

    def text_for(self, person_id: int) -> str | None:
        return self.veiled_text if person_id in self.veiled_for else self.text


@dataclass(slots=True, eq=False)
class Topic:
    name: str
    kind: Kind
    watchers: set[Watcher] = field(default_factory=set)
    known: dict[str, int] = field(default_factory=dict)  # per row: what every screen has or gets
    hinted: dict[str, int] = field(default_factory=dict)  # per row: said to exist, not drawn yet
    drawings: dict[Look, Drawing] = field(default_factory=dict)
    wanted: set[Look] = field(default_factory=set)
    taken: set[Look] = field(default_factory=set)  # wanted, and being drawn now
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
        self.hinted = {row: v for row, v in self.hinted.items() if v > self.known.get(row, 0)}

    def readers(self) -> dict[Look, tuple[Listener, int]]:
        """For each look one listener, the latest read, and the least that a screen has."""
        found: dict[Look, tuple[Listener, int]] = {}
        for watcher in sorted(self.watchers, key=lambda watcher: watcher.rights_at):
            look, shown = self.look(watcher.listener), watcher.shown[self.name]
            has = 0 if shown.gone else shown.version
            found[look] = (watcher.listener, min(has, found[look][1]) if look in found else has)
        return found

    def drawing_of(self, face: Face | TwoFaces, version: int, since: int) -> Drawing:
        """Turn what was drawn into the one text that goes to every socket of this look."""
        if self.kind.ask:
            spread = min(SPREAD * len(self.watchers), SPREAD_MOST)
            return Drawing(version, 0, frame(topic=self.name, version=version, within=spread))
        if isinstance(face, TwoFaces):
            shown, veiled = self._text(face.html, version, 0), self._text(face.veiled, version, 0)
            return Drawing(version, 0, shown, veiled, face.veiled_for)
        fits_all = not self.kind.rows or isinstance(face, Reset)
        return Drawing(version, 0 if fits_all else since, self._text(face, version, since))

    def _text(self, face: Face, version: int, since: int) -> str | None:
        return None if face is None else drawn_frame(self.kind, self.name, version, since, face)

    def settled(self, listener: Listener) -> bool:
        """No drawing is under way that this listener's screen asked for."""
        look = self.look(listener)
        return look not in self.wanted and look not in self.taken
