"""Figures for Prometheus, of all workers together where PROMETHEUS_MULTIPROC_DIR is set."""

import asyncio
import hmac
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NotFound
from app.http.log import route_of
from app.settings import settings

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
COPIED_EVERY = 2.0  # seconds

SECONDS = Histogram(
    "toolshare_http_request_seconds",
    "Time from the request's head to the end of the answer.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge(
    "toolshare_http_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum"
)
POOL = Gauge(
    "toolshare_database_connections_in_use",
    "Connections that somebody holds.",
    multiprocess_mode="livesum",
)
WORKERS = Gauge("toolshare_workers", "Worker processes.", multiprocess_mode="livesum")
LIVE = Counter("toolshare_live_events", "What the live engine counted.", ["event"])
CLOSED = Counter("toolshare_live_closed", "Websockets that ended, by close code.", ["code"])
STANDING = Gauge(
    "toolshare_live", "What the live engine holds now.", ["what"], multiprocess_mode="livesum"
)
LAG = Histogram(
    "toolshare_live_announce_lag_seconds",
    "From a commit to its hint's arrival through Redis, by the clocks of the two workers.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(authorization: Annotated[str, Header()] = "") -> Response:
    """Open in the demo, which listens on loopback only; else not there without the token."""
    if not settings.demo and not _holds_token(authorization):
        raise NotFound
    text = await asyncio.to_thread(collect)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _holds_token(authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    expected = settings.metrics_token
    if not expected or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), expected.encode())


def collect() -> bytes:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(REGISTRY)
    forget_dead_workers(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_dead_workers(folder: Path) -> None:
    """A worker that was killed holds no connections any more; what it counted stays counted."""
    for pid in {int(path.stem.rsplit("_", 1)[1]) for path in folder.glob("gauge_live*_*.db")}:
        if not _is_alive(pid):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def watch_pool(engine: AsyncEngine) -> None:
    """Counts the connections that are checked out of this engine's pool."""
    WORKERS.set(1)
    event.listen(engine.sync_engine, "checkout", lambda *_: POOL.inc())
    event.listen(engine.sync_engine, "checkin", lambda *_: POOL.dec())


async def follow(
    counters: Callable[[], Mapping[str, int]], gauges: Callable[[], Mapping[str, int]] = dict
) -> None:
    """Runs until cancelled: copies an engine's counters and gauges, whatever they are called."""
    copied: dict[str, int] = {}
    while True:
        copy(counters(), copied)
        for what, number in gauges().items():
            STANDING.labels(what).set(number)
        await asyncio.sleep(COPIED_EVERY)


def copy(counters: Mapping[str, int], copied: dict[str, int]) -> None:
    """Adds what has grown since the last copy, which `copied` remembers."""
    for name, value in dict(counters).items():
        grown = value - copied.get(name, 0)
        if grown > 0:
            code = name.removeprefix("closed_")
            (LIVE.labels(name) if code == name else CLOSED.labels(code)).inc(grown)
        copied[name] = value


class Metrics:
    """ASGI: one observation a request, by route template and class of status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, status = time.perf_counter(), 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        IN_FLIGHT.inc()
        try:
            return await self.app(scope, receive, send_noting)
        finally:
            IN_FLIGHT.dec()
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            SECONDS.labels(method, route_of(scope), f"{status // 100}xx").observe(
                time.perf_counter() - started
            )
