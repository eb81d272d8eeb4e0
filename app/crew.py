"""The web workers of an instance: hired, kept up, renewed one after the other, sent home.

All accept from one listening socket, so when one leaves, the kernel gives its turns to the others.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.child import Child, StartError, last_words
from app.console import say

START_WITHIN = 60  # seconds
# From SIGTERM on, a worker finishes what it has taken: sockets are closed over 3 s, and the slowest
# request waits 5 s for a database connection and 15 s for its answer.
END_WITHIN = 25
GONE_WITHIN = END_WITHIN + 5


class Start(Protocol):
    """Starts a child of ours with these arguments of Python, which inherits some descriptors."""

    def __call__(
        self, arguments: list[str], *keep: int, output: int | None, errors: int
    ) -> Child: ...


@dataclass
class Worker:
    process: Child
    started: int  # a pipe: a byte when it serves, the end when it is gone
    born: float
    pause: float  # seconds it must have lived before another takes its place at once


@dataclass
class Crew:
    app: str
    listener: socket.socket
    log: Path
    start: Start
    places: list[Worker] = field(default_factory=list)
    moving: list[Worker] = field(default_factory=list)  # in or out, during a restart
    hold: int = -1  # a pipe: workers begin to serve when its other end is closed
    let_go: int = -1
    renewal: Iterator[None] | None = None

    def gather(self, size: int) -> None:
        """Loading the app takes them longest: they do it before they may serve."""
        self.hold, self.let_go = os.pipe()
        self.places = [self.hire() for _ in range(size)]

    def begin(self) -> None:
        os.close(self.let_go)
        for worker in self.places:
            if not self.serves(worker, START_WITHIN):
                raise StartError(
                    f"The web workers did not start in {START_WITHIN} s (see {self.log})."
                )

    def hire(self, pause: float = 0) -> Worker:
        reading, writing = os.pipe()
        passed = (self.listener.fileno(), self.hold, writing)
        arguments = ["-m", "app.worker", self.app, *map(str, passed)]
        with self.log.open("ab") as log:
            process = self.start(arguments, *passed, output=log.fileno(), errors=log.fileno())
        os.close(writing)
        return Worker(process, reading, time.monotonic(), pause)

    def serves(self, worker: Worker, within: float) -> bool:
        """Whether it has begun to, after so many seconds. StartError: it has ended instead."""
        if not select.select([worker.started], [], [], within)[0]:
            return False
        if not os.read(worker.started, 1):
            raise StartError(f"The web workers did not start: {last_words(self.log)}")
        return True

    # --- while it runs

    def keep_up(self) -> None:
        """To be called again and again. Who ends before his time is replaced; a restart goes on."""
        for place, worker in enumerate(self.places):
            if worker.process.poll() is not None:
                self.replace(place, worker)
        if self.renewal and next(self.renewal, self) is self:
            self.renewal = None

    def replace(self, place: int, worker: Worker) -> None:
        """At once; but one that ends again and again is started ever more slowly."""
        lived = time.monotonic() - worker.born
        if lived < worker.pause:
            return
        say(f"A web worker ended ({worker.process.returncode}); started again.")
        discard(worker)
        pause = 0 if lived > 60 else min(max(1, 2 * worker.pause), 30)
        self.places[place] = self.hire(pause)

    def renew(self) -> None:
        """Begins a rolling restart, which `keep_up` carries on."""
        self.renewal = self._renew()

    def _renew(self) -> Iterator[None]:
        """In each place the old one serves until the new one does. Yields where it has to wait."""
        say("Restarting the web workers, one after the other.")
        for place in range(len(self.places)):
            try:
                yield from self._bring_in()
            except (StartError, OSError):
                say(f"A new web worker did not start (see {self.log}); the old ones go on serving.")
                for new in self.moving:
                    discard(new)
                self.moving.clear()
                return
            old, self.places[place] = self.places[place], self.moving[0]
            self.moving[0] = old
            yield from self._see_out(old)
            self.moving.clear()
        say("The web workers are restarted.")

    def _bring_in(self) -> Iterator[None]:
        new = self.hire()
        self.moving.append(new)
        while not self.serves(new, 0):
            if time.monotonic() - new.born > START_WITHIN:
                raise StartError
            yield

    def _see_out(self, old: Worker) -> Iterator[None]:
        told_at = time.monotonic()
        old.process.send_signal(signal.SIGTERM)
        while old.process.poll() is None and time.monotonic() - told_at < GONE_WITHIN:
            yield
        discard(old)

    # --- its end

    def kill(self) -> None:
        for worker in (*self.places, *self.moving):
            worker.process.kill()

    def stop(self) -> None:
        everybody = (*self.places, *self.moving)
        for worker in everybody:
            worker.process.send_signal(signal.SIGTERM)
        for worker in everybody:
            worker.process.stop((signal.SIGTERM, GONE_WITHIN))


def discard(worker: Worker) -> None:
    """What is left of one who has ended, or is not waited for any longer."""
    worker.process.stop()
    os.close(worker.started)
