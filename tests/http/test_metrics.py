"""Figures for whoever holds the token, of all workers together."""

import os
import subprocess
import sys
from pathlib import Path

from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.http import metrics
from tests.http.conftest import Ask, Build, Set

TOKEN = {"authorization": "Bearer sesame"}


def with_metrics(app: FastAPI) -> FastAPI:
    loans = APIRouter(prefix="/c/{slug}/loans")

    @loans.get("/{loan_id}")
    async def loan(loan_id: int) -> int:
        return loan_id

    app.include_router(loans)
    app.include_router(metrics.router)
    return app


def figure(page: str, name: str) -> float:
    """The value of one line; 0 if there is none yet."""
    found = [line for line in page.splitlines() if line.startswith(name)]
    return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


async def test_without_a_token_there_is_nothing(build: Build, ask: Ask, with_settings: Set) -> None:
    with_settings(metrics_token="")
    async with ask(with_metrics(build())) as scraper:
        assert (await scraper.get("/metrics")).status_code == 404
        assert (await scraper.get("/metrics", headers=TOKEN)).status_code == 404
        assert (
            await scraper.get("/metrics", headers={"authorization": "Bearer "})
        ).status_code == 404
        with_settings(metrics_token="sesame")
        assert (await scraper.get("/metrics")).status_code == 404
        for wrong in (b"Bearer sesam\xe9", b"Bearer sesam", b"Basic sesame", b"sesame"):
            answer = await scraper.get("/metrics", headers=[(b"authorization", wrong)])
            assert answer.status_code == 404
        assert (await scraper.get("/metrics", headers=TOKEN)).status_code == 200
        # A scraper in the same network asks under an inner name.
        inner = {**TOKEN, "host": "web:8000"}
        assert (await scraper.get("/metrics", headers=inner)).status_code == 200


async def test_the_demo_shows_them(build: Build, ask: Ask, with_settings: Set) -> None:
    with_settings(demo=True)
    async with ask(with_metrics(build())) as scraper:
        assert (await scraper.get("/metrics")).status_code == 200


async def test_requests_are_counted_by_template(build: Build, ask: Ask, with_settings: Set) -> None:
    with_settings(demo=True)
    name = (
        'toolshare_http_request_seconds_count{method="GET",route="/c/{slug}/loans/{loan_id}",'
        'status="2xx"}'
    )
    async with ask(with_metrics(build())) as browser:
        before = figure((await browser.get("/metrics")).text, name)
        for loan in (1, 2, 3):
            await browser.get(f"/c/elm/loans/{loan}")
        await browser.get("/c/elm/loans/x")
        await browser.request("BREW", "/c/elm/loans/1", headers={"origin": "http://127.0.0.1:8000"})
        page = (await browser.get("/metrics")).text
    assert figure(page, name) == before + 3
    assert 'status="4xx"' in page
    assert 'method="OTHER"' in page
    assert "/c/elm" not in page


async def test_the_pool_is_counted(database: str) -> None:
    engine = create_async_engine(database)
    metrics.watch_pool(engine)
    before = figure(metrics.collect().decode(), "toolshare_database_connections_in_use")
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        page = metrics.collect().decode()
        assert figure(page, "toolshare_database_connections_in_use") == before + 1
    page = metrics.collect().decode()
    assert figure(page, "toolshare_database_connections_in_use") == before
    await engine.dispose()


def test_an_engines_counters_only_grow() -> None:
    copied: dict[str, int] = {}
    name = 'toolshare_live_events_total{event="hints_sent"}'
    before = figure(metrics.collect().decode(), name)
    metrics.copy({"hints_sent": 3}, copied)
    metrics.copy({"hints_sent": 5}, copied)
    metrics.copy({"hints_sent": 5}, copied)
    assert figure(metrics.collect().decode(), name) == before + 5


WORKER = """
import sys
from app.http import metrics
metrics.LIVE.labels("hints_sent").inc(int(sys.argv[1]))
metrics.WORKERS.set(1)
print("ready", flush=True)
sys.stdin.read()
"""


def test_all_workers_are_one_figure_and_dead_ones_hold_nothing(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def worker(amount: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORKER, str(amount)]
        pipe = subprocess.PIPE
        started = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True)
        assert started.stdout
        assert started.stdout.readline() == "ready\n"
        return started

    def seen() -> tuple[float, float]:
        show = "from app.http import metrics; print(metrics.collect().decode())"
        page = subprocess.run(
            [sys.executable, "-c", show], env=env, text=True, capture_output=True, check=True
        ).stdout
        counted = figure(page, 'toolshare_live_events_total{event="hints_sent"}')
        return counted, figure(page, "toolshare_workers ")

    first, second = worker(3), worker(4)
    assert seen() == (7, 2)
    first.kill()
    first.communicate()
    assert seen() == (7, 1)
    second.communicate("")
