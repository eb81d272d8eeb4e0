"""A mail server for tests: it speaks SMTP on a real socket, keeps what it takes, and can refuse."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class Postbox:
    """`answers`: what it says to the next messages instead of taking them, such as `451 Later`.

    `says`: what it answers to a word of the protocol from now on; empty: nothing, ever.
    """

    taken: list[EmailMessage] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)  # the same, as they came
    answers: deque[str] = field(default_factory=deque)
    says: dict[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address: str) -> list[EmailMessage]:
        return [one for one in self.taken if address in str(one["To"])]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 postbox")
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0].upper()
            if word in self.says:
                if self.says[word]:
                    await say(self.says[word])
                continue
            match word:
                case "EHLO" | "HELO":
                    await say("250 postbox")
                case "RCPT" if self.answers and self.answers[0].startswith("55"):
                    await say(self.answers.popleft())
                case "DATA":
                    await say("354 go on")
                    content = await reader.readuntil(b"\r\n.\r\n")
                    await say(self._take(content[:-5]))
                case "QUIT":
                    await say("221 bye")
                    break
                case _:
                    await say("250 ok")
        writer.close()

    def _take(self, content: bytes) -> str:
        if self.answers:
            return self.answers.popleft()
        plain = content.replace(b"\r\n..", b"\r\n.")
        self.raw.append(plain.decode())
        self.taken.append(message_from_bytes(plain, policy=default))
        return "250 taken"


@asynccontextmanager
async def open_postbox() -> AsyncIterator[Postbox]:
    postbox = Postbox()
    server = await asyncio.start_server(postbox.serve, "127.0.0.1", 0)
    postbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield postbox


def text_of(message: EmailMessage) -> str:
    return _part(message, "plain")


def html_of(message: EmailMessage) -> str:
    return _part(message, "html")


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, f"no {kind} in it"
    return str(part.get_content())
