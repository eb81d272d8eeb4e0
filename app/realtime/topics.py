"""Kind of topic → how it is drawn; opens the snapshot and stamps the version on what comes out."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.realtime import versions

Sessions = async_sessionmaker[AsyncSession]
NAME = re.compile(r"[a-z]+\d+/[a-z_]+(/[\w-]+)*")
_ROOT = re.compile(r"\A\s*<[a-zA-Z][\w-]*")


class Reset(str):
    """What a drawing of rows answers when it is not the rows since, but the newest page."""

    __slots__ = ()


@dataclass(frozen=True)
class Items:
    """A listing: which regions are in it, in order; a screen asks for those that it lacks."""

    names: Sequence[str]
    counts: Mapping[str, int] | None = None  # how many there are of each sort, whatever is asked


Face = str | None | Items


@dataclass(frozen=True)
class Faces:
    """A shared drawing that a few people see otherwise, each in their own way."""

    face: Face
    others: Mapping[int, Face]  # person → what they see instead


@dataclass(frozen=True)
class TwoFaces:
    """A shared drawing that a few people see otherwise, all alike (the owner blocked them)."""

    html: str | None
    veiled: str | None
    veiled_for: frozenset[int]

    @property
    def face(self) -> Face:
        return self.html

    @property
    def others(self) -> Mapping[int, Face]:
        return dict.fromkeys(self.veiled_for, self.veiled)


Faced = Face | TwoFaces | Faces
SharedDraw = Callable[[AsyncSession, Any, str, str], Awaitable[Faced]]
Company = Callable[[Any, str], str]  # [Present], locale
PersonalDraw = Callable[[AsyncSession, Any, str, int], Awaitable[Face]]


@dataclass(frozen=True)
class Listener:
    """Who holds a socket or asks for a page, and what of the world is theirs to hear."""

    person_id: int
    scopes: frozenset[str]
    locale: str
    viewer: Callable[[str], object | None]
    community: Callable[[str], object | None]
    session_key: Any = None  # by which they are found again
    expires_at: datetime | None = None
    name: str = ""
    shows_here: bool = False  # others may see that they are here, where they watch the same
    shows_typing: bool = False
    apart: frozenset[int] = frozenset()  # people of whom they see nothing of that
    read_at: float = 0.0  # when, on the event loop's clock; the engine writes it

    @property
    def own_scope(self) -> str:
        return f"u{self.person_id}"


class Drawn(NamedTuple):
    """A topic's look and the version that this look has. html None: gone, or not yours."""

    version: int
    html: str | None


@dataclass(frozen=True)
class Kind:
    name: str
    draw_shared: SharedDraw | None = None
    draw_personal: PersonalDraw | None = None
    company: Company | None = None  # who is here and types
    rows: bool = False
    wide: bool = False  # what very many acts change: large to draw, and never in a hurry

    @property
    def personal(self) -> bool:
        return self.draw_personal is not None


