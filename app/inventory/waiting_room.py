"""The files of an import, kept under a random name until it is over."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
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
