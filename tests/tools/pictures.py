"""Pictures as phones, cameras and troublemakers send them."""

from __future__ import annotations

import random
import struct
import zlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import delete

from app import clock, db
from app.queue import Job
from app.settings import settings
from app.tools import album, photos

SIDEWAYS = 6  # EXIF orientation: the top of the scene is at the right of the file
RED, BLUE = (220, 30, 30), (30, 30, 220)


def encoded(picture: Image.Image, kind: str = "JPEG", **more: Any) -> bytes:
    content = BytesIO()
    picture.save(content, kind, **more)
    return content.getvalue()


def plain(width: int = 60, height: int = 40, kind: str = "JPEG") -> bytes:
    return encoded(Image.new("RGB", (width, height), RED), kind)


def from_a_phone(kind: str = "JPEG") -> bytes:
    """60 × 40 on file, held upright; the red half is the top. Says where, when and with what."""
    picture = Image.new("RGB", (60, 40), BLUE)
    picture.paste(RED, (0, 0, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = SIDEWAYS
    exif[0x010F] = "Elm Camera Works"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 24.0, 36.0)
    more: dict[str, Any] = {"exif": exif}
    if kind == "JPEG":
        more["comment"] = b"11 Elm Street, key under the mat"
    if kind in ("JPEG", "WEBP"):
        more["xmp"] = b"<x:xmpmeta>Elm Street</x:xmpmeta>"
    return encoded(picture, kind, **more)


def bomb(width: int = 100_000, height: int = 100_000) -> bytes:
    """A PNG of a few bytes that says how large it would be."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def random_bytes(size: int) -> bytes:
    """The same each time; no packer makes them smaller."""
    return random.Random(size).randbytes(size)


def folder() -> Path:
    """Where the tests' photos are."""
    return settings.data_dir / "photos"


async def kept() -> set[Path]:
    """The files there are, once all copies are made, and those gone that were taken off by now."""
    soon = clock.now() + timedelta(minutes=5)  # what a worker is at, too; not what waits for a tool
    async with db.begin() as tx:
        for name, act in ((photos.FINISH, photos.finish), (album.GONE, album.discard)):
            jobs = delete(Job).where(Job.name == name, Job.run_at <= soon).returning(Job.key)
            for key in (await tx.scalars(jobs)).all():
                await act(tx, key, clock.now())
    return set(folder().glob("*"))


async def finished(stored: photos.Stored) -> None:
    """As the job does it."""
    async with db.begin() as tx:
        await photos.finish(tx, f"1/{stored.name}", clock.now())


def copies(stored: photos.Stored) -> dict[tuple[int, str], Path]:
    return {
        (width, ending): folder() / photos.name_of(stored.name, width, ending)
        for width, ending in photos.COPIES
    }
