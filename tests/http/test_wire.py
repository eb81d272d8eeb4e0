"""The same layers behind the real server, over a plain socket."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI, Request

from app.http import wire
from tests.http.conftest import Build


@pytest.fixture
async def port(build: Build) -> AsyncIterator[int]:
    app: FastAPI = build()

    @app.api_route("/body", methods=["GET", "POST"])
    async def body(request: Request) -> int:
        return len(await request.body())

    config = uvicorn.Config(
        app,
        port=0,
        loop="none",
        http="app.http.wire:BoundedHttp",
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    serving = server.servers[0].sockets[0].getsockname()[1]
    yield serving
    await server.shutdown()


async def say(port: int, *parts: bytes) -> bytes:
    """Everything that comes back until the server closes, or says nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        async with asyncio.timeout(10):
            for part in parts:
                writer.write(part)
                await writer.drain()
            writer.write_eof()
            answer = await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    return answer


def head(*lines: bytes, start: bytes = b"POST /body HTTP/1.1") -> bytes:
    return b"\r\n".join((start, b"Host: 127.0.0.1", *lines, b"", b""))


async def test_an_ordinary_request(port: int) -> None:
    answer = await say(port, head(b"Content-Length: 5", b"Connection: close") + b"hello")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"5")


async def test_a_body_over_the_limit_ends_the_connection(port: int) -> None:
    answer = await say(port, head(b"Content-Length: 10001") + b"x" * 10_001)
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: 5, 6",),
        (b"Transfer-Encoding: xchunked",),
        (b"Content-Length : 5",),
        (b"Content-Length: +5",),
    ],
)
async def test_no_request_can_be_smuggled_behind_another(
    port: int, lines: tuple[bytes, ...]
) -> None:
    hidden = b"0\r\n\r\n" + head(start=b"GET /body HTTP/1.1")
    answer = await say(port, head(*lines) + hidden)
    assert answer.count(b"HTTP/1.1 200") == 0


START = b"GET /body HTTP/1.1\r\nHost: 127.0.0.1\r\n"
KIB = b"x" * 1024
ENDLESS = {
    "many headers": (START, *(b"X: " + KIB + b"\r\n",) * 2000),
    "one long header": (START + b"X: ", *(KIB,) * 2000),
    "a long address": (b"GET /", *(KIB,) * 2000),
    "trailers": (
        head(b"Transfer-Encoding: chunked") + b"0\r\n",
        *(b"X: " + KIB + b"\r\n",) * 2000,
    ),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_what_never_ends_is_cut_off(port: int, what: str) -> None:
    answer = await say(port, *ENDLESS[what], b"\r\n\r\n")
    assert b"HTTP/1.1 200" not in answer


async def test_a_large_but_usual_head_is_fine(port: int) -> None:
    lines = [b"X%d: " % number + KIB for number in range(30)]
    answer = await say(port, head(*lines, b"Connection: close", start=b"GET /body HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 200")


async def test_who_says_nothing_is_not_waited_for_for_ever(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "HEAD_WITHIN", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(START)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_requests_follow_each_other_on_one_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(head(b"Content-Length: 5") + b"hello")
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(1) == b"5"
    writer.close()
