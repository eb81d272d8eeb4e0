"""An app that never detaches behaves under our protocol class as under uvicorn's own."""

import asyncio
import base64
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.realtime.world import until

OURS, THEIRS = "app.realtime.frames:FrameProtocol", "websockets-sansio"
TEXT, BYTES, CLOSE, PING, PONG, CONT = 1, 2, 8, 9, 10, 0


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Echoes; what it is told at its path it does."""
    assert (await receive())["type"] == "websocket.connect"
    if scope["path"] == "/denied":
        await send({"type": "websocket.close"})
        return
    if scope["path"] == "/broken":
        raise RuntimeError("on purpose")
    if scope["path"] == "/silent":
        return
    await send({"type": "websocket.accept", "subprotocol": (scope["subprotocols"] or [None])[0]})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "leave":
            await send({"type": "websocket.close", "code": 4001, "reason": "as you wish"})
            return
        kind = "text" if message.get("text") is not None else "bytes"
        await send({"type": "websocket.send", kind: message[kind]})


def framed(opcode: int, payload: bytes = b"", *, fin: bool = True, bits: int = 0) -> bytes:
    """A frame as a client masks it; `bits` are reserved ones."""
    head = bytes([(0x80 if fin else 0) | bits | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65_536:
        head += bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", size)
    return head + b"\0\0\0\0" + payload


SCENES: dict[str, bytes] = {
    "a text and a goodbye": framed(TEXT, b"hello") + framed(CLOSE, struct.pack("!H", 1000)),
    "bytes": framed(BYTES, b"\x00\xff") + framed(CLOSE),
    "a goodbye with words": framed(CLOSE, struct.pack("!H", 3000) + b"enough"),
    "a goodbye with a code that may not be": framed(CLOSE, struct.pack("!H", 1005)),
    "half a code": framed(CLOSE, b"\x03"),
    "fragments with a ping between": framed(TEXT, b"hel", fin=False)
    + framed(PING, b"?")
    + framed(CONT, b"lo")
    + framed(CLOSE),
    "a fragment without a beginning": framed(CONT, b"lo"),
    "a new message inside another": framed(TEXT, b"a", fin=False) + framed(TEXT, b"b"),
    "a ping": framed(PING, b"are you there") + framed(CLOSE),
    "a pong that nobody asked for": framed(PONG, b"yes") + framed(CLOSE),
    "a ping in two": framed(PING, b"a", fin=False),
    "a ping too long": framed(PING, b"x" * 126),
    "an opcode that is none": framed(3, b"x"),
    "a reserved bit": framed(TEXT, b"x", bits=0x40),
    "no mask": b"\x81\x05hello",
    "no UTF-8": framed(TEXT, b"\xff\xfe"),
    "half a letter": framed(TEXT, b"\xc3", fin=False) + framed(CONT, b"\xa4") + framed(CLOSE),
    "too large": framed(TEXT, b"x" * 20_000),
    "too large in parts": framed(TEXT, b"x" * 9_000, fin=False) + framed(CONT, b"x" * 9_000),
    "the app says goodbye": framed(TEXT, b"leave") + framed(CLOSE, struct.pack("!H", 4001)),
    "empty": framed(TEXT, b"") + framed(CLOSE),
}
PATHS = ("/denied", "/broken", "/silent")


@asynccontextmanager
async def serving(protocol: str) -> AsyncIterator[int]:
    config = uvicorn.Config(
        echo,
        ws=protocol,
        ws_max_size=16_384,
        log_config=None,
        lifespan="off",
        date_header=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listening]))
    await until(lambda: server.started)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        assert not server.server_state.connections
        assert not server.server_state.tasks


async def answer(port: int, sent: bytes, path: str = "/", more: str = "") -> bytes:
    """All that comes until the connection ends; the handshake without what is random."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(b"0123456789abcdef").decode()
    writer.write(
        (
            f"GET {path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
        ).encode()
    )
    async with asyncio.timeout(15):
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        body = await reader.read()
    writer.close()
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")]
    return b"\r\n".join(lines) + body


@pytest.mark.parametrize("scene", SCENES)
async def test_byte_for_byte(scene: str) -> None:
    async with serving(OURS) as ours, serving(THEIRS) as theirs:
        assert await answer(ours, SCENES[scene]) == await answer(theirs, SCENES[scene])


@pytest.mark.parametrize("path", PATHS)
async def test_an_app_that_does_not_accept(path: str) -> None:
    async with serving(OURS) as ours, serving(THEIRS) as theirs:
        assert await answer(ours, b"", path) == await answer(theirs, b"", path)


async def test_a_subprotocol_is_chosen_alike() -> None:
    more = "Sec-WebSocket-Protocol: one, two\r\n"
    async with serving(OURS) as ours, serving(THEIRS) as theirs:
        bye = framed(CLOSE)
        assert await answer(ours, bye, more=more) == await answer(theirs, bye, more=more)


@pytest.mark.parametrize("sent", [b"", framed(TEXT, b"hello"), b"\x81"])
async def test_who_just_goes_leaves_nothing(sent: bytes) -> None:
    async with serving(OURS) as port:
        for abrupt in (False, True):
            async with asyncio.timeout(15):
                connection = await connect(f"ws://127.0.0.1:{port}/")
                transport = connection.transport
                transport.write(sent)
                transport.abort() if abrupt else transport.close()
                await connection.wait_closed()


@pytest.mark.parametrize("bits", [9, 10, 12, 15])
async def test_compression_takes_the_smaller_window_and_keeps_no_state(bits: int) -> None:
    offered = [
        ClientPerMessageDeflateFactory(server_max_window_bits=bits, client_max_window_bits=True)
    ]
    text = "a tool, a loan, a tool, a loan " * 40
    async with (
        serving(OURS) as port,
        connect(f"ws://127.0.0.1:{port}/", compression=None, extensions=offered) as client,
    ):
        (agreed,) = client.protocol.extensions
        assert agreed.local_no_context_takeover  # type: ignore[attr-defined]
        assert agreed.remote_no_context_takeover  # type: ignore[attr-defined]
        assert agreed.remote_max_window_bits == min(bits, 12)  # type: ignore[attr-defined]
        for _ in range(3):
            await client.send(text)
            assert await client.recv() == text
