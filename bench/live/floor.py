"""The floor where there is no C compiler: what floor.c does, in a bare loop of Python's."""

from __future__ import annotations

import selectors
import socket
import sys

ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: not-checked-by-the-sink====\r\n\r\n"
    b'\x81\x0c{"epoch":""}\x81\x0a{"live":1}'
)


def frame(text: bytes) -> bytes:
    size = len(text)
    head = bytes([0x81, size]) if size < 126 else bytes([0x81, 126, size >> 8, size & 255])
    return head + text


class Floor:
    def __init__(self, commands: socket.socket, listener: socket.socket) -> None:
        self._commands, self._listener = commands, listener
        self._open: dict[socket.socket, bool] = {}  # whether it has been greeted
        self._poll = selectors.DefaultSelector()
        for one in (commands, listener):
            self._poll.register(one, selectors.EVENT_READ)
        self._text = b""

    def run(self) -> None:
        while True:
            for key, _ in self._poll.select():
                one = key.fileobj
                if one is self._commands:
                    self._obey()
                elif one is self._listener:
                    self._let_in()
                elif isinstance(one, socket.socket):
                    self._hear(one)

    def _let_in(self) -> None:
        one, _ = self._listener.accept()
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open[one] = False
        self._poll.register(one, selectors.EVENT_READ)

    def _hear(self, one: socket.socket) -> None:
        if not one.recv(65_536):
            self._poll.unregister(one)
            del self._open[one]
            one.close()
        elif not self._open[one]:
            self._open[one] = True
            one.sendall(ANSWER)

    def _obey(self) -> None:
        came = self._commands.recv(65_536)
        if not came:
            sys.exit()
        *lines, self._text = (self._text + came).split(b"\n")
        for line in lines:
            _, times, text = line.split(b" ", 2)
            ready = frame(text)
            for _ in range(int(times)):
                for one in self._open:
                    one.send(ready)
            self._commands.sendall(b"written\n")


if __name__ == "__main__":
    Floor(*(socket.socket(fileno=int(number)) for number in sys.argv[1:3])).run()
