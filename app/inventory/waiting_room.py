"""The files of an import, kept under a random name until it is over."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO

from app.errors import Refusal
from app.settings import settings


def folder() -> Path:
    return settings.data_dir / "imports"


def table(stored: str) -> Path:
    return folder() / f"{stored}.csv"


def zipped(stored: str) -> Path:
    return folder() / f"{stored}.zip"


def keep(content: bytes, photos: IO[bytes] | None) -> str:
    """Answers the name. Raises Refusal (507) where there is no room."""
    stored = secrets.token_hex(16)
    try:
        folder().mkdir(parents=True, exist_ok=True)
        table(stored).write_bytes(content)
        if photos is not None:
            photos.seek(0)
            with zipped(stored).open("wb") as out:
                shutil.copyfileobj(photos, out)
    except OSError as error:
        discard(stored)
        raise Refusal(
            "The table could not be kept: there is no room.",
            "Try it without photos.",
            status=507,
            field_name="table",
        ) from error
    return stored


def discard(stored: str) -> None:
    for file in (table(stored), zipped(stored)):
        with suppress(OSError):
            file.unlink()


def sweep(named: Collection[str], older: timedelta) -> None:
    """Removes the files that no import names: its transaction was rolled back, or cut off."""
    until = time.time() - older.total_seconds()
    for file in folder().glob("*"):
        with suppress(OSError):
            if file.stem not in named and file.stat().st_mtime < until:
                file.unlink()
