"""Servers of websockets, each a process on a port of its own, and how they are steered."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from app.child import Child
from bench.ground import ROOT, start_worker
from bench.live import cores

IDLE = 3.0  # seconds: the server hangs up on a silent connection after five
BACKLOG = 4096
APP = "bench.live.ours:app"


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

    def _stop(self) -> None:
        if self.core == cores.SERVER:
            cores.Others.ours.append(self.cpu())
        self.child.stop((signal.SIGKILL, 5))

    def cpu(self) -> float:
        return cores.cpu(self.child.pid)

    def resident(self) -> int:
        return cores.resident(self.child.pid)

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """Frozen, so that it takes nothing from whoever has its turn; then awake again.

        Well under the 20 seconds after which a ping without an answer ends a socket.
        """
        self.child.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.child.send_signal(signal.SIGCONT)
            await self.post("/settle")

    def end(self) -> None:
        self.close()
        self._stop()
        with suppress(OSError):
            self.listener.close()


class Ours(Server):
    """A worker of the app's own kind, with the bench's topics."""

    def _start(self) -> Child:
        return start_worker(APP, self.listener, self._log, cores.on(self.core))

    def restart(self) -> None:
        """Without a goodbye. Who comes meanwhile waits in the listener's queue."""
        self.close()
        self._stop()
        self.child = self._start()


class Plain(Server):
    def _start(self) -> Child:
        fd = self.listener.fileno()
        with self._log.open("wb") as log:
            return Child(
                [sys.executable, "-m", "bench.live.plain", str(fd)],
                first=cores.on(self.core),
                cwd=ROOT,
                output=log,
                errors=log,
                keep=(fd,),
            )


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
