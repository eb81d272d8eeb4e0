"""Which errors mean that the database is away or too busy, so that trying again makes sense."""

from types import TracebackType

import asyncpg
from sqlalchemy import exc

# Connection, resources, operator, system; and what a busy or read-only server answers.
CLASSES = ("08", "53", "57", "58")
STATES = frozenset(
    {
        "25006",  # read-only: a standby, or a disk that was nearly full
        "40001",  # serialisation
        "40P01",  # deadlock
        "55P03",  # lock not available within lock_timeout
        "25P03",  # idle in transaction for too long
    }
)
KINDS: tuple[type[Exception], ...] = (
    exc.DBAPIError,
    exc.TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)


def is_outage(error: BaseException) -> bool:
    """True if the same request may well succeed in a moment."""
    if isinstance(error, exc.DBAPIError):
        away = isinstance(error, exc.OperationalError | exc.InterfaceError)
        return away or error.connection_invalidated or _by_state(reason(error)) or _lost(error)
    if isinstance(error, asyncpg.PostgresError):
        return _by_state(reason(error))
    if isinstance(error, OSError):  # TimeoutError and every kind of refused connection
        return _raised_in_driver(error.__traceback__)
    return isinstance(error, exc.TimeoutError | asyncpg.InterfaceError)


def reason(error: BaseException) -> str:
    """The SQLSTATE, or "" without one."""
    origin = getattr(error, "orig", None) or error
    return str(getattr(origin, "sqlstate", None) or "")


def _by_state(state: str) -> bool:
    return state[:2] in CLASSES or state in STATES


def _lost(error: exc.DBAPIError) -> bool:
    """The driver's own errors carry no state: the connection went away in the middle."""
    cause: BaseException | None = error.orig
    while cause is not None:
        if isinstance(cause, OSError | asyncpg.InterfaceError):
            return True
        cause = cause.__cause__
    return False


def _raised_in_driver(trace: TracebackType | None) -> bool:
    """A missing socket is a FileNotFoundError, and so is a bug of ours: only the place differs."""
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).startswith("asyncpg"):
            return True
        trace = trace.tb_next
    return False
