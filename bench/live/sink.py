"""The screens where there is no C compiler: what sink.c is told and tells, in Python."""

from __future__ import annotations

import json
import random
import re
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

BROWSER = Path(__file__).with_name("browser.txt").read_text().replace("\n", "\r\n")
OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
TOPIC, VERSION = re.compile(rb'"topic":"t1/x/(\d+)"'), re.compile(rb'"version":(\d+)')
AN_ADDRESS, QUIET, LARGE = 500, 1000, 30


@dataclass(eq=False)
class Screen:
    place: int
    versions: dict[int, int]
    line: socket.socket | None = None
    came: bytes = b""
    greeted: bool = False
    deflated: bool = False
    small: int = 0
    ready: bool = False


@dataclass
class Sink:
    commands: socket.socket
    screens: list[Screen] = field(default_factory=list)
    base: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(64), 0))
    watchers: Counter[int] = field(default_factory=Counter)
    have: Counter[tuple[int, int]] = field(default_factory=Counter)
    first: dict[tuple[int, int], int] = field(default_factory=dict)
    again: list[tuple[float, Screen]] = field(default_factory=list)
    text: bytes = b""
    frames: int = 0
    size: int = 0
    lost: int = 0
    retries: int = 0
    served: int = 0
    began: int = 0

    def run(self) -> None:
        self.poll = selectors.DefaultSelector()
        self.poll.register(self.commands, selectors.EVENT_READ)
        while True:
            for key, _ in self.poll.select(0.02 if self.again else None):
                if isinstance(key.data, Screen):
                    self._hear(key.data)
                else:
                    self._obey()
            due = [one for at, one in self.again if at <= time.monotonic()]
            self.again = [(at, one) for at, one in self.again if one not in due]
            for one in due:
                self._open(one)

    def tell(self, *words: object) -> None:
        self.commands.sendall(" ".join(map(str, words)).encode() + b"\n")

    # --- commands

    def _obey(self) -> None:
        came = self.commands.recv(65_536)
        if not came:
            sys.exit()
        *lines, self.text = (self.text + came).split(b"\n")
        for line in lines:
            word, *numbers = line.decode().split()
            self._do(word, [int(number) for number in numbers])

    def _do(self, word: str, numbers: list[int]) -> None:
        match word:
            case "watch":
                self.start, self.of, self.each, self.pads = numbers
            case "base":
                self.base[numbers[0]] = numbers[1]
            case "open":
                count, self.port, self.person, self.offer, _, self.buffer = numbers
                self.screens = [Screen(place, dict(self.base)) for place in range(count)]
                self._open_all()
            case "reopen":
                for one in self.screens:
                    self._drop(one)
                self._open_all()
            case "stall":
                for one in self.screens:
                    if one.line:
                        self.poll.unregister(one.line)
            case "stats":
                self.tell("stats", self.frames, self.size, self.lost)

    # --- the handshake

    def _topics(self, one: Screen) -> list[int]:
        return [self.start + (one.place * self.each + n) % self.of for n in range(self.each)]

    def _open_all(self) -> None:
        self.watchers = Counter(topic for one in self.screens for topic in self._topics(one))
        self.retries = self.lost = 0
        for one in self.screens:
            self._open(one)

    def _open(self, one: Screen) -> None:
        """One after the other: each is connected before the next begins."""
        person = self.person + one.place
        home = 2 + person // AN_ADDRESS
        line = socket.socket()
        if self.buffer:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            line.bind((f"127.0.{home // 250}.{home % 250 + 1}", 0))
            line.connect(("127.0.0.1", self.port))
            words = {"1": str(self.port), "2": str(person)}
            text = re.sub(r"%(\d)\$d", lambda found: words[found[1]], BROWSER)
            line.sendall((text + OFFER * self.offer + "\r\n").encode())
        except OSError:
            line.close()
            self._fail(one)
            return
        one.line = line
        self.poll.register(line, selectors.EVENT_READ, one)

    def _drop(self, one: Screen) -> None:
        if one.line:
            if one.line.fileno() in self.poll.get_map():
                self.poll.unregister(one.line)
            one.line.close()
        self.served -= one.ready
        one.line, one.came, one.small = None, b"", 0
        one.greeted = one.deflated = one.ready = False

    def _fail(self, one: Screen) -> None:
        if one.ready:
            self.lost += 1
            self.tell("lost", self.lost)
        else:
            self.retries += 1
            self.again.append((time.monotonic() + random.uniform(0.25, 0.75), one))
        self._drop(one)

    def _greeted(self, one: Screen) -> bool:
        head, found, rest = one.came.partition(b"\r\n\r\n")
        if not found:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self._fail(one)
            return False
        one.greeted, one.came = True, rest
        one.deflated = b"permessage-deflate" in head.lower()
        wanted = {f"t1/x/{topic}": one.versions[topic] for topic in self._topics(one)}
        pads = range(one.place * self.pads, (one.place + 1) * self.pads)
        wanted |= {f"t1/pad/{n % QUIET}": 0 for n in pads}
        self._say(one, 1, json.dumps({"watch": wanted, "n": 1}).encode())
        return True

    def _say(self, one: Screen, opcode: int, text: bytes) -> None:
        size = len(text)
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFE, size >> 8, size & 255])
        assert one.line, "it is open"
        one.line.sendall(bytes([0x80 | opcode]) + length + bytes(4) + text)

    # --- what arrives

    def _hear(self, one: Screen) -> None:
        if one.line is None:
            return
        try:
            came = one.line.recv(65_536)
        except OSError:
            came = b""
        if not came:
            self._fail(one)
            return
        at = time.monotonic_ns()
        self.size += len(came)
        one.came += came
        if one.greeted or self._greeted(one):
            while self._frame(one, at):
                pass

    def _frame(self, one: Screen, at: int) -> bool:
        came = one.came
        if len(came) < 2:
            return False
        wide = {126: 2, 127: 8}.get(came[1] & 127, 0)
        size = int.from_bytes(came[2 : 2 + wide], "big") if wide else came[1] & 127
        end = 2 + wide + size
        if len(came) < end:
            return False
        one.came = came[end:]
        self._take(one, came[0], came[2 + wide : end], at)
        return one.line is not None

    def _take(self, one: Screen, start: int, text: bytes, at: int) -> None:
        if start & 15 == 9:
            self._say(one, 10, text)
        elif start & 15 == 8:
            self._fail(one)
        if start & 15 != 1:
            return
        self.frames += 1
        topic, version = TOPIC.search(text, 0, 160), VERSION.search(text, 0, 160)
        if start & 0x40 and one.ready and len(text) >= LARGE:
            self._has(one, self.start, one.versions[self.start] + 1, at)
        elif topic and version:
            self._has(one, int(topic[1]), int(version[1]), at)
        elif text.startswith(b'{"live":') or one.deflated:
            one.small += 1
            if not one.ready and (not one.deflated or one.small == 2):
                self._served(one, at)

    def _served(self, one: Screen, at: int) -> None:
        one.ready = True
        self.served += 1
        self.began = at if self.served == 1 else self.began
        if self.served == len(self.screens):
            self.tell("ready", self.began, at, self.retries)

    def _has(self, one: Screen, topic: int, version: int, at: int) -> None:
        for step in range(one.versions[topic] + 1, version + 1):
            self.first.setdefault((topic, step), at)
            self.have[topic, step] += 1
            if self.have[topic, step] == self.watchers[topic]:
                del self.have[topic, step]
                self.tell("all", topic, step, self.first.pop((topic, step)), at)
        one.versions[topic] = max(version, one.versions[topic])


if __name__ == "__main__":
    Sink(socket.socket(fileno=int(sys.argv[1]))).run()
