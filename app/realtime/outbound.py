"""What one page is told in one write: of each topic only the newest, and no more than fits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.realtime.ready import Ready
from app.realtime.topics import frame

if TYPE_CHECKING:
    from app.realtime.socket import Socket


def write_what_fits(socket: Socket) -> bool:
    """True if something is left that did not fit."""
    room = socket.engine.limits.buffer_bytes
    said, socket.said = socket.said or (), None
    out = [Ready(text).bytes_for(0) for text in said]
    size, hub = sum(map(len, out)), socket.engine.hub
    if not socket.compared:  # a cut may have come between the door and the first watch
        due = []
    else:
        due, socket.due = list(socket.due or ()), None
    written = 0
    for name in due:
        written += 1
        if ready := hub.frame_for(socket, name):
            out.append(data := ready.bytes_for(socket.window))
            size += len(data)
            if size >= room:
                break
    rest = due[written:]
    if rest:  # beside what was wanted anew meanwhile
        socket.due = dict.fromkeys([*rest, *(socket.due or ())])
    else:  # after all drawings: they are what says whether a topic is theirs
        out += _companies(socket) if socket.company else ()
        out += _lives(socket) if socket.awaited else ()
    if out:
        socket.engine.counters["writes"] += 1
        socket.engine.counters["bytes"] += size
        socket.send(b"".join(out))
    return bool(rest)


def _companies(socket: Socket) -> Iterable[bytes]:
    return [Ready(text).bytes_for(0) for text in socket.engine.company.frames_for(socket)]


def _lives(socket: Socket) -> Iterable[bytes]:
    hub, awaited = socket.engine.hub, socket.awaited or {}
    done = [n for n, names in awaited.items() if all(hub.settled(socket, o) for o in names)]
    socket.awaited = {n: awaited[n] for n in awaited.keys() - set(done)} or None
    return [Ready(frame(live=n)).bytes_for(0) for n in done]
