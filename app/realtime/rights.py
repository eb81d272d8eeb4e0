"""A person's rights have changed: what their sockets do until they are read, and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.realtime.limits import SIGNED_OUT
from app.realtime.topics import Listener, frame

if TYPE_CHECKING:
    from app.realtime.socket import Socket


def recheck(socket: Socket) -> None:
    """The person's rights may have changed: until they are read, nothing more is sent."""
    socket.rights_stale, socket.clear = True, False
    if not socket.rereading and socket.closed is None:
        socket.rereading = True
        socket.engine.spawn(_reread(socket))


async def _reread(socket: Socket) -> None:
    """Drop what may no longer be heard, ask the personal topics again, or close."""
    while socket.rights_stale and socket.closed is None:
        socket.rights_stale = False
        found = await socket.engine.entrance.again(socket.listener.session_key)
        if found is None:
            socket.close(SIGNED_OUT)
            return
        _take(socket, found.listener, found.access)
        # No shared drawing from before the change may follow: its face may be another now.
        await socket.catch_up([name for name in socket.shown if name != socket.access])
    socket.rereading = False
    socket.wake()


def _take(socket: Socket, listener: Listener, access: int) -> None:
    former = socket.listener
    socket.listener, socket.locale = listener, listener.locale
    hub = socket.engine.hub
    for name, topic in list(socket.shown.items()):
        if name != socket.access and not socket.engine.topics.open_to(listener, name):
            version = (socket.unproven or {}).get(name, topic.watchers[socket])
            hub.leave(socket, name)
            socket.tell(frame(topic=name, version=version, html=None))
    if socket.closed is not None:
        return
    hub.rechecked(socket, socket.access, access)
    hub.force(socket, former)
    socket.engine.company.reconsider(socket)
    if socket.tells_access:
        socket.tell(frame(topic=socket.access, version=access))