@dataclass
class Topics:
    """The registry. A feature's `live.py` fills one; `include` joins several."""

    kinds: dict[str, Kind] = field(default_factory=dict)

    def shared(
        self,
        kind: str,
        *,
        stripes: int = 1,
        follows: Callable[[str], tuple[str, ...]] | None = None,
    ) -> Callable[[SharedDraw], SharedDraw]:
        """draw(tx, community, key, locale): one look for every member, drawn without a viewer.

        `follows(key)` names the topics of the scope whose versions count instead of an own one.
        """

        def register(draw: SharedDraw) -> SharedDraw:
            self._add(Kind(kind, draw_shared=draw, wide=stripes > 1), stripes)
            if follows:
                versions.view(kind, follows)
            return draw

        return register

    def personal(
        self,
        kind: str,
        *,
        rows: bool = False,
        company: Company | None = None,
        follows: Callable[[str], tuple[str, ...]] | None = None,
    ) -> Callable[[PersonalDraw], PersonalDraw]:
        """draw(tx, viewer, key, since): asks the right itself. With `rows`, only those since.

        `company(present, locale)` draws who else is here, for who has proved the topic theirs.
        `follows(key)` names the topics of the scope whose versions count instead of an own one.
        """

        def register(draw: PersonalDraw) -> PersonalDraw:
            self._add(Kind(kind, draw_personal=draw, rows=rows, company=company), 1)
            if follows:
                versions.view(kind, follows)
            return draw

        return register

    def listing(
        self, kind: str, *, follows: Callable[[str], tuple[str, ...]] | None = None
    ) -> Callable[[SharedDraw], SharedDraw]:
        """draw(tx, community, key, locale) → Items: one question, asked once for all who ask it.

        The key says what is listed (a search, say). All keys have one version: that of
        `scope/kind`, which acts touch, and of the kinds that `follows(key)` names.
        """

        def register(draw: SharedDraw) -> SharedDraw:
            self._add(Kind(kind, draw_shared=draw, wide=True), 1)
            versions.view(kind, lambda key: (kind, *(follows(key) if follows else ())))
            return draw

        return register

    def include(self, *others: "Topics") -> None:
        for other in others:
            for kind in other.kinds.values():
                self._add(kind, 1)

    def _add(self, kind: Kind, stripes: int) -> None:
        if kind.name in self.kinds or kind.name == "access":
            raise ValueError(f"two kinds of topic are called {kind.name}")
        self.kinds[kind.name] = kind
        if stripes > 1:
            versions.stripe(kind.name, stripes)

    def kind_of(self, topic: str) -> Kind | None:
        return self.kinds.get(versions.split(topic)[1]) if NAME.fullmatch(topic) else None

    def open_to(self, listener: Listener, topic: str) -> Kind | None:
        """The topic's kind, if its scope is the listener's (the drawing may still refuse)."""
        kind, scope = self.kind_of(topic), versions.split(topic)[0]
        if kind is None or scope not in listener.scopes:
            return None
        # Who may hear what is personal, but nothing shared (suspended), has no community there.
        place = listener.viewer(scope) if kind.personal else listener.community(scope)
        return kind if place is not None else None


async def draw(
    tx: AsyncSession, kind: Kind, listener: Listener, topic: str, since: int = 0
) -> Faced:
    """The one road to a topic's look: page, first draw, push, catch-up, plain GET."""
    scope, _, key = versions.split(topic)
    if kind.draw_personal:
        viewer = listener.viewer(scope)
        if viewer is None:
            return None
        return await kind.draw_personal(tx, viewer, key, since if kind.rows else 0)
    community = listener.community(scope)
    if community is None or kind.draw_shared is None:
        return None
    return await kind.draw_shared(tx, community, key, listener.locale)


def stamp(html: str, topic: str, version: int) -> str:
    """Write topic and version on the root element; no template does so itself."""
    return _ROOT.sub(rf'\g<0> data-topic="{topic}" data-version="{version}"', html, count=1)


def face_for(drawn: Faced, person_id: int) -> Face:
    if isinstance(drawn, TwoFaces | Faces):
        return drawn.others.get(person_id, drawn.face)
    return drawn


def frame(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def drawn_frame(kind: Kind, topic: str, version: int, since: int, face: Face) -> str:
    """The text of a drawn topic's frame: {topic, version, since?, reset?, html} or items."""
    if face is None:
        return frame(topic=topic, version=version, html=None)
    if isinstance(face, Items):
        counts = {} if face.counts is None else {"counts": face.counts}
        return frame(topic=topic, version=version, items=face.names, **counts)
    if not kind.rows:
        return frame(topic=topic, version=version, html=stamp(face, topic, version))
    if isinstance(face, Reset) or since == 0:
        return frame(topic=topic, version=version, reset=True, html=face)
    return frame(topic=topic, version=version, since=since, html=face)


@asynccontextmanager
async def snapshot(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """One REPEATABLE READ, READ ONLY view: version and content read in it belong together."""
    async with sessions() as tx:
        await tx.connection(
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        yield tx


def by_scope(hints: Iterable[versions.Hint]) -> dict[str, list[versions.Hint]]:
    scopes: dict[str, list[versions.Hint]] = {}
    for row, version in hints:
        scopes.setdefault(versions.split(row)[0], []).append((row, version))
    return scopes
