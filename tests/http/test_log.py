"""One JSON line a request, and nothing in it that anybody should not read."""

import io
import json
import logging
import multiprocessing
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles

from app.http import log
from app.realtime import Life
from tests.http.conftest import Ask, Build, Set


class Ada:
    person_id = 7


def with_rooms(app: FastAPI, folder: Path) -> FastAPI:
    inner, outer = APIRouter(prefix="/loans"), APIRouter(prefix="/c/{slug}")

    @inner.post("/{loan_id}/messages")
    async def say(request: Request, loan_id: int) -> None:
        request.state.viewer = Ada()
        structlog.stdlib.get_logger("toolshare.chat").info("said", length=5)

    @inner.get("/broken")
    async def broken() -> None:
        raise RuntimeError("Key (email)=(ada@example.org) already exists")

    outer.include_router(inner)
    app.include_router(outer)
    app.mount("/static", StaticFiles(directory=folder))

    @app.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("ok")

    return app


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    return out


@pytest.fixture
def lines(with_settings: Set, tmp_path: Path, stdout: io.StringIO) -> Iterator[Path]:
    """The log file of this test; the root logger is put back afterwards."""
    root = logging.getLogger()
    level = root.level
    with_settings(log_file=tmp_path / "logs" / "web.log")
    log.configure()
    yield tmp_path / "logs" / "web.log"
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)
    structlog.reset_defaults()


def read(path: Path) -> list[dict[str, Any]]:
    """All lines but those of the test's own client."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["logger"] != "httpx"]


async def test_a_request_is_one_line_with_its_template(
    build: Build, ask: Ask, lines: Path, stdout: io.StringIO
) -> None:
    async with ask(with_rooms(build(), lines.parent)) as browser:
        answer = await browser.post(
            "/c/elm/loans/42/messages?code=sesame", content=b"the key lies under the mat"
        )
    said, access = read(lines)
    assert access["event"] == "request"
    assert access["route"] == "/c/{slug}/loans/{loan_id}/messages"
    assert (access["method"], access["status"], access["person"]) == ("POST", 200, 7)
    assert access["ms"] >= 0
    assert said["request_id"] == access["request_id"] == answer.headers["x-request-id"]
    for secret in ("sesame", "under the mat", "/42", "elm"):
        assert secret not in json.dumps([said, access])
    assert access in [json.loads(line) for line in stdout.getvalue().splitlines()]


async def test_what_matches_no_route_is_not_quoted(build: Build, ask: Ask, lines: Path) -> None:
    (lines.parent / "app.css").write_text("")
    async with ask(with_rooms(build(), lines.parent)) as browser:
        await browser.get("/reset/one-time-secret")
        await browser.get("/static/app.css")
        await browser.get("/health")
    assert [line["route"] for line in read(lines)] == ["unmatched", "/static"]


async def test_an_error_is_noted_with_its_trace_but_without_addresses(
    build: Build, ask: Ask, lines: Path
) -> None:
    async with ask(with_rooms(build(), lines.parent)) as browser:
        await browser.get("/c/elm/loans/broken", headers={"accept": "text/html"})
    error, access = read(lines)
    assert "RuntimeError" in error["exception"]
    assert "in broken" in error["exception"]
    assert "example.org" not in lines.read_text()
    assert access["status"] == 500


async def test_the_id_of_a_trusted_proxy_is_kept(build: Build, ask: Ask, lines: Path) -> None:
    app = with_rooms(build(trusted="10.0.0.2"), lines.parent)
    given = {"x-request-id": "from-the-proxy-1"}
    async with ask(app, address="10.0.0.2") as proxy:
        assert (await proxy.get("/health", headers=given)).headers["x-request-id"] == given[
            "x-request-id"
        ]
        bad = await proxy.get("/health", headers={"x-request-id": 'no "quotes"'})
        assert re.fullmatch(r"[0-9a-f]{16}", bad.headers["x-request-id"])
    async with ask(app, address="10.0.0.3") as stranger:
        answer = await stranger.get("/health", headers=given)
        assert answer.headers["x-request-id"] != given["x-request-id"]


def test_everybody_elses_lines_flow_through_ours(lines: Path) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request from %s", "ben@example.org")
    log.security("sign_in_failed", account="1f2e", password="hunter2", token="abc")
    uvicorn, security = read(lines)
    assert (uvicorn["logger"], uvicorn["level"]) == ("uvicorn.error", "warning")
    assert uvicorn["event"] == "Invalid HTTP request from ***"
    assert (security["event"], security["account"]) == ("sign_in_failed", "1f2e")
    assert "hunter2" not in lines.read_text()
    assert "abc" not in lines.read_text()


def test_a_socket_is_one_line_and_the_server_says_nothing_beside_it(lines: Path) -> None:
    theirs = logging.getLogger("uvicorn.error")
    theirs.info('%s - "WebSocket %s" [accepted]', "10.0.0.1:5", "/live")
    theirs.info("connection closed")
    log.socket_ended(Life(7, 1012, 3.14159, writes=4, bytes=900, behind=1))
    (line,) = read(lines)
    assert line["event"] == "socket"
    told = {name: line[name] for name in ("person", "code", "seconds", "writes", "bytes", "behind")}
    assert list(told.values()) == [7, 1012, 3.1, 4, 900, 1]


def write_many(path: Path, name: str) -> None:
    handler = log.SharedFile(path, rotate_at=20_000, kept=50)
    for number in range(500):
        handler.emit(logging.makeLogRecord({"msg": f"{name} {number} {'.' * 80}"}))


def test_two_workers_share_a_file_that_turns_over(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=write_many, args=(path, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    files = [each for each in tmp_path.glob("web.log*") if each.suffix != ".lock"]
    assert len(files) > 2
    found = [line.split()[:2] for each in files for line in each.read_text().splitlines()]
    assert sorted(map(tuple, found)) == sorted(
        (name, str(number)) for name in ("a", "b") for number in range(500)
    )


def test_old_log_files_go(tmp_path: Path) -> None:
    handler = log.SharedFile(tmp_path / "web.log", rotate_at=100, kept=2)
    for number in range(20):
        handler.emit(logging.makeLogRecord({"msg": f"{number} {'.' * 100}"}))
    handler.close()
    names = {each.name for each in tmp_path.iterdir()}
    assert names == {"web.log", "web.log.1", "web.log.2", "web.log.lock"}
    assert (tmp_path / "web.log").read_text().startswith("19 ")
