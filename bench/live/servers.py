"""Servers of websockets, each a process on a port of its own, and how they are steered."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.child import Child, StartError, last_words
from bench.live import cores

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
IDLE = 3.0  # seconds: the server hangs up on a silent connection after five
BACKLOG = 4096


class Steering:
    """Kept-alive HTTP connections to one server; as many as there are requests at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: bytes = b"") -> dict[str, Any]:
        reader, writer = await self._line()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answer.partition("content-length:")[2].partition("\r\n")[0])
        text = await reader.readexactly(length)
        self._free.append((time.monotonic(), reader, writer))
        if not answer.startswith("http/1.1 200"):
            raise RuntimeError(f"POST {path} answered {answer[9:12]}")
        told: dict[str, Any] = json.loads(text)
        return told

    async def _line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._free:
            used_at, reader, writer = self._free.pop()
            if time.monotonic() - used_at < IDLE:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        for _, _, writer in self._free:
            writer.close()
        self._free.clear()


class Server(Steering):
    """One process that serves websockets, on one core."""

    def __init__(self, folder: Path, listener: socket.socket, core: int) -> None:
        self.listener, self.core = listener, core
        self.port: int = listener.getsockname()[1]
        super().__init__(self.port)
        self._log = folder / f"server-{self.port}.log"
        self.child = self._start()

    def _start(self) -> Child:
        raise NotImplementedError

    def _run(self, arguments: Sequence[str], *keep: int) -> Child:
        with self._log.open("ab") as log:
            return Child(
                [sys.executable, "-m", *arguments, *map(str, keep)],
                first=cores.on(self.core),
                cwd=ROOT,
                output=log,
                errors=log,
                keep=keep,
            )

    def cpu(self) -> float:
        return cores.cpu(self.child.pid)

    def resident(self) -> int:
        return cores.resident(self.child.pid)

    def end(self) -> None:
        self.close()
        self.child.stop((signal.SIGKILL, 5))
        with suppress(OSError):
            self.listener.close()


class Ours(Server):
    """A worker of the app's own kind, with the bench's topics."""

    def _start(self) -> Child:
        hold, let_go = os.pipe()
        os.close(let_go)
        reading, writing = os.pipe()
        child = self._run(
            ("app.worker", "bench.live.ours:app"), self.listener.fileno(), hold, writing
        )
        os.close(hold)
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], START_SECONDS)
        served = bool(ready and os.read(reading, 1))
        os.close(reading)
        if not served:
            raise StartError(f"A worker did not start: {last_words(self._log)}")
        return child

    def restart(self) -> None:
        """Without a goodbye. Who comes meanwhile waits in the listener's queue."""
        self.close()
        self.child.stop((signal.SIGKILL, 5))
        self.child = self._start()


class Plain(Server):
    def _start(self) -> Child:
        return self._run(("bench.live.plain",), self.listener.fileno())


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
