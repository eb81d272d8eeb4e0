"""Frames that fit many sockets: framed once, compressed once for each window that is in use."""

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from app.realtime.frames import SETTINGS

SQUEEZED_FROM = 200  # bytes: below, the few that are saved are not worth a decoder's work


class Ready:
    """One text as finished websocket frames: made once, written as the same bytes to all."""

    __slots__ = ("_squeezable", "text", "windows")

    def __init__(self, text: str, *, squeezable: bool = False) -> None:
        self.text = text
        self._squeezable = squeezable
        plain = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
        self.windows: dict[int, bytes] = {0: plain}  # bits of the window → bytes

    def bytes_for(self, window: int) -> bytes:
        """For a socket that has agreed on this window."""
        found = self.windows.get(window)
        if found is None:
            found = self.windows[window] = self._squeeze(window)
        return found

    def _squeeze(self, window: int) -> bytes:
        plain = self.windows[0]
        if not self._squeezable or len(plain) < SQUEEZED_FROM:
            return plain
        frame = Frame(Opcode.TEXT, self.text.encode())
        deflate = PerMessageDeflate(True, True, window, window, SETTINGS)
        squeezed = frame.serialize(mask=False, extensions=[deflate])
        return squeezed if len(squeezed) < len(plain) else plain
