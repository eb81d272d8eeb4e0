"""A worker that is to end answers what it has taken, and tells each connection to close."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import socket
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from app.http import wire
from tests.lines import Line, request

NOW, SLOW, BEGUN = (request("GET", path) for path in ("/now", "/slow", "/begun"))
UPGRADE = request(
    "GET",
    "/live",
    Connection="Upgrade",
    Upgrade="websocket",
    Sec_WebSocket_Version="13",
    Sec_WebSocket_Key=base64.b64encode(b"sixteen of bytes").decode(),
)


class House:
    """A server in this process, and an app whose slow answers wait for the test."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ended: asyncio.Task[None] | None = None
        self.lines: list[Line] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
        path = scope["path"].encode()
        begin: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
        if path == b"/begun":
            await send(begin)
            await send({"type": "http.response.body", "body": b"so", "more_body": True})
        if path != b"/now":
            self.called.set()
            await self.go_on.wait()
        if path != b"/begun":
            await send(begin)
        await send({"type": "http.response.body", "body": path})

    async def open(self, **options: Any) -> None:
        config = uvicorn.Config(
            self.app,
            port=0,
            loop="none",
            interface="asgi3",
            http="app.http.wire:BoundedHttp",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            **options,
        )
        config.load()
        self.server = uvicorn.Server(config)
        self.server.lifespan = config.lifespan_class(config)
        await self.server.startup()
        self.port: int = self.server.servers[0].sockets[0].getsockname()[1]

    @property
    def connections(self) -> list[wire.BoundedHttp]:
        """Those that are no websockets."""
        found = self.server.server_state.connections
        return [each for each in found if isinstance(each, wire.BoundedHttp)]

    async def has_connections(self, number: int) -> None:
        while len(self.connections) < number:
            await asyncio.sleep(0)

    async def reads_a_head(self) -> None:
        """Waits until one is half there."""
        while not any(one._in_head for one in self.connections):
            await asyncio.sleep(0)

    async def is_to_end(self) -> None:
        """Answers once every connection has been told."""
        self.ended = asyncio.create_task(self.server.shutdown())
        await asyncio.sleep(0)

    async def line(self) -> Line:
        """A connection on which nothing was said yet."""
        self.lines.append(await Line.to(self.port))
        return self.lines[-1]

    async def kept(self) -> Line:
        """A connection on which something was answered before."""
        line = await self.line()
        assert not (await line.asks(NOW)).closes
        return line

    async def close(self) -> None:
        self.go_on.set()
        for line in self.lines:
            line.close()
        await (self.ended or self.server.shutdown())


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[House]:
    house = House()
    await house.open(**options)
    try:
        yield house
    finally:
        await house.close()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with served() as open_house:
        yield open_house


async def test_an_idle_connection_may_ask_once_more(house: House) -> None:
    asked, fresh = await house.kept(), await house.line()
    await house.line()  # says nothing, and is not waited for longer than the grace
    await house.has_connections(3)
    await house.is_to_end()
    for line in (asked, fresh):
        answer = await line.asks(NOW)
        assert (answer.status, answer.body, answer.closes) == (200, b"/now", True)
        assert await line.ends() == b""
    with pytest.raises(OSError, match="Connect call failed"):
        await house.line()
    assert house.ended
    await house.ended


async def test_an_idle_connection_is_closed_after_the_grace(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "IDLE_GRACE", 0.05)
    line = await house.kept()
    await house.is_to_end()
    assert await line.ends() == b""


async def test_a_busy_worker_reads_before_it_takes_a_connection_for_idle(house: House) -> None:
    line = await house.kept()
    await house.is_to_end()
    with socket.socket(fileno=os.dup(line.writer.get_extra_info("socket").fileno())) as ours:
        ours.send(NOW)  # it has arrived, but the loop has not turned yet
    house.connections[0].timeout_keep_alive_handler()
    answer = await line.hears()
    assert (answer.status, answer.closes) == (200, True)


