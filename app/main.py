"""Builds the app: the only file that sees all of it."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from app import clock, courier, db, jobs, migrations, pages, storage
from app.board import api as board_api
from app.board import asking, mine_api, tool_page, watch_door
from app.board import live as board_live
from app.board import routes as board_routes
from app.board import waiting as board_waiting
from app.chat import api as chat_api
from app.chat import live as chat_live
from app.chat import pictures, reporting
from app.chat import routes as chat_routes
from app.demo import mail_page as demo_mail
from app.http import (
    app_shell,
    body,
    csrf,
    docs,
    headers,
    log,
    metrics,
    problems,
    proxies,
    tally,
    vitals,
)
from app.inventory import api as inventory_api
from app.inventory import cells, packing
from app.inventory import imports as inventory_imports
from app.inventory import live as inventory_live
from app.inventory import routes as inventory_routes
from app.loans import (
    alone_api,
    case_api,
    changes_api,
    changing,
    days_off,
    feeding,
    handing,
    handing_api,
    holding,
    lending_page,
    recording,
    repairing,
)
from app.loans import api as loans_api
from app.loans import live as loans_live
from app.loans import routes as loans_routes
from app.loans import waiting as loans_waiting
from app.members import desk, keepers_page
from app.members import live as members_live
from app.members import routes as members_routes
from app.notices import api as notices_api
from app.notices import live as notices_live
from app.notices import preferring_api
from app.notices import routes as notices_routes
from app.people import api as people_api
from app.people import doors
from app.people import routes as people_routes
from app.realtime import Engine, Limits, Topics
from app.settings import settings
from app.tools import api as tools_api
from app.tools import (
    categories_page,
    districts_page,
    gallery_api,
    gallery_page,
    labels,
    places_api,
    places_page,
)
from app.tools import routes as tools_routes
from app.wanted import api as wanted_api
from app.wanted import live as wanted_live
from app.wanted import routes as wanted_routes

_log = structlog.stdlib.get_logger("toolshare.start")
# A photo that is too large still arrives, so that the form can say so and keep what was typed.
TOO_LARGE = 4
UPLOADS = (
    r"/c/[^/]+/(photos|tools(/[0-9]+/edit)?)|(/api/v1)?/c/[^/]+/(rooms|tools)/[0-9]+/photos|"
    r"(/api/v1)?/c/[^/]+/loans/[0-9]+/"
    r"(handovers?/(out|in)|taking|bringing|doorstep|incidents(/[0-9]+/evidence)?)"
)
TABLES = r"/c/[^/]+/inventory/imports"
PAGES = (
    *(people_routes, members_routes, tools_routes, board_routes, tool_page, board_waiting),
    *(loans_routes, changing, handing, recording, lending_page, days_off, keepers_page),
    *(categories_page, places_page, districts_page),
    *(notices_routes, chat_routes, asking, reporting, pictures),
    *(feeding, labels, repairing, gallery_page, inventory_routes, inventory_imports),
    *(wanted_routes, watch_door, app_shell, demo_mail),
)
APIS = (
    *(people_api, tools_api, board_api, loans_api, holding, days_off, handing_api, alone_api),
    *(changes_api, case_api, loans_waiting, chat_api, notices_api, desk, keepers_page),
    *(asking, reporting, pictures, preferring_api, categories_page, feeding),
    *(repairing, mine_api, gallery_api, inventory_api, wanted_api, watch_door),
    places_api,
)


def registry() -> Topics:
    """Every kind of live region there is."""
    topics = Topics()
    features = (board_live, chat_live, inventory_live, loans_live)
    for feature in (*features, wanted_live, members_live, notices_live):
        topics.include(feature.topics)
    return topics


def limits() -> Limits:
    return Limits(
        buffer_bytes=settings.live_buffer_bytes,
        drain_within=settings.live_drain_seconds,
        message_bytes=settings.live_message_bytes,
        messages_a_second=settings.live_messages_a_second,
        topics=settings.live_topics,
        sockets_a_person=settings.live_sockets_a_person,
        sockets_an_address=settings.live_sockets_an_address,
    )


def roomy() -> dict[str, int]:
    """What may be larger than a form: photos, and tables with theirs.

    A page's files wait on disk; what a program sends is in memory before anybody asks who it is.
    """
    return {
        UPLOADS: TOO_LARGE * settings.photo_bytes,
        TABLES: 2 * (packing.BYTES + cells.BYTES),
        f"/api/v1{TABLES}": TOO_LARGE * cells.BYTES,
    }


def build() -> FastAPI:
    """One app, for one worker. Ends the process, with a sentence, where it must not serve."""
    if refusal := settings.why_not_start():
        # Not an exception: uvicorn would start the workers again and again.
        print(refusal, file=sys.stderr)
        raise SystemExit(3)
    app = FastAPI(
        title="ToolShare",
        lifespan=_life,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        middleware=[
            Middleware(proxies.Proxies),
            Middleware(log.AccessLog),
            Middleware(metrics.Metrics),
            Middleware(headers.SecurityHeaders),
            Middleware(problems.LastResort),
            Middleware(csrf.SameOrigin),
            Middleware(body.BodyLimit, roomy=roomy()),
        ],
    )
    problems.install(app)
    app.state.recognise = doors.signed
    app.state.engine = engine = Engine(
        db.sessions,
        settings.redis_url,
        settings.redis_prefix,
        registry(),
        session_key=doors.session_key,
        listeners=doors.listeners,
        allowed_origin=csrf.allowed_origin,
        address=proxies.client_network,
        now=clock.now,
        limits=limits(),
        on_end=log.socket_ended,
        on_lag=metrics.LAG.observe,
    )
    for feature in (engine, vitals, metrics, docs, *PAGES):
        app.include_router(feature.router, include_in_schema=False)
    for feature in APIS:
        app.include_router(feature.api, generate_unique_id_function=docs.operation_id)
    docs.describe(app)
    # Only what is the same for all: see DECISIONS.
    files = StaticFiles(directory=pages.WEB / "static")
    app.mount("/static", GZipMiddleware(files, thread_minimum_size=8 * 1024))
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    """One worker's life: migrate if nobody has, then engine, jobs and metrics until the end."""
    log.configure()
    await migrations.upgrade(settings.database_url)
    if wrong := await storage.kept().why_not(thoroughly=True):
        # Not the end: boards and loans do without, and it may be back in a moment.
        _log.error("photos_cannot_be_kept", why=wrong)
        print(wrong, file=sys.stderr)
    engine: Engine = app.state.engine
    metrics.watch_pool(db.engine)
    await engine.start()
    tasks = [
        asyncio.create_task(jobs.run_forever(), name="jobs"),
        asyncio.create_task(courier.run_forever(), name="courier"),
        asyncio.create_task(metrics.follow(lambda: engine.counters, engine.gauges), name="metrics"),
    ]
    # What is loaded now stays: looking through it again and again would hold up every screen.
    gc.collect()
    gc.freeze()
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await engine.stop()
    await tally.close()
    await db.engine.dispose()


app = build()
