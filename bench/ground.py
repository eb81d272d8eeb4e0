"""What is measured: servers of its own, the demo, and two web workers on a port each.

The servers are durable, as an instance's are: every commit waits for the disk. Everything lies in
a folder of its own and listens on loopback or on sockets in that folder; all is gone at the end.
"""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.child import Child, StartError, last_words
from app.embedded import Postgres, Server, start_postgres, start_valkey
from app.instance import BUCKET

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


@dataclass(frozen=True)
class Worker:
    """One web process; only it listens on this port."""

    port: int
    process: Child

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Ground:
    folder: Path
    postgres: Postgres
    valkey: Server
    workers: tuple[Worker, Worker]


@contextmanager
def opened() -> Iterator[Ground]:
    """Sets the environment that the app reads at import: import it only inside."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="toolshare-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        say("Starting PostgreSQL and Valkey")
        postgres = start_postgres(folder / "postgres", durable=True)
        stack.callback(postgres.stop)
        valkey = start_valkey(folder / "valkey")
        stack.callback(valkey.stop)
        _settle(folder, postgres, valkey)
        say("Loading the demo")
        _run(folder, "app.migrations")
        _run(folder, "app.demo")
        say("Starting two web workers")
        workers = _start(stack, folder), _start(stack, folder)
        yield Ground(folder, postgres, valkey, workers)


def _settle(folder: Path, postgres: Postgres, valkey: Server) -> None:
    """The settings of an instance, whatever the caller's environment says."""
    metrics = folder / "metrics"
    metrics.mkdir()
    for name in (
        "DATABASE_POOL",
        "PHOTO_BYTES",
        "PHOTO_PIXELS",
        "ARGON2_FAST",
        "CLOCK_FILE",
        *BUCKET,
    ):
        os.environ.pop(name, None)
    os.environ.update(
        DATABASE_URL=postgres.url,
        REDIS_URL=valkey.url,
        REDIS_PREFIX="toolshare_bench",
        SECRET_KEY=secrets.token_hex(32),
        DATA_DIR=str(folder),
        PROMETHEUS_MULTIPROC_DIR=str(metrics),
        PUBLIC_URL="",
        LOG_FILE="",
        LOG_LEVEL="INFO",
        TRUSTED_PROXIES="",
        DEMO="0",
    )


def _run(folder: Path, module: str) -> None:
    log = folder / "start.log"
    with log.open("wb") as output:
        child = Child([sys.executable, "-m", module], cwd=ROOT, output=output, errors=output)
    if child.wait(START_SECONDS):
        raise StartError(f"{module} failed: {last_words(log)}")


def _start(stack: ExitStack, folder: Path) -> Worker:
    """On a port that no other shares."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port = listener.getsockname()[1]
        child = start_worker("app.main:app", listener, folder / f"worker-{port}.log")
    stack.callback(child.stop, (signal.SIGTERM, 12))
    return Worker(port, child)


def start_worker(
    app: str, listener: socket.socket, log: Path, first: Callable[[], None] | None = None
) -> Child:
    """As app/serve.py starts its workers; it serves when this returns. `first`: see Child."""
    hold, let_go = os.pipe()
    os.close(let_go)  # it may serve at once
    reading, writing = os.pipe()
    passed = (listener.fileno(), hold, writing)
    command = [sys.executable, "-m", "app.worker", app, *map(str, passed)]
    with log.open("wb") as output:
        child = Child(command, first=first, cwd=ROOT, output=output, errors=output, keep=passed)
    os.close(hold)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], START_SECONDS)
    served = bool(ready and os.read(reading, 1))
    os.close(reading)
    if not served:
        child.stop()
        raise StartError(f"A web worker did not start: {last_words(log)}")
    return child


def say(text: str) -> None:
    """A sign of life, apart from the page of figures."""
    print(f"{text} …", file=sys.stderr, flush=True)
