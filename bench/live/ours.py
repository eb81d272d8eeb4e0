"""Our engine in an app of its own: one kind of topic, drawn from one row. `app.worker` serves it.

It is steered over HTTP by the measurement, which may also be "the other worker".
"""

from __future__ import annotations

import cProfile
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Collection, Hashable
from contextlib import asynccontextmanager
from types import CodeType
from typing import Any, cast

import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.requests import HTTPConnection

from app.realtime import Engine, Listener, Topics, touch, versions
from bench.live.thing import FILLING, LARGE, card, thing

SCOPE = "t1"
topics = Topics()


@topics.shared("x")
async def x(tx: AsyncSession, community: object, key: str, locale: str) -> str | None:
    """About 300 bytes, as a card; one that is large enough to fill buffers."""
    said = await tx.scalar(sa.select(thing.c.said).where(thing.c.key == key))
    return None if said is None else card(key, said) + FILLING * (key == str(LARGE))


@topics.shared("pad")
async def pad(tx: AsyncSession, community: object, key: str, locale: str) -> str | None:
    """Watched, and never changed."""
    return f'<article id="pad-{key}"></article>'


def session_key(connection: HTTPConnection) -> int:
    return int(connection.cookies["person"])


async def listeners(tx: AsyncSession, people: Collection[Hashable]) -> dict[Hashable, Listener]:
    return {person: _listener(cast("int", person)) for person in people}


def _listener(person: int) -> Listener:
    own = f"u{person}"
    return Listener(person, frozenset([SCOPE, own]), "en", _here, _here, session_key=person)


def _here(scope: str) -> str:
    return scope


# As app/db.py makes its own: the same pool, and its ping.
database = create_async_engine(
    os.environ["BENCH_DATABASE"], pool_size=10, max_overflow=10, pool_pre_ping=True
)
sessions = async_sessionmaker(database, expire_on_commit=False)

# All that is said to the engine. Each screen is a person of its own, and 500 share an address, so
# no cap needs lifting.
engine = Engine(
    sessions,
    os.environ["BENCH_REDIS"],
    os.environ["BENCH_PREFIX"],
    topics,
    session_key=session_key,
    listeners=listeners,
    allowed_origin=lambda connection: True,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await engine.start()
    yield
    await engine.stop()
    await database.dispose()


app = FastAPI(lifespan=lifespan)
app.include_router(engine.router)


@app.post("/change/{kind}/{key}")
async def change(kind: str, key: str) -> dict[str, Any]:
    """One act. `at` is the instant at which its commit was known, on the monotonic clock."""
    topic = f"{SCOPE}/{kind}/{key}"
    async with sessions() as tx:
        async with tx.begin():
            await tx.execute(
                sa.update(thing).where(thing.c.key == key).values(said=thing.c.said + 1)
            )
            touch(tx, topic)
            hints = await versions.flush(tx)
        at = time.monotonic_ns()
        versions.announce(tx)
    return {"version": dict(hints)[topic], "at": at}


@app.post("/counted")
async def counted() -> dict[str, int]:
    return dict(engine.counters)


@app.post("/settle")
async def settle() -> dict[str, int]:
    gc.collect()
    return await counted()


profiler = cProfile.Profile()


@app.post("/profile/start")
async def start_profile() -> dict[str, int]:
    profiler.clear()
    profiler.enable()
    return {}


@app.post("/profile/stop")
async def stop_profile() -> dict[str, Any]:
    """Each function with its calls and its own seconds, the heaviest first."""
    profiler.disable()
    found = [
        (_name(entry.code), entry.callcount, entry.inlinetime) for entry in profiler.getstats()
    ]
    return {"functions": sorted(found, key=lambda one: -one[2])[:30]}


def _name(code: CodeType | str) -> str:
    if isinstance(code, str):  # of C
        return code.strip("<>")
    return f"{code.co_qualname} ({'/'.join(code.co_filename.split('/')[-2:])})"


@app.post("/objects")
async def objects() -> dict[str, list[int]]:
    """What the collector knows, by type: how many, and how many bytes."""
    gc.collect()
    found: dict[str, list[int]] = {}
    for one in gc.get_objects():
        told = found.setdefault(f"{type(one).__module__}.{type(one).__qualname__}", [0, 0])
        told[0] += 1
        told[1] += sys.getsizeof(one)
    return found
