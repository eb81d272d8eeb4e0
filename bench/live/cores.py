"""Which core is whose: what is measured has one for itself; all the rest shares the other."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


SERVER, CLIENT = _cores()[0], _cores()[-1]


def apart() -> bool:
    return SERVER != CLIENT


def on(core: int) -> Callable[[], None]:
    """For a child, before it becomes its program; its own children inherit it."""
    return lambda: os.sched_setaffinity(0, {core})


def stay_with_the_client() -> None:
    """This process, and with it every child that is not told otherwise."""
    os.sched_setaffinity(0, {CLIENT})


def spread(pid: int) -> None:
    """A server and all that it starts from now on may use both cores."""
    os.sched_setaffinity(pid, {SERVER, CLIENT})


def raise_the_limit() -> int:
    """How many descriptors a process of ours may have open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def cpu(pid: int) -> float:
    """Seconds that a process has computed until now, in all its threads, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes it


def resident(pid: int) -> int:
    """Bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("a process without memory")


def writes(pid: int) -> int:
    """System calls that wrote, as the kernel counts them: write and writev, but not send."""
    found = re.search(r"syscw: (\d+)", Path(f"/proc/{pid}/io").read_text())
    return int(found[1]) if found else 0


class Others:
    """How much of the server's core somebody else used while it was measured."""

    ours: ClassVar[list[float]] = []  # seconds of processes of ours there that have ended

    def __init__(self) -> None:
        self._began, self._busy = time.monotonic(), _busy(SERVER)
        self.ours.clear()

    def line(self) -> str:
        """A line for the head of the page."""
        took = time.monotonic() - self._began
        share = max(0.0, (_busy(SERVER) - self._busy - sum(self.ours)) / took)
        warning = ": look at the CPU columns, and at no others" if share > 0.1 else ""
        return f"Others used {share:.0%} of the server's core meanwhile{warning}"


def _busy(core: int) -> float:
    """Seconds that a core has worked since the machine's start."""
    found = re.search(rf"^cpu{core} (.*)$", Path("/proc/stat").read_text(), re.MULTILINE)
    assert found, "it is there"
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, found[1].split())
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
