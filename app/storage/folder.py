"""A folder on this machine, which all workers share."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from app.storage import StorageError

FULL = (errno.ENOSPC, errno.EDQUOT)
HALF = ".half"  # being written: never read, nobody's if it stays


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    async def put(self, name: str, content: bytes, kind: str) -> None:
        await asyncio.to_thread(self._put, name, content)

    async def read(self, name: str) -> bytes | None:
        return await asyncio.to_thread(self._read, name)

    async def delete(self, name: str) -> None:
        await asyncio.to_thread(self._delete, name)

    async def why_not(self, *, thoroughly: bool = False) -> str | None:
        try:
            if thoroughly:
                await self.put("check", b"1", "text/plain")
                await self.delete("check")
            elif self.path.exists() and not os.access(self.path, os.W_OK | os.X_OK):
                raise _error(PermissionError(errno.EACCES, "", str(self.path)))
        except StorageError as error:
            return error.sentence
        return None

    def _put(self, name: str, content: bytes) -> None:
        half = self.path / f"{name}.{secrets.token_hex(4)}{HALF}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with half.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # the row that will name it waits for the disk, too
            half.replace(self.path / name)
        except OSError as error:
            with suppress(OSError):
                half.unlink()
            raise _error(error) from error

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _error(error) from error

    def _delete(self, name: str) -> None:
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise _error(error) from error


def _error(error: OSError) -> StorageError:
    if error.errno in FULL:
        return StorageError("There is no room left for photos in DATA_DIR.", full=True)
    return StorageError(
        f"The folder for photos in DATA_DIR cannot be used: {error.strerror or error}."
    )
