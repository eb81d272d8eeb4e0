"""A small world for the engine alone: things, rooms and bells in scopes called t1, t2, u3."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.requests import HTTPConnection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.realtime import (
    Engine,
    Faces,
    Items,
    Limits,
    Listener,
    Present,
    Reset,
    Topics,
    bump,
    touch,
    versions,
)

DEADLINE = 15.0  # seconds: a bound on waiting, never a measure
BOTH = frozenset({"here", "typing"})  # what one may let others see: that one is here, and types

metadata = sa.MetaData()
thing = sa.Table(
    "thing",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("words", sa.Text),
)
line = sa.Table(
    "line",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("room", sa.Text),
    sa.Column("born", sa.BigInteger),
    sa.Column("revision", sa.BigInteger),
    sa.Column("words", sa.Text),
)
seat = sa.Table(
    "seat",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("person", sa.Integer, primary_key=True),
)
right = sa.Table(
    "right",
    metadata,
    sa.Column("person", sa.Integer, primary_key=True),
    sa.Column("scopes", sa.Text, nullable=False),
)
veil = sa.Table("veil", metadata, sa.Column("person", sa.Integer, primary_key=True))


class Gate:
    """Holds the next drawings of a topic between the reading of its version and its content."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()


@dataclass
class World:
    sessions: async_sessionmaker[AsyncSession]
    redis_url: str
    prefix: str
    topics: Topics = field(default_factory=Topics)
    gates: dict[str, Gate] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)
    drawing_now: set[str] = field(default_factory=set)
    doubled: list[str] = field(default_factory=list)
    workers: list["Worker"] = field(default_factory=list)
    pages: list[Callable[[FastAPI, Engine], None]] = field(default_factory=list)
    broken: bool = False
    shows: dict[int, Collection[str]] = field(default_factory=dict)  # person → to others
    apart: set[frozenset[int]] = field(default_factory=set)  # pairs
    locales: dict[int, str] = field(default_factory=dict)
    expires_at: Any = None

    @asynccontextmanager
    async def act(self, announce: bool = True) -> AsyncIterator[AsyncSession]:
        """One transaction on the first worker, as `db.begin()` does it."""
        async with self.sessions() as tx:
            async with tx.begin():
                yield tx
                hints = await versions.flush(tx)
            if announce and self.workers:
                self.workers[0].engine.announce(hints)

    async def write(self, key: str, words: str | None, announce: bool = True) -> None:
        async with self.act(announce) as tx:
            await put(tx, key, words)
            touch(tx, f"t1/x/{key}")

    async def say(self, room: str, words: str, announce: bool = True) -> int:
        async with self.act(announce) as tx:
            revision = await bump(tx, f"t1/room/{room}")
            await tx.execute(
                line.insert().values(room=room, born=revision, revision=revision, words=words)
            )
        return revision

    async def allow(self, person: int, *scopes: str, announce: bool = True) -> None:
        async with self.act(announce) as tx:
            await tx.execute(right.delete().where(right.c.person == person))
            if scopes:
                await tx.execute(right.insert().values(person=person, scopes=" ".join(scopes)))
            touch(tx, f"u{person}/access")

    async def sit(self, room: str, *people: int) -> None:
        async with self.act() as tx:
            await tx.execute(seat.delete().where(seat.c.room == room))
            for person in people:
                await tx.execute(seat.insert().values(room=room, person=person))
            await bump(tx, f"t1/room/{room}")

    async def version(self, topic: str) -> int:
        async with self.sessions() as tx:
            return (await versions.read(tx, [topic])).version(topic)

    @contextmanager
    def held(self, topic: str) -> Iterator[Gate]:
        gate = self.gates[topic] = Gate()
        try:
            yield gate
        finally:
            del self.gates[topic]
            gate.open.set()

    @asynccontextmanager
    async def drawing(self, topic: str) -> AsyncIterator[None]:
        self.drawn.append(topic)
        if topic in self.drawing_now:
            self.doubled.append(topic)
        self.drawing_now.add(topic)
        try:
            if self.broken:
                raise RuntimeError("a drawing with a fault, on purpose")
            if gate := self.gates.get(topic):
                gate.reached.set()
                await gate.open.wait()
            yield
        finally:
            self.drawing_now.discard(topic)

    def session_key(self, connection: HTTPConnection) -> int | None:
        person = connection.cookies.get("person", "")
        return int(person) if person else None

    async def listeners(self, tx: AsyncSession, people: Collection[Any]) -> dict[Any, Listener]:
        found = {person: await self._listener(tx, person) for person in people}
        return {person: listener for person, listener in found.items() if listener}

    async def _listener(self, tx: AsyncSession, person: int) -> Listener | None:
        scopes = await tx.scalar(sa.select(right.c.scopes).where(right.c.person == person))
        if scopes is None:
            return None
        return Listener(
            person,
            frozenset([*scopes.split(), f"u{person}"]),
            self.locales.get(person, "en"),
            viewer=lambda scope: SimpleNamespace(id=person, scope=scope),
            community=lambda scope: SimpleNamespace(scope=scope),
            session_key=person,
            name=f"p{person}",
            shows_here="here" in self.shows.get(person, BOTH),
            shows_typing="typing" in self.shows.get(person, BOTH),
            apart=frozenset().union(*(pair for pair in self.apart if person in pair)),
            expires_at=self.expires_at,
        )

    async def worker(self, **options: Any) -> "Worker":
        worker = Worker(self, options)
        await worker.start()
        self.workers.append(worker)
        return worker

    async def stop(self) -> None:
        for worker in self.workers:
            await worker.stop()
        self.workers.clear()


