"""What leaves for somebody's phone or letter box: taken up for a while, tried, settled.

Whoever takes a row up moves its `send_at` ahead in a commit of its own: who dies over it leaves it
to the next. What is tried ends well before that, so no two workers are at it.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Mapped, mapped_column

LEASE = timedelta(minutes=2)
WITHIN = 60.0  # seconds for one try, whatever the other side does
TRIES = 8  # further and further apart: over a day in all
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=12)
STALE = timedelta(days=1)  # after which it is no news any more
_log = structlog.stdlib.get_logger("toolshare.outgoing")


class Undeliverable(Exception):  # noqa: N818 - says what became of a message
    """It will never be taken."""


class NotNow(Exception):  # noqa: N818
    """The other side is away, busy, or says: later."""


class Pointless(Exception):  # noqa: N818
    """Nobody needs it any more, or there is no way to them."""


class Sending(enum.StrEnum):
    READY = "ready"
    SENT = "sent"
    FAILED = "failed"  # will not be tried again


class Outgoing:
    """The columns of what is to go."""

    sending: Mapped[str] = mapped_column(default=Sending.READY)
    send_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]


class Fate(enum.Enum):
    SENT = enum.auto()
    AGAIN = enum.auto()
    FAILED = enum.auto()
    POINTLESS = enum.auto()


@dataclass(frozen=True)
class Outcome:
    """Of one try. `why` names no person and no address; with SENT, what went wrong beside it."""

    fate: Fate
    why: str = ""


async def attempt(way: str, act: Callable[[], Awaitable[str]]) -> Outcome:
    """What came of it. What nobody has foreseen counts as a try, too: else it went on for ever."""
    try:
        return Outcome(Fate.SENT, await act())
    except Pointless:
        return Outcome(Fate.POINTLESS)
    except Undeliverable as error:
        outcome = Outcome(Fate.FAILED, words(error))
    except NotNow as error:
        outcome = Outcome(Fate.AGAIN, words(error))
    except Exception as error:
        _log.exception("errand_failed", way=way)
        return Outcome(Fate.AGAIN, words(error))
    _log.warning("not_delivered", way=way, why=outcome.why, again=outcome.fate is Fate.AGAIN)
    return outcome


def words(error: BaseException) -> str:
    """What may be kept of it: what was not foreseen may quote an address."""
    foreseen = isinstance(error, (Undeliverable, NotNow))
    return str(error) if foreseen else type(error).__name__


def settle(row: Outgoing, outcome: Outcome, now: datetime) -> None:
    """It is tried again, later and later; in the end it is shown as failed."""
    row.attempts, row.last_error = row.attempts + 1, outcome.why[:80]
    wait = put_off(row.attempts) if outcome.fate is Fate.AGAIN else None
    if wait is not None:
        row.send_at = now + wait
    else:
        row.sending = Sending.SENT if outcome.fate is Fate.SENT else Sending.FAILED
        row.settled_at = now


def put_off(attempts: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: it is no use."""
    if attempts >= TRIES:
        return None
    growth: int = 4 ** max(0, attempts - 1)
    return min(FIRST_RETRY * growth, LONGEST_RETRY)
