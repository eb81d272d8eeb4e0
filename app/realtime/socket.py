"""One page's socket: what it shows, what it lacks, and what its person may hear."""

from __future__ import annotations

import logging
import socket as sockets
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from app.realtime import inbound, outbound, rights
from app.realtime.frames import FrameProtocol
from app.realtime.limits import POLICY, SIGNED_OUT, TRY_LATER
from app.realtime.reader import UnansweredError
from app.realtime.ready import Ready
from app.realtime.topics import Listener
from app.realtime.watch import ACCESS, Topic

if TYPE_CHECKING:
    from app.realtime.engine import Engine

log = logging.getLogger(__name__)

UNSAID = 1024  # small frames that may wait for a slow reader
ONE_WRITE = 1 << 48  # in a tally of writes and bytes: one number costs less than two


class Socket:
    """Holds names of what is due, never a backlog; owns its connection, has no task of its own.

    `clear` is true while a ready frame may be written at once: the one thing that is looked at
    for each of very many sockets. Whatever stands against it sets it to false.
    """

    __slots__ = (
        "_tally",
        "access",
        "address",
        "arrivals",
        "awaited",
        "behind",
        "buffered",
        "clear",
        "closed",
        "company",
        "compared",
        "due",
        "engine",
        "forced",
        "full",
        "gone",
        "least",
        "listener",
        "locale",
        "number",
        "opened_at",
        "plain",
        "progress_at",
        "queued",
        "rereading",
        "rights_stale",
        "said",
        "shown",
        "tells_access",
        "transport",
        "unproven",
        "watching",
        "window",
        "wire",
    )

    def __init__(
        self, engine: Engine, wire: FrameProtocol, listener: Listener, address: str, number: int
    ) -> None:
        self.engine, self.wire, self.transport = engine, wire, wire.transport
        self.listener, self.address, self.number = listener, address, number
        self.locale = listener.locale
        self.plain, self.window = _plain(wire.transport), wire.window
        self.opened_at = time.monotonic()
        self.shown: dict[str, Topic] = {}  # what this screen watches
        self.due: dict[str, None] | None = None  # topics with something newer; an ordered set
        self.said: list[str] | None = None  # small frames that wait
        self.awaited: dict[int, Iterable[str]] | None = None  # watch n → what it asked for
        self.unproven: dict[str, int] | None = None  # not shown to be theirs yet → claimed version
        self.company: dict[str, tuple[str, float]] | None = None  # topic → who is here, until when
        self.gone: set[str] | None = None
        self.forced: set[str] | None = None  # rights changed: again, even at the same version
        self.least: dict[str, int] | None = None  # topic → no older drawing than of this version
        self.closed: int | None = None
        self.clear = True
        self.queued = self.full = False
        self.rights_stale = self.rereading = self.tells_access = self.compared = False
        self.watching = self.behind = self.buffered = self._tally = 0
        self.arrivals = self.progress_at = 0.0
        self.access = f"{listener.own_scope}/access"

    def begin(self, access: int) -> None:
        """`access` is the version of the rights that opened it."""
        self.engine.hub.enter(self, self.access, ACCESS, access)

    # --- out; none of these waits

    def send(self, data: bytes) -> None:
        """Straight to the kernel where nothing waits in front: half the work of a transport."""
        self._tally += ONE_WRITE + len(data)
        if self.plain is not None and not self.full:
            try:
                sent = self.plain.send(data)
            except OSError:  # no room; or gone, which the transport finds out and tells
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        self.transport.write(data)

    @property
    def writes(self) -> int:
        return self._tally // ONE_WRITE

    @property
    def written(self) -> int:
        """Bytes."""
        return self._tally % ONE_WRITE

    def see(self) -> None:
        """Work out `clear` again."""
        self.clear = not (
            self.due
            or self.said
            or self.company
            or self.awaited
            or self.unproven
            or self.gone
            or self.forced
            or self.least
            or self.silent
        )

    @property
    def silent(self) -> bool:
        """Nothing may be written now."""
        return self.full or self.unsure or self.closed is not None

    @property
    def unsure(self) -> bool:
        """The rights are being read again."""
        return self.rights_stale or self.rereading

    def mark(self, topic: str) -> None:
        """There is a drawing of the topic that this screen may not have yet."""
        if self.due is None:
            self.due = {}
        self.due[topic] = None
        self.wake()

    def tell(self, text: str) -> None:
        if self.said is None:
            self.said = []
        self.said.append(text)
        if len(self.said) > UNSAID:
            self.close(POLICY)
        else:
            self.wake()

    def accompany(self, topic: str, html: str, until: float) -> None:
        """Who is here: of each topic only the newest."""
        self.company = {**(self.company or {}), topic: (html, until)}
        self.wake()

    def wake(self) -> None:
        """Something is due: it goes out together with what else is."""
        self.clear = False
        if not self.queued and not self.silent:
            self.queued = True
            self.engine.delivery.add(self)

    def flush(self) -> None:
        """All that is due now, of each topic only the newest, in one write."""
        self.queued = False
        while not self.silent:
            more = outbound.write_what_fits(self)
            if not more:
                break
        self.see()

    def beat(self, data: bytes) -> None:
        expires_at = self.listener.expires_at
        if expires_at is not None and self.engine.now() >= expires_at:
            self.recheck()
        if not self.silent:
            self.send(data)

    # --- the end

    def close(self, code: int) -> None:
        if self.closed is not None:
            return
        last, full = self.said, self.full
        self.closed, self.clear, self.due, self.said = code, False, None, None
        self._leave_all()
        if last and code != SIGNED_OUT and not full:
            self.send(b"".join(Ready(text).bytes_for(0) for text in last))
        self.wire.close(code)

    def lost(self, code: int) -> None:
        if self.closed is None:
            self.closed = code
        self.clear = False
        if self.plain is not None:  # the descriptor is the transport's, and it closes it
            self.plain.detach()
            self.plain = None
        self._leave_all()
        self.engine.door.forget(self)

    def _leave_all(self) -> None:
        for name in list(self.shown):
            self.engine.hub.leave(self, name)

    # --- a slow reader

    def overflow(self) -> None:
        """Behind: nothing more until it has read, and then only the newest."""
        if self.closed is None:
            self.full, self.clear = True, False
            self.behind += 1
            self.buffered, self.progress_at = sys.maxsize, time.monotonic()
            self.engine.behind.add(self)
            self.engine.counters["behind"] += 1

    def check_progress(self, now: float) -> None:
        """To be called now and then while it is behind: who reads nothing at all has to go."""
        buffered = self.transport.get_write_buffer_size()
        if buffered < self.buffered:
            self.buffered, self.progress_at = buffered, now
        elif now - self.progress_at >= self.engine.limits.drain_within:
            self.close(TRY_LATER)

    def drained(self) -> None:
        self.full = False
        self.engine.behind.discard(self)
        self.wake()

    # --- rights

    def recheck(self) -> None:
        """The person's rights may have changed: until they are read, nothing more is sent."""
        rights.recheck(self)

    async def catch_up(self, names: Iterable[str]) -> None:
        """Compare what it shows with the table; closes if that cannot be."""
        try:
            await self.engine.hub.catch_up(self, names)
        except UnansweredError:
            self.close(TRY_LATER)
        except Exception:
            log.exception("a screen could not be compared")
            self.close(TRY_LATER)

    # --- in

    def hear(self, text: str | None) -> None:
        """What the browser said; None if it was no text."""
        inbound.hear(self, text)


def _plain(transport: Any) -> sockets.socket | None:
    """The transport's descriptor as a socket of its own, since `send` on it is quicker than what
    a transport has (and than `os.write`); None where that would go past a cipher.
    """
    theirs = transport.get_extra_info("socket")
    if theirs is None or transport.get_extra_info("sslcontext") is not None:
        return None
    return sockets.socket(theirs.family, theirs.type, theirs.proto, theirs.fileno())
