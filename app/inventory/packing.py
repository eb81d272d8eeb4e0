"""Photos in a zip: written as it is read by who fetches it, and read within bounds."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import IO, cast

from app import storage
from app.errors import Refusal
from app.inventory.columns import file_name
from app.settings import settings

BYTES = 100 * 1024 * 1024
FILES = 5000
LISTED = FILES * 1024  # bytes of the list of what is in it: it is in memory before we can count
UNPACKED = 1024 * 1024 * 1024
RATIO = 100  # no photo is smaller than a hundredth of itself
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, OSError, ValueError)  # a name, or a place, that is none


def names_in(file: IO[bytes]) -> frozenset[str]:
    """The photos in a zip by their bare names. Raises Refusal (422, field `photos_zip`)."""
    with _opened(cast("IO[bytes]", _Listed(file))) as archive:
        return frozenset(_entries(archive))


def read(file: Path, name: str) -> bytes:
    """One photo out of a zip whose names were read, whatever its header says of its size.

    Raises Refusal.
    """
    with _opened(file) as archive:
        entry = _entries(archive).get(name)
        if entry is None:
            raise _refused(f"{name} is not in the zip.")
        try:
            with archive.open(entry) as packed:
                content = packed.read(settings.photo_bytes + 1)
        except (*_BROKEN, zlib.error, EOFError, RuntimeError) as error:
            raise _refused(f"{name} in the zip is damaged.", "Pack it anew.") from error
    if len(content) > settings.photo_bytes:
        raise _too_large(name)
    return content


async def write(photos: Iterable[tuple[str, str]]) -> AsyncIterator[bytes]:
    """The zip piece by piece: what is in it has been compressed already.

    Raises StorageError in the middle of it: a zip that was cut off is none.
    """
    out = _Drained()
    with zipfile.ZipFile(cast("IO[bytes]", out), "w", zipfile.ZIP_STORED) as archive:
        for name, kept in photos:
            content = await storage.kept().read(kept)
            if content is not None:
                # A fixed date: the same photos are the same file.
                archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
                yield out.drain()
    yield out.drain()


class _Drained:
    """Takes what zipfile writes, and forgets what was handed on: it is never gone back in."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, content: bytes) -> int:
        self._held += content
        return len(content)

    def flush(self) -> None:
        """There is nothing behind it."""

    def drain(self) -> bytes:
        content = bytes(self._held)
        self._held.clear()
        return content


class _Listed:
    """A zip's file of which zipfile cannot read a list that is longer than any we take."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > LISTED:
            raise _too_many()
        return self._file.read(size)


def _opened(file: Path | IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (*_BROKEN, NotImplementedError) as error:
        raise _refused("That is not a zip.", "Pack the photos into one, and send that.") from error


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    listed = archive.infolist()
    if len(listed) > FILES:
        raise _too_many()
    if sum(entry.file_size for entry in listed) > UNPACKED:
        raise _refused("Unpacked, the zip would be larger than 1 GB.", "Divide it into several.")
    for entry in listed:
        name = file_name(entry.filename)
        if entry.is_dir() or not name or name.startswith(".") or "__MACOSX" in entry.filename:
            continue
        if entry.flag_bits & 1:
            raise _refused("The zip has a password.", "Pack it without one.")
        if entry.compress_type not in _PLAIN:
            raise _refused(f"{name} is packed in a way that we cannot read.", "Pack it as usual.")
        if entry.file_size > settings.photo_bytes:
            raise _too_large(name)
        if entry.file_size > 1024 and entry.file_size > RATIO * max(entry.compress_size, 1):
            raise _refused(f"{name} is not a photo: it is packed too tightly.", "Leave it out.")
        if name in found:
            raise _refused(f"Two files in the zip are called {name}.", "Rename one of them.")
        found[name] = entry
    return found


def _too_many() -> Refusal:
    return _refused(f"The zip has more than {FILES:,} files.", "Divide it into several.")


def _too_large(name: str) -> Refusal:
    return _refused(
        f"{name} is larger than {settings.photo_bytes // 1024**2} MB.", "Make it smaller first."
    )


def _refused(sentence: str, way_out: str | None = None) -> Refusal:
    return Refusal(sentence, way_out, status=422, code="photos_zip", field_name="photos_zip")
