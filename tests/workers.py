"""Web workers as real processes, each on a port of its own, so that a test knows who answers."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_WITHIN = 30  # seconds


@dataclass
class Worker:
    """One process; `url` is its own address."""

    name: str
    port: int
    process: asyncio.subprocess.Process
    log: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def last_error(self) -> str:
        """The last line of its log that has a trace in it."""
        lines = [line for line in self.log.read_text().splitlines() if '"exception"' in line]
        return str(json.loads(lines[-1])["exception"]) if lines else "(no trace in its log)"

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), 20)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


async def start_worker(name: str, *, port: int = 0, **env: str) -> Worker:
    """Serves the environment's database; answers when /health does."""
    port = port or free_port()
    folder = Path(os.environ["DATA_DIR"]).parent
    log = folder / f"worker-{name}-{port}.log"
    full = {**os.environ, "PORT": str(port), "DATABASE_POOL": "8", **env}
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)]
    command += [
        "--loop",
        "uvloop",
        "--http",
        "app.http.wire:BoundedHttp",
        "--ws",
        "app.realtime.frames:FrameProtocol",
    ]
    command += ["--ws-max-size", "16384", "--no-access-log", "--timeout-graceful-shutdown", "5"]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=full, stdout=output, stderr=output
        )
    worker = Worker(name, port, process, log, full)
    async with httpx.AsyncClient() as client, asyncio.timeout(START_WITHIN):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"worker {name} ended: {log.read_text()[-2000:]}")
            try:
                if (await client.get(f"{worker.url}/health")).status_code == 200:
                    return worker
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)  # it is a process of its own: there is nothing to await


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
