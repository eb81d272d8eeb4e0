"""The top process of bin/demo and bin/run: servers, migrations, web workers, and their end.

All it starts are Children: however this process ends, they end too.
"""

import errno
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TextIO

from app.child import Child, StartError, last_words
from app.embedded import Server, start_postgres, start_valkey
from app.instance import KINDS, ROOT, environment, folder_of, occupy

LOG_BYTES = 20_000_000
START_SECONDS = 60


@dataclass(frozen=True)
class Plan:
    """What is served, as arguments of Python; tests put small stand-ins here."""

    app: str = "app.main:app"
    migrate: Sequence[str] = ("-m", "app.migrations")
    demo: Sequence[str] = ("-m", "app.demo")
    setup_code: Sequence[str] = ("-m", "app.people.setup_code")
    workers: int = 2


@dataclass
class Worker:
    process: Child
    started: int  # a pipe: a byte when it serves, the end when it is gone
    born: float
    pause: float  # seconds it must have lived before another takes its place at once


class Stopped(BaseException):
    """Ctrl-C, SIGTERM, or the terminal was closed."""


@dataclass
class House:
    """One running instance."""

    kind: str
    plan: Plan
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    lock: int = -1
    listener: socket.socket | None = None
    postgres: Server | None = None
    valkey: Server | None = None
    workers: list[Worker] = field(default_factory=list)
    stopping: bool = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first stops us in order; another does not wait for the workers."""
        if self.stopping:
            for worker in self.workers:
                worker.process.kill()
            return
        self.stopping = True
        raise Stopped

    def start(self) -> None:
        self.lock = occupy(self.folder, self.kind)
        self.env = environment(self.kind, self.folder)
        with suppress(FileNotFoundError):  # what failed last time must not be told as this time's
            (self.folder / "web.log").rename(self.folder / "web.log.1")
        host = "127.0.0.1" if self.kind == "demo" else self.env.get("HOST") or "127.0.0.1"
        self.listener = listen(host, self.env.get("PORT") or "8000")
        self.env["PORT"] = str(self.listener.getsockname()[1])
        self.start_servers()
        with step("Preparing the database"):
            self.run(self.plan.migrate, output=subprocess.DEVNULL)
        if self.kind == "demo":
            self.run(self.plan.demo)
        with step(f"Starting {self.plan.workers} web workers"):
            self.workers = [self.hire() for _ in range(self.plan.workers)]
            for worker in self.workers:
                self.wait_for(worker)
        self.tell(host)

    def start_servers(self) -> None:
        if "DATABASE_URL" not in self.env:
            with step("Starting PostgreSQL"):
                self.postgres = start_postgres(self.folder / "postgres")
                self.env["DATABASE_URL"] = self.postgres.url
        if "REDIS_URL" not in self.env:
            with step("Starting Valkey"):
                self.valkey = start_valkey(self.folder / "valkey")
                self.env["REDIS_URL"] = self.valkey.url

    def run(self, arguments: Sequence[str], *, output: int | None = None) -> None:
        """One child to its end. What it complains of goes to start.log."""
        path = self.folder / "start.log"
        with path.open("wb") as log:
            child = self.child(arguments, output=output, errors=log.fileno())
        try:
            if child.wait():
                raise StartError(f"{arguments[-1]} failed: {last_words(path)}")
        finally:
            child.stop()

    def child(self, arguments: Sequence[str], *keep: int, output: int | None, errors: int) -> Child:
        command = [sys.executable, *arguments]
        return Child(
            command, env=self.env, cwd=ROOT, output=output, errors=errors, keep=[self.lock, *keep]
        )

    def hire(self, pause: float = 0) -> Worker:
        assert self.listener
        listener, (reading, writing) = self.listener.fileno(), os.pipe()
        arguments = ["-m", "app.worker", self.plan.app, str(listener), str(writing)]
        with (self.folder / "web.log").open("ab") as log:
            out = log.fileno()
            process = self.child(arguments, listener, writing, output=out, errors=out)
        os.close(writing)
        return Worker(process, reading, time.monotonic(), pause)

    def wait_for(self, worker: Worker) -> None:
        log = self.folder / "web.log"
        if not select.select([worker.started], [], [], START_SECONDS)[0]:
            raise StartError(f"The web workers did not start in {START_SECONDS} s (see {log}).")
        if not os.read(worker.started, 1):
            raise StartError(f"The web workers did not start: {last_words(log)}")

    def tell(self, host: str) -> None:
        assert self.listener
        address = f"http://{shown_host(host)}:{self.env['PORT']}"
        (self.folder / "address").write_text(address)
        shown = (self.env.get("PUBLIC_URL") or address).rstrip("/")
        say(f"\nToolShare is ready: {shown}")
        if self.kind == "demo":
            say("Sign in as ada, ben, cy or cora @example.org, password toolshare.")
        elif code := self.setup_code():
            say(f"Set up your community at {shown}/set-up with the one-time code {code}")
        say(f"Logs: {self.folder / 'web.log'}. Ctrl-C stops it.")

    def setup_code(self) -> str:
        """Nothing once the instance is set up."""
        reading, writing = os.pipe()
        with os.fdopen(reading) as answer:
            with os.fdopen(writing) as asked:
                self.run(self.plan.setup_code, output=asked.fileno())
            return answer.read().strip()

    def keep_up(self) -> None:
        """Whatever ends before its time is started again."""
        while True:
            time.sleep(0.2)
            if self.postgres and self.postgres.process.poll() is not None:
                say("PostgreSQL ended; started again.")
                self.postgres.stop()
                self.postgres = start_postgres(self.folder / "postgres")
            if self.valkey and self.valkey.process.poll() is not None:
                say("Valkey ended; started again.")
                self.valkey.stop()
                self.valkey = start_valkey(self.folder / "valkey")
            for place, worker in enumerate(self.workers):
                if worker.process.poll() is not None:
                    self.replace(place, worker)
            turn_over(self.folder / "web.log")

    def replace(self, place: int, worker: Worker) -> None:
        """At once; but one that ends again and again is started ever more slowly."""
        lived = time.monotonic() - worker.born
        if lived < worker.pause:
            return
        say(f"A web worker ended ({worker.process.returncode}); started again.")
        os.close(worker.started)
        pause = 0 if lived > 60 else min(max(1, 2 * worker.pause), 30)
        self.workers[place] = self.hire(pause)

    def stop(self) -> None:
        """In the order in which they need each other."""
        self.stopping = True
        say("\nStopping …")
        for worker in self.workers:
            worker.process.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.process.stop((signal.SIGTERM, 15))
        for server in (self.valkey, self.postgres):
            if server:
                server.stop()
        if self.lock >= 0:
            (self.folder / "address").unlink(missing_ok=True)
        say("Stopped.")


def serve(kind: str, plan: Plan) -> int:
    """Runs until it is told to stop; returns the exit status."""
    house = House(kind, plan, folder_of(kind))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, house.on_signal)
    status = 0
    try:
        house.start()
        house.keep_up()
    except Stopped:
        pass
    except (StartError, OSError) as error:
        house.stopping = True
        say(f"\n{error}", file=sys.stderr)
        status = 1
    house.stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # one that comes too late changes nothing
    return status


def listen(host: str, wanted: str) -> socket.socket:
    """The wanted port, or the next free one."""
    if not (wanted.isdecimal() and int(wanted) < 65536):
        raise StartError(f"PORT must be a number from 0 to 65535, not {wanted}.")
    for port in (*range(int(wanted), min(int(wanted) + 100, 65536)), 0):
        try:
            kind = socket.SOCK_STREAM
            family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
            listener = socket.create_server(address[:2], family=family, backlog=2048)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                why = str(error.strerror).partition(" (")[0]
                raise StartError(f"Cannot listen on {host}:{port}: {why}.") from error
            continue
        found = listener.getsockname()[1]
        if found != int(wanted) != 0:
            say(f"Port {wanted} is taken: this one is at {found}.")
        return listener
    raise StartError(f"No port is free on {host}.")


def shown_host(host: str) -> str:
    """What a browser on this machine is told."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def turn_over(log: Path) -> None:
    """A log that has grown is kept once as .1; the workers append, so they go on from nothing."""
    if log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


@contextmanager
def step(label: str) -> Iterator[None]:
    """One line of progress: what it is, then how long it took."""
    began = time.monotonic()
    say(f"{label} … ", end="")
    yield
    say(f"{time.monotonic() - began:.1f} s")


def say(text: str, *, end: str = "\n", file: TextIO | None = None) -> None:
    try:
        print(text, end=end, file=file or sys.stdout, flush=True)
    except OSError:  # nobody listens any more: the terminal was closed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (file or sys.stdout).fileno())
        os.close(nowhere)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in KINDS:
        print("usage: python -m app.serve demo|own", file=sys.stderr)
        return 2
    return serve(arguments[0], Plan())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
