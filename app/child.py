"""Processes of ours that never outlive us, not even when we are killed."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """What a person can put right, in one sentence."""


class Child(subprocess.Popen[bytes]):
    """A process in a session of its own, so that Ctrl-C at the terminal passes it by. However we
    end, it gets the signal `at_our_end`.

    Linux ties it to the *thread* that starts it, so only the main thread may.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        at_our_end: signal.Signals = signal.SIGKILL,
        first: Callable[[], None] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        output: IO[bytes] | int | None = None,
        errors: IO[bytes] | int | None = None,
        keep: Sequence[int] = (),
        user: int | None = None,
        group: int | None = None,
    ) -> None:
        assert threading.current_thread() is threading.main_thread(), "the main thread starts it"
        self._watcher: subprocess.Popen[bytes] | None = None
        parent = os.getpid()

        def tie() -> None:
            if first:
                first()
            if sys.platform == "linux":  # after `first`: a change of user cuts the tie
                LIBC.prctl(PR_SET_PDEATHSIG, int(at_our_end))
                if os.getppid() != parent:  # we ended before it was tied
                    os._exit(1)

        super().__init__(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            preexec_fn=tie,
            start_new_session=True,
            pass_fds=tuple(keep),
            env=env,
            cwd=cwd,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
        if sys.platform != "linux":
            self.watch_from_outside(at_our_end)

    def watch_from_outside(self, at_our_end: signal.Signals) -> None:
        """The tie where the kernel has none: a shell reads a pipe, whose other end only we hold,
        to its end."""
        script = f"read gone; kill -{at_our_end.name[3:]} {self.pid}"
        self._watcher = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True
        )

    def stop(self, *signals: tuple[signal.Signals, float]) -> int:
        """Sends each signal and waits its seconds; at last SIGKILL to its whole group."""
        if self._watcher:  # first, or it might hit whoever gets the number next
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        for number, seconds in signals:
            self.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                return self.wait(seconds)
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return self.wait()


def claim(folder: Path, *, patience: float, refusal: str) -> int:
    """Makes `folder` ours alone and returns the lock on it, a descriptor. Children that inherit it
    hold it on, until the last of them is gone; after a kill that takes a moment: `patience`, in
    seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            os.close(lock)
            raise StartError(refusal) from None
        except BaseException:
            os.close(lock)
            raise


def last_words(log: Path) -> str:
    """The last complaint in a log (of a stack trace that is what went wrong), and where it is."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    lines = [line for line in lines if line and "startup failed. Exiting" not in line]  # uvicorn's
    fatal = [line for line in lines[-20:] if "FATAL:" in line]
    return f"{(fatal or lines or ['it said nothing'])[-1]} (see {log})"
