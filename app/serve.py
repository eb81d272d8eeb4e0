"""The top process of bin/demo and bin/run: servers, migrations, web workers, and their end.

All it starts are Children: however this process ends, they end too. SIGUSR1 restarts the web
workers one after the other; Ctrl-C, SIGTERM and a closed terminal stop it.
"""

import errno
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from app.child import Child, StartError, last_words
from app.console import say, step
from app.crew import Crew
from app.embedded import Server, start_postgres, start_valkey
from app.instance import KINDS, ROOT, environment, folder_of, occupy

LOG_BYTES = 20_000_000
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Plan:
    """What is served, as arguments of Python; tests put small stand-ins here."""

    app: str = "app.main:app"
    migrate: Sequence[str] = ("-m", "app.migrations")
    demo: Sequence[str] = ("-m", "app.demo")
    setup_code: Sequence[str] = ("-m", "app.people.setup_code")
    workers: int = 2


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
    postgres: Server | None = None
    valkey: Server | None = None
    crew: Crew | None = None
    stopping: bool = False
    restart_wanted: bool = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first stops us in order; another does not wait for the workers."""
        if self.stopping:
            if self.crew:
                self.crew.kill()
            return
        self.stopping = True
        raise Stopped

    def on_restart(self, number: int, frame: FrameType | None) -> None:
        """New workers, one after the other; during a restart: once more, after it."""
        self.restart_wanted = True

    def start(self) -> None:
        self.lock = occupy(self.folder, self.kind)
        self.env = environment(self.kind, self.folder)
        with suppress(FileNotFoundError):  # what failed last time must not be told as this time's
            (self.folder / "web.log").rename(self.folder / "web.log.1")
        host = "127.0.0.1" if self.kind == "demo" else self.env.get("HOST") or "127.0.0.1"
        listener = listen(host, self.env.get("PORT") or "8000")
        self.env["PORT"] = str(listener.getsockname()[1])
        self.start_servers()
        self.crew = Crew(self.plan.app, listener, self.folder / "web.log", self.child)
        self.crew.gather(self.plan.workers)
        with step("Preparing the database"):
            self.run(self.plan.migrate, output=subprocess.DEVNULL)
        welcome = self.load_demo() if self.kind == "demo" else self.setup_code()
        with step(f"Starting {self.plan.workers} web workers"):
            self.crew.begin()
        self.tell(host, welcome)

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

    def load_demo(self) -> str:
        loaded = self.folder / "loaded"
        if not loaded.exists():
            self.run(self.plan.demo)
            loaded.touch()
        return "Sign in as ada, ben, cy or cora @example.org, password toolshare."

    def setup_code(self) -> str:
        """Nothing once the instance is set up."""
        reading, writing = os.pipe()
        with os.fdopen(reading) as answer:
            with os.fdopen(writing) as asked:
                self.run(self.plan.setup_code, output=asked.fileno())
            code = answer.read().strip()
        return code and f"Set up your community at {{address}}/set-up with the one-time code {code}"

    def tell(self, host: str, welcome: str) -> None:
        address = f"http://{shown_host(host)}:{self.env['PORT']}"
        (self.folder / "address").write_text(address)
        (self.folder / "pid").write_text(str(os.getpid()))
        shown = (self.env.get("PUBLIC_URL") or address).rstrip("/")
        say(f"\nToolShare is ready: {shown}")
        if welcome:
            say(welcome.format(address=shown))
        say(f"Logs: {self.folder / 'web.log'}. Ctrl-C stops it.")

    def keep_up(self) -> None:
        """Whatever ends before its time is started again."""
        assert self.crew
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
            if self.restart_wanted and not self.crew.renewal:
                self.restart_wanted = False
                self.crew.renew()
            self.crew.keep_up()
            turn_over(self.folder / "web.log")

    def stop(self) -> None:
        """In the order in which they need each other."""
        self.stopping = True
        if self.lock < 0:  # nothing was begun
            return
        say("\nStopping …")
        if self.crew:
            self.crew.stop()
        for server in (self.valkey, self.postgres):
            if server:
                server.stop()
        for told in ("address", "pid"):
            (self.folder / told).unlink(missing_ok=True)
        say("Stopped.")


def serve(kind: str, plan: Plan) -> int:
    """Runs until it is told to stop; returns the exit status."""
    house = House(kind, plan, folder_of(kind))
    for number in STOPS:
        signal.signal(number, house.on_signal)
    signal.signal(signal.SIGUSR1, house.on_restart)
    problem: Exception | None = None
    try:
        house.start()
        house.keep_up()
    except Stopped:
        pass
    except (StartError, OSError) as error:
        house.stopping, problem = True, error
    house.stop()
    for number in (*STOPS, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)  # one that comes too late changes nothing
    if problem:
        say(str(problem), file=sys.stderr)
    return 1 if problem else 0


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


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in KINDS:
        print("usage: python -m app.serve demo|own", file=sys.stderr)
        return 2
    for stream in (sys.stdout, sys.stderr):  # a terminal that has no … gets a ?
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    return serve(arguments[0], Plan())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