async def put(tx: AsyncSession, key: str, words: str | None) -> None:
    await tx.execute(thing.delete().where(thing.c.key == key))
    await tx.execute(thing.insert().values(key=key, words=words))


def register(world: World) -> None:
    """The kinds of this world; each drawing passes the gate after its snapshot has begun."""
    topics = world.topics

    @topics.shared("x")
    async def x(tx: AsyncSession, community: Any, key: str, locale: str) -> Any:
        async with world.drawing(f"{community.scope}/x/{key}"):
            stored = key if community.scope == "t1" else f"{community.scope}-{key}"
            words = await tx.scalar(sa.select(thing.c.words).where(thing.c.key == stored))
            return None if words is None else f'<p id="x-{key}">{words}</p>'

    @topics.shared("hot", stripes=16)
    async def hot(tx: AsyncSession, community: Any, key: str, locale: str) -> Any:
        async with world.drawing(f"{community.scope}/hot"):
            count = await tx.scalar(sa.select(sa.func.count()).select_from(thing))
            return f'<p id="hot">{count}</p>'

    def company(present: list[Present], locale: str) -> str:
        verbs = {"en": ("is here", "types"), "de": ("ist hier", "tippt")}[locale]
        return ", ".join(f"{one.name} {verbs[one.typing]}" for one in present)

    @topics.personal("room", rows=True, company=company)
    async def room(tx: AsyncSession, viewer: Any, key: str, since: int) -> str | None:
        async with world.drawing(f"{viewer.scope}/room/{key}"):
            return await rows_since(tx, viewer.id, key, since)

    @topics.personal("bell")
    async def bell(tx: AsyncSession, viewer: Any, key: str, since: int) -> str | None:
        async with world.drawing(f"{viewer.scope}/bell"):
            words = await tx.scalar(sa.select(thing.c.words).where(thing.c.key == f"u{viewer.id}"))
            return f'<b id="bell">{words}</b>'

    @topics.listing("shelf", follows=lambda key: ("hot",) if key == "hot" else ())
    async def shelf(tx: AsyncSession, community: Any, key: str, locale: str) -> Faces:
        async with world.drawing(f"{community.scope}/shelf/{key}"):
            found = sa.select(thing.c.key).where(thing.c.words.like(f"%{key}%"))
            keys = await tx.scalars(found.order_by(thing.c.key))
            things = [f"{community.scope}/x/{one}" for one in keys]
            hidden = (await tx.scalars(sa.select(veil.c.person))).all()
            shown = Items(things, {"things": len(things)})
            return Faces(shown, {one: Items([]) for one in hidden})


async def rows_since(tx: AsyncSession, person: int, room: str, since: int) -> str | None:
    mine = sa.select(seat).where(seat.c.room == room, seat.c.person == person)
    if (await tx.execute(mine)).first() is None:
        return None
    changed = sa.select(line).where(line.c.room == room, line.c.revision > since)
    rows = (await tx.execute(changed.order_by(line.c.id.desc()).limit(201))).all()
    html = "".join(
        f'<li id="line-{r.id}" data-born="{r.born}" data-revision="{r.revision}">{r.words}</li>'
        for r in reversed(rows[:200])
    )
    return Reset(html) if len(rows) > 200 else html


