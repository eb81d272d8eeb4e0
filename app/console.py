"""What a program that was started by hand says to whoever started it."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


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
