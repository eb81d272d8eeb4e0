"""The sink and the floor: small C programs, compiled here, that are spoken to by lines."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from app.child import Child, StartError
from bench.live import cores

HERE = Path(__file__).parent
WITHIN = 60.0  # seconds for anything that is waited for
OPEN_WITHIN = 150.0  # and for thousands of handshakes


class Programs:
    """How each is started: the compiled C, or where no compiler is found its twin in Python."""

    def __init__(self, folder: Path) -> None:
        self.compiled = shutil.which("cc") is not None
        self._folder = folder
        for name in ("sink", "floor") if self.compiled else ():
            self._compile(name)

    def sink(self) -> list[str | Path]:
        if self.compiled:
            return [self._folder / "sink", HERE / "browser.txt"]
        return [sys.executable, "-m", "bench.live.sink"]

    def floor(self) -> list[str | Path]:
        if self.compiled:
            return [self._folder / "floor"]
        return [sys.executable, "-m", "bench.live.floor"]

    def _compile(self, name: str) -> None:
        source, program = HERE / f"{name}.c", self._folder / name
        done = subprocess.run(
            ["cc", "-O2", "-o", program, source], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StartError(f"{source} does not compile: {done.stderr.strip()}")


class Program:
    """A child with a line to it: text there and back."""

    def __init__(self, command: Sequence[str | Path], core: int, *keep: int) -> None:
        self._core = core
        self._ours, its = socket.socketpair()
        with its:
            self.child = Child(
                [*command, str(its.fileno()), *map(str, keep)],
                first=cores.on(core),
                cwd=HERE.parent.parent,
                keep=(its.fileno(), *keep),
            )

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(sock=self._ours)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._core == cores.SERVER and self.child.poll() is None:
            cores.Others.ours.append(cores.cpu(self.child.pid))
        self._reading.cancel()
        self._writer.close()
        self.child.stop()

    def say(self, line: str) -> None:
        self._writer.write(line.encode() + b"\n")

    async def _read(self) -> None:
        with suppress(ConnectionError):
            while line := await self._reader.readline():
                self.hear(line.decode().split())
        self.gone()

    def hear(self, words: list[str]) -> None:
        raise NotImplementedError

    def gone(self) -> None:
        """It has ended, and was not told to."""
        raise NotImplementedError


class Arrival(NamedTuple):
    """When the first and the last screen had a version; nanoseconds, monotonic."""

    first: int
    last: int


class Counted(NamedTuple):
    frames: int
    bytes: int


class Sink(Program):
    """Screens, all at one server. See sink.c for what it is told and what it tells."""

    def __init__(self, programs: Programs) -> None:
        super().__init__(programs.sink(), cores.CLIENT)
        self._arrivals: dict[tuple[int, int], asyncio.Future[Arrival]] = {}
        self._answers: dict[str, asyncio.Future[list[str]]] = {}
        self._trouble: Exception | None = None
        self.retries = 0
        self.lost = 0
        self.count = 0

    async def open(
        self,
        count: int,
        port: int,
        *,
        topics: tuple[int, int, int] = (0, 50, 50),
        pads: int = 0,
        base: dict[int, int] | None = None,
        person: int = 1,
        offer: bool = False,
        buffer: int = 0,
        at_once: int = 128,
    ) -> Arrival:
        """Opens them and waits until each is served. `topics`: from, of, each (see sink.c)."""
        self.count = count
        self.say(f"watch {' '.join(map(str, topics))} {pads}")
        for topic, version in (base or {}).items():
            self.say(f"base {topic} {version}")
        return await self._ready(f"open {count} {port} {person} {offer:d} {at_once} {buffer}")

    async def reopen(self) -> Arrival:
        return await self._ready("reopen")

    async def _ready(self, command: str) -> Arrival:
        first, last, retries = await self._ask(command, "ready")
        self.retries = int(retries)
        return Arrival(int(first), int(last))

    async def counted(self) -> Counted:
        frames, sizes, _ = await self._ask("stats", "stats")
        return Counted(int(frames), int(sizes))

    async def _ask(self, command: str, answer: str) -> list[str]:
        waiting = self._answers[answer] = asyncio.get_running_loop().create_future()
        self.say(command)
        async with asyncio.timeout(OPEN_WITHIN if answer == "ready" else WITHIN):
            words: list[str] = await waiting
            return words

    async def arrival(self, topic: int, version: int) -> Arrival:
        """Waits until every screen that watches it has this version, or a newer one."""
        if self._trouble:
            raise self._trouble
        async with asyncio.timeout(WITHIN):
            try:
                return await self._arrival(topic, version)
            finally:
                self._arrivals.pop((topic, version), None)

    def _arrival(self, topic: int, version: int) -> asyncio.Future[Arrival]:
        key = (topic, version)
        if key not in self._arrivals:
            self._arrivals[key] = asyncio.get_running_loop().create_future()
        return self._arrivals[key]

    def forget(self) -> None:
        """Arrivals that nobody asked for."""
        self._arrivals.clear()

    def hear(self, words: list[str]) -> None:
        match words:
            case ["all", topic, version, first, last]:
                future = self._arrival(int(topic), int(version))
                if not future.done():
                    future.set_result(Arrival(int(first), int(last)))
            case ["lost", count]:
                self.lost = int(count)
            case [answer, *rest]:
                if (waiting := self._answers.pop(answer, None)) and not waiting.done():
                    waiting.set_result(rest)

    def gone(self) -> None:
        self._trouble = RuntimeError("the sink has ended")
        waiting: list[asyncio.Future[Any]] = [*self._arrivals.values(), *self._answers.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(self._trouble)


class Floor(Program):
    """See floor.c."""

    def __init__(self, programs: Programs, listener: socket.socket) -> None:
        super().__init__(programs.floor(), cores.SERVER, listener.fileno())
        self._written: list[asyncio.Future[None]] = []
        self.sent = 0  # frames to each screen

    async def write(self, text: str, times: int = 1) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._written.append(done)
        self.say(f"write {times} {text}")
        self.sent += times
        await done

    def hear(self, words: list[str]) -> None:
        self._written.pop(0).set_result(None)

    def gone(self) -> None:
        for future in self._written:
            future.set_exception(RuntimeError("the floor has ended"))