class Worker:
    """One engine behind one real server, on the test's own loop."""

    def __init__(self, world: World, options: dict[str, Any]) -> None:
        self.world, self.port = world, 0
        others = {
            name: options.pop(name) for name in ("now", "on_end", "on_lag") if name in options
        }
        self.engine = Engine(
            world.sessions,
            world.redis_url,
            world.prefix,
            world.topics,
            session_key=world.session_key,
            listeners=world.listeners,
            allowed_origin=self._ours,
            limits=Limits(**options),
            **others,
        )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _ours(self, connection: HTTPConnection) -> bool:
        return connection.headers.get("origin") in ("http://ours", self.address)

    async def start(self, port: int = 0) -> None:
        app = FastAPI()
        app.include_router(self.engine.router)
        for routes in self.world.pages:
            routes(app, self.engine)
        config = uvicorn.Config(
            app,
            ws="app.realtime.frames:FrameProtocol",
            ws_max_size=16_384,
            log_config=None,
            lifespan="off",
        )
        self._server = uvicorn.Server(config)
        listening = socket.create_server(("127.0.0.1", port))
        self.port = listening.getsockname()[1]
        await self.engine.start()
        self._serving = asyncio.create_task(self._server.serve([listening]))
        await until(lambda: self._server.started)

    async def stop(self) -> None:
        await self.engine.stop()
        self._server.should_exit = True
        await self._serving

    @asynccontextmanager
    async def screen(self, person: int = 1, origin: str = "http://ours") -> AsyncIterator["Screen"]:
        url = f"ws://127.0.0.1:{self.port}/live"
        headers = {"Cookie": f"person={person}"} if person else {}
        async with connect(url, origin=origin, additional_headers=headers) as connection:  # type: ignore[arg-type]
            screen = Screen(connection)
            reading = asyncio.create_task(screen.read())
            try:
                yield screen
            finally:
                reading.cancel()


class Screen:
    """What live.js does, without a browser: newer only, tombstones, rows since."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.frames: list[dict[str, Any]] = []
        self.html: dict[str, str | None] = {}
        self.version: dict[str, int] = {}
        self.rows: dict[str, dict[str, str]] = {}
        self.lives: set[int] = set()
        self.company: dict[str, str] = {}
        self.closed: int | None = None
        self._n = 0
        self._changed = asyncio.Condition()

    async def read(self) -> None:
        try:
            async for text in self._connection:
                async with self._changed:
                    self.take(json.loads(text))
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        async with self._changed:
            self.closed = self._connection.close_code
            self._changed.notify_all()

    def take(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        if "live" in frame:
            self.lives.add(frame["live"])
        topic = frame.get("topic")
        if "ttl" in frame:
            self.company[frame["topic"]] = frame["html"]
            return
        if topic is None or frame["version"] < self.version.get(topic, 0):
            return
        if "since" in frame:
            assert frame["since"] <= self.version.get(topic, 0), "a gap that was not asked for"
        if "html" in frame and topic.split("/")[1] == "room":
            self._take_rows(topic, frame)
        self.version[topic] = frame["version"]
        self.html[topic] = frame.get("html")

    def _take_rows(self, topic: str, frame: dict[str, Any]) -> None:
        rows = self.rows.setdefault(topic, {})
        if frame.get("reset") or frame["html"] is None:
            rows.clear()
        had = self.version.get(topic, 0)
        found = re.findall(
            r'<li id="([^"]+)" data-born="(\d+)"[^>]*>(.*?)</li>', frame["html"] or ""
        )
        for row, born, words in found:
            if row in rows or frame.get("reset") or int(born) > had:
                rows[row] = words

    async def watch(self, wanted: dict[str, int] | None = None, **topics: int) -> None:
        """Watch, and wait until the engine says that all of it has been drawn."""
        await self.ask(wanted or {})
        n = self._n
        await self.until(lambda: n in self.lives)

    async def ask(self, wanted: dict[str, int]) -> None:
        self._n += 1
        for topic, version in wanted.items():
            self.version.setdefault(topic, version)
        await self.send({"watch": wanted, "n": self._n})

    async def send(self, message: object) -> None:
        await self._connection.send(json.dumps(message))

    def abort(self) -> None:
        """The network is gone: no goodbye."""
        self._connection.transport.abort()

    async def until(self, true: Callable[[], object], seconds: float = DEADLINE) -> None:
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: true() or self.closed is not None)
        assert true(), f"closed with {self.closed}"

    async def sees(self, topic: str, words: str) -> None:
        await self.until(lambda: words in (self.html.get(topic) or ""))


async def until(true: Callable[[], object], seconds: float = DEADLINE) -> None:
    """For what has no event to wait for."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def made(database: str, redis_url: str, prefix: str) -> AsyncIterator[World]:
    engine = create_async_engine(database, pool_size=20, max_overflow=20)
    async with engine.begin() as connection:
        await connection.run_sync(versions.metadata.create_all)
        await connection.run_sync(metadata.create_all)
        await connection.execute(
            right.insert(),
            [
                {"person": 1, "scopes": "t1"},
                {"person": 2, "scopes": "t1 t2"},
                {"person": 3, "scopes": "t2"},
            ],
        )
    world = World(async_sessionmaker(engine, expire_on_commit=False), redis_url, prefix)
    register(world)
    try:
        yield world
    finally:
        await world.stop()
        await engine.dispose()
