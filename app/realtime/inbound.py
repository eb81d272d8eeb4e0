"""What a browser says on its socket: its watches, within its limits, and where it is."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from app.realtime import versions
from app.realtime.limits import POLICY, TOO_BIG, UNSUPPORTED
from app.realtime.topics import frame

if TYPE_CHECKING:
    from app.realtime.socket import Socket

LARGEST_VERSION = 2**53
LONGEST_NAME = 1000  # bytes
WATCHES = 60  # that may be under way at once


def hear(socket: Socket, text: str | None) -> None:
    if socket.closed is not None:
        return
    code = _why_not_hear(socket, text)
    if code is None and text is not None:
        try:
            _take(socket, json.loads(text))
        except (ValueError, RecursionError):
            code = POLICY
    if code is not None:
        socket.close(code)


def _why_not_hear(socket: Socket, text: str | None) -> int | None:
    limits, now = socket.engine.limits, time.monotonic()
    socket.arrivals = max(socket.arrivals, now - 1) + 1 / limits.messages_a_second
    if socket.arrivals > now:
        return POLICY
    if text is None:
        return UNSUPPORTED
    most = limits.message_bytes
    return TOO_BIG if len(text) > most or len(text.encode()) > most else None


def _take(socket: Socket, message: object) -> None:
    """Raises ValueError for what no browser of ours says."""
    match message:
        case {"watch": dict(wanted), "n": int(n)}:
            _watch(socket, wanted, n)
        case {"unwatch": list(names)}:
            left = [name for name in names if isinstance(name, str) and name != socket.access]
            for name in left:
                socket.engine.hub.leave(socket, name)
            socket.wake()  # a watch may have waited for just that
        case {"typing": str(topic)}:
            socket.engine.company.note(socket, topic, typing=True)
        case {"here": str(topic)}:
            socket.engine.company.note(socket, topic, typing=False)
        case _:
            raise ValueError(message)


def _watch(socket: Socket, wanted: dict[str, Any], n: int) -> None:
    names = [name for name, version in wanted.items() if _enter(socket, name, version)]
    socket.clear = False
    socket.watching += 1
    too_many = len(socket.shown) > socket.engine.limits.topics + 1
    if too_many or socket.watching + len(socket.awaited or ()) > WATCHES:
        raise ValueError(names)
    socket.engine.spawn(_catch_up(socket, [*names, socket.access], n))


def _enter(socket: Socket, name: str, version: object) -> bool:
    if len(name.encode()) > LONGEST_NAME:  # half a character is a ValueError, too
        raise ValueError(name)
    if type(version) is not int or not 0 <= version <= LARGEST_VERSION:
        raise ValueError(version)
    if name == socket.access:
        # A page that was drawn under older rights: the personal regions are asked again.
        socket.tells_access = True
        if version < socket.shown[name].watchers[socket]:
            socket.recheck()
        return False
    kind = socket.engine.topics.open_to(socket.listener, name)
    if kind is None:
        # The same answer as for a topic that never was: gone, as of what they came with.
        socket.tell(frame(topic=name, version=version, html=None))
        return False
    socket.engine.hub.enter(socket, name, kind, version)
    return True


async def _catch_up(socket: Socket, names: list[str], n: int) -> None:
    await socket.engine.bus.confirmed({versions.split(name)[0] for name in names})
    await socket.catch_up(names)
    socket.watching -= 1
    if socket.closed is None:
        socket.compared = True
        socket.awaited = {**(socket.awaited or {}), n: names}
        socket.wake()
