"""A push service for tests: it takes what is sent to a browser, and the browser decrypts it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def content(said: str) -> bytes:
    return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))


@dataclass
class Device:
    """A browser's half: its keys, and what it has read."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def described(self) -> dict[str, str]:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.endpoint,
            "public_key": text(point),
            "auth": text(self.secret),
        }

    def reads(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"
        )
        said: dict[str, Any] = json.loads(plain)
        return said


@dataclass
class Came:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Service:
    """`answers` by path: a status other than 201; 0: none at all."""

    url: str = ""
    answers: dict[str, int] = field(default_factory=dict)
    came: asyncio.Queue[Came] = field(default_factory=asyncio.Queue)

    def device(self, name: str) -> Device:
        return Device(f"{self.url}/{name}")

    async def next(self) -> Came:
        return await asyncio.wait_for(self.came.get(), 20)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            lines = head.decode().split("\r\n")
            path = lines[0].split()[1]
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            original = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if status := self.answers.get(path, 201):
                writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
            named = {name.lower(): value for name, value in original.items()}
            self.came.put_nowait(Came(path, named, body))
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).strip()
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def open_service() -> AsyncIterator[Service]:
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()  # not waited for: the workers keep their connections


def claims_of(authorization: str) -> tuple[dict[str, Any], str]:
    """What a VAPID header claims and whose key signed it; raises if the signature is wrong."""
    fields = dict(part.strip().split("=", 1) for part in authorization[len("vapid ") :].split(","))
    signed, _, signature = fields["t"].rpartition(".")
    raw = content(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), content(fields["k"]))
    key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(content(signed.split(".")[1])), fields["k"]