async def test_what_is_being_answered_is_answered_with_close(house: House) -> None:
    line = await house.kept()
    line.says(SLOW)
    await house.called.wait()
    await house.is_to_end()
    house.go_on.set()
    answer = await line.hears()
    assert (answer.body, answer.closes) == (b"/slow", True)
    assert await line.ends() == b""


async def test_an_answer_that_had_begun_leaves_time_for_one_more(house: House) -> None:
    """Its head has promised that the connection stays."""
    line = await house.line()
    line.says(BEGUN)
    await house.called.wait()
    await house.is_to_end()
    house.go_on.set()
    answer = await line.hears()
    assert (answer.body, answer.closes) == (b"so/begun", False)
    answer = await line.asks(NOW)
    assert (answer.body, answer.closes) == (b"/now", True)
    assert await line.ends() == b""


async def test_requests_sent_ahead_are_all_answered(house: House) -> None:
    line = await house.line()
    line.says(SLOW, NOW)
    await house.called.wait()
    await house.is_to_end()
    line.says(SLOW, NOW[:10])
    await house.reads_a_head()
    house.go_on.set()
    for path in (b"/slow", b"/now", b"/slow"):
        answer = await line.hears()
        assert (answer.body, answer.closes) == (path, False)
    answer = await line.asks(NOW[10:])
    assert (answer.body, answer.closes) == (b"/now", True)
    assert await line.ends() == b""


@pytest.mark.parametrize("cut", [1, 20, len(NOW) - 1])
async def test_a_head_that_is_half_there_may_be_completed(
    house: House, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "IDLE_GRACE", 0.05)
    idle, line = await house.kept(), await house.kept()
    line.says(NOW[:cut])
    await house.reads_a_head()
    await house.is_to_end()
    assert await idle.ends() == b""  # the grace is over
    answer = await line.asks(NOW[cut:])
    assert (answer.status, answer.closes) == (200, True)


async def test_a_head_that_is_never_completed_is_not_waited_for_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "HEAD_WITHIN", 0.05)
    line = await house.kept()
    line.says(NOW[:20])
    await house.is_to_end()
    assert await line.ends() == b""


async def test_stray_line_ends_keep_no_connection() -> None:
    async with served(timeout_keep_alive=0.3) as house:
        line = await house.kept()
        line.says(b"\r\n")
        assert await line.ends() == b""


async def test_a_websocket_is_refused_cleanly(house: House) -> None:
    line, half = await house.kept(), await house.line()
    half.says(UPGRADE[:40])
    await house.has_connections(2)
    await house.is_to_end()
    half.says(UPGRADE[40:])
    line.says(NOW, UPGRADE)
    assert (await line.hears()).status == 200
    for each in (line, half):
        answer = await each.hears()
        assert (answer.status, answer.closes) == (503, True)
        assert await each.ends() == b""


def test_a_connection_taken_in_the_last_instant_is_answered() -> None:
    """uvloop tells of it a turn of the loop after it has accepted it."""

    async def story() -> None:
        async with served() as house:
            with socket.create_connection(("127.0.0.1", house.port)) as client:
                client.setblocking(False)
                await house.has_connections(1)
                assert house.connections[0].transport is None, "the instant has passed"
                await house.is_to_end()
                line = Line(*await asyncio.open_connection(sock=client, limit=2**20))
                house.lines.append(line)
                answer = await line.asks(NOW)
                assert (answer.status, answer.closes) == (200, True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


@pytest.mark.parametrize("make", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_nothing_of_the_http_half_lives_on_with_a_socket(
    make: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Counted by references alone: the collector may come late, and there are many sockets."""

    async def story() -> None:
        async with served() as house:
            line = await house.kept()
            http = weakref.ref(house.connections[0])
            assert (await line.asks(UPGRADE)).status == 101
            assert len(house.server.server_state.connections) == 1
            assert http() is None, gc.get_referrers(http())

    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=make) as runner:
            runner.run(story())
    finally:
        gc.enable()
