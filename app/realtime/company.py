"""Who else is where a screen is: which sockets may be noted, which may hear, and what they see.

Nothing here asks the database: a right to a topic is what the topic's own drawing has found.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from app.realtime.limits import RESTART, TRY_LATER
from app.realtime.presence import Doing, Key, Presence, Present
from app.realtime.topics import Listener, frame
from app.realtime.watch import Topic

if TYPE_CHECKING:
    from app.realtime.hub import Hub
    from app.realtime.socket import Socket

LINGER = 1.0  # seconds after an orderly end: a page that is only loaded anew does not flicker
GRACE = 1.0  # seconds more than Redis says: a screen clears by itself only if no worker does it
# Not the person's doing: the page comes back in a moment, to another worker perhaps. Or it does
# not (a closed laptop), and then what Redis holds runs out.
NOT_THEIRS = frozenset({1006, 1011, RESTART, TRY_LATER})


class Beat(NamedTuple):
    """The last that one page has said of itself."""

    at: float
    typing: bool


class Company:
    def __init__(self, hub: Hub, presence: Presence, here_for: float, typing_for: float) -> None:
        self._hub, self._presence = hub, presence
        self._here_for, self._typing_for = here_for, typing_for
        self._beats: dict[Key, dict[Socket, Beat]] = {}
        self._shown: dict[str, set[Socket]] = {}  # topic → screens that have been told of somebody
        self._timers: dict[str, asyncio.TimerHandle] = {}  # topic → when the first runs out
        presence.on_answer = self._show
        hub.on_left = self.left

    def is_theirs(self, socket: Socket, name: str) -> bool:
        """It has been drawn for them, and nothing has said since that it is not theirs."""
        topic = socket.shown.get(name)
        if topic is None or socket.unsure:
            return False
        if any(some and name in some for some in (socket.unproven, socket.gone, socket.forced)):
            return False
        drawing = topic.drawings.get(topic.look(socket.listener))
        return drawing is None or drawing.ready_for(socket.listener.person_id) is not None

    # --- being noted

    def note(self, socket: Socket, name: str, typing: bool) -> None:
        """A page says that it is looked at, or typed in. It is noted as far as they allow it."""
        topic, listener = socket.shown.get(name), socket.listener
        if topic is None or topic.kind.company is None or not self.is_theirs(socket, name):
            return
        typing = typing and listener.shows_typing
        if typing or listener.shows_here:
            key = (name, listener.person_id)
            self._beats.setdefault(key, {})[socket] = Beat(time.monotonic(), typing)
            self._say(key, listener.name)
            return
        self._forget(socket, name, after=0)  # who shows only that they type, and has ended
        if socket not in self._shown.get(name, ()):
            self._presence.ask(name)  # their word brings nobody a hint, but who is there they see

    def _say(self, key: Key, name: str) -> None:
        """What all pages say together that somebody has open at this worker."""
        now, beats = time.monotonic(), self._beats[key].values()
        typing = any(beat.typing and now - beat.at < self._typing_for for beat in beats)
        self._presence.say(key, Doing(name, typing), max(beat.at for beat in beats))

    def left(self, socket: Socket, name: str) -> None:
        """The screen does not show the topic any more, or may not."""
        if socket.company:
            socket.company.pop(name, None)
        self._see_nobody(socket, name)
        cut = name in socket.shown or socket.unsure
        self._forget(socket, name, after=0 if cut else LINGER)
        if name not in self._hub.topics and (timer := self._timers.pop(name, None)):
            timer.cancel()

    def _forget(self, socket: Socket, name: str, after: float) -> None:
        key = (name, socket.listener.person_id)
        beats, now = self._beats.get(key), time.monotonic()
        if beats is None or beats.pop(socket, None) is None:
            return
        if any(now - beat.at < self._here_for for beat in beats.values()):
            self._say(key, socket.listener.name)
            return
        if not beats:
            del self._beats[key]
        if socket.closed in NOT_THEIRS:
            self._presence.forget(key)
        else:
            self._presence.leave(key, after)

    def reconsider(self, socket: Socket) -> None:
        """Their rights have been read again: what they allow, and from whom they are kept apart."""
        listener = socket.listener
        for name, topic in socket.shown.items():
            if topic.kind.company is None:
                continue
            beat = self._beats.get((name, listener.person_id), {}).get(socket)
            if beat and not listener.shows_here and not (beat.typing and listener.shows_typing):
                self._forget(socket, name, after=0)
            elif beat and not listener.shows_typing:
                self._beats[name, listener.person_id][socket] = beat._replace(typing=False)
                self._say((name, listener.person_id), listener.name)
            if socket.company:  # was made for who they were
                socket.company.pop(name, None)
            self._presence.ask(name)

    # --- hearing

    def hear(self, name: str) -> None:
        """Something has changed there, on any worker."""
        topic = self._hub.topics.get(name)
        if topic is not None and topic.kind.company is not None:
            self._presence.ask(name)

    def _show(self, name: str, present: Sequence[Present], lasts: float) -> None:
        """`lasts`: seconds until the first of them runs out, if nothing more is heard of them."""
        topic = self._hub.topics.get(name)
        if timer := self._timers.pop(name, None):
            timer.cancel()
        if topic is None:
            return
        if present:
            loop = asyncio.get_running_loop()
            self._timers[name] = loop.call_later(lasts, self._presence.ask, name)
        until = time.monotonic() + lasts + GRACE
        drawn: dict[tuple[tuple[int, ...], str], str] = {}
        shown = self._shown.get(name, ())
        for socket in topic.watchers:
            if socket.gone and name in socket.gone:
                continue
            html = _drawn_for(socket.listener, topic, present, drawn)
            if html or socket in shown:
                socket.accompany(name, html, until)
            elif socket.company:
                socket.company.pop(name, None)

    def frames_for(self, socket: Socket) -> Iterator[str]:
        """What waits for a screen; it is asked now whether it may be told, not when it came up.

        What may become theirs, or again be, waits until that has been drawn.
        """
        waiting, socket.company = socket.company or {}, None
        for name, (html, until) in waiting.items():
            topic = self._hub.topics.get(name)
            if topic is None or topic.behind or not self.is_theirs(socket, name):
                socket.company = {**(socket.company or {}), name: (html, until)}
                continue
            left = round((until - time.monotonic()) * 1000)
            if html and left > 0:
                self._shown.setdefault(name, set()).add(socket)
            else:
                html, left = "", max(1, left)
                self._see_nobody(socket, name)
            yield frame(topic=name, ttl=left, html=html)

    def _see_nobody(self, socket: Socket, name: str) -> None:
        if shown := self._shown.get(name):
            shown.discard(socket)
            if not shown:
                del self._shown[name]

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        await self._presence.close()


def _drawn_for(
    listener: Listener,
    topic: Topic,
    present: Sequence[Present],
    drawn: dict[tuple[tuple[int, ...], str], str],
) -> str:
    """Drawn once for all to whom the same people are shown; empty: nobody else is there."""
    apart = {listener.person_id, *listener.apart}
    others = [one for one in present if one.person_id not in apart]
    if not others or topic.kind.company is None:
        return ""
    look = (tuple(one.person_id for one in others), listener.locale)
    if look not in drawn:
        drawn[look] = topic.kind.company(others, listener.locale)
    return drawn[look]
