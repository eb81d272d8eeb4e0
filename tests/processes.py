"""Processes as the kernel sees them: who descends from whom, and that they are gone."""

import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def descendants(pid: int) -> set[int]:
    """Of this process, children in sessions of their own included."""
    parent_of: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parent_of[int(stat.parent.name)] = int(after_name[1])
    found = {pid}
    while more := {child for child, parent in parent_of.items() if parent in found} - found:
        found |= more
    return found - {pid}


class Watched:
    """Descriptors of processes: a number taken anew by another does not mislead them."""

    def __init__(self, pids: set[int]) -> None:
        self._open: dict[int, int] = {}
        for pid in pids:
            try:
                self._open[pid] = os.pidfd_open(pid)
            except ProcessLookupError:  # it came and went
                continue

    def still_there(self, within: float = 20) -> set[int]:
        """Those that have not ended after so many seconds; also closes the descriptors."""
        deadline = time.monotonic() + within
        left = set()
        for pid, descriptor in self._open.items():
            wait = max(0, deadline - time.monotonic())
            if not select.select([descriptor], [], [], wait)[0]:
                left.add(pid)
            os.close(descriptor)
        return left


def until(come_true: Callable[[], object], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not come_true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it printed, up to the line with these words."""
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(f"{words!r} was never printed: {seen}")


def ordinary_user(folder: Path) -> list[str]:
    """What to put before a command so that it runs as somebody who is not root.

    He may read everything, since a Python of root's own may lie in root's home.
    """
    if os.geteuid() != 0:
        return []
    os.chown(folder, 65534, 65534)
    for parent in folder.parents:
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reading]
