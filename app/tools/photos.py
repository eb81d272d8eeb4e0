"""Pictures of tools: checked, re-encoded without their metadata, kept under random names."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from app.errors import Refusal
from app.settings import settings

FORMATS = ("JPEG", "PNG", "WEBP")
WIDTHS = (480, 1200)  # the card, the tool's page; pixels
TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}
ONE_AT_A_TIME = asyncio.Semaphore(1)  # a decoded picture may take 200 MB

Image.MAX_IMAGE_PIXELS = settings.photo_pixels


@dataclass(frozen=True)
class Stored:
    """A picture on disk; width and height of the largest copy, in pixels."""

    name: str
    width: int
    height: int


def folder() -> Path:
    return settings.data_dir / "photos"


def path_of(name: str, width: int, ending: str) -> Path:
    return folder() / f"{name}-{width}.{ending}"


def check_size(size: int) -> None:
    """Raises Refusal for more bytes than we take; asked before they are read into memory."""
    if size > settings.photo_bytes:
        raise _refused(
            f"The photo is larger than {settings.photo_bytes // (1024 * 1024)} MB.",
            "Choose a smaller one.",
        )


async def store(content: bytes) -> Stored:
    """Checks and keeps a picture. Raises Refusal (422) for what is not one."""
    check_size(len(content))
    async with ONE_AT_A_TIME:
        return await asyncio.to_thread(_store, content)


def discard(stored: Stored) -> None:
    """Removes the files again, when the row that names them did not come to be."""
    for width in WIDTHS:
        for ending in TYPES:
            with suppress(OSError):  # what was refused is still told, whatever the disk says
                path_of(stored.name, width, ending).unlink()


def again(stored: Stored) -> Stored:
    """The same picture under a name of its own, for another tool. Raises OSError."""
    name = secrets.token_hex(16)
    for width in WIDTHS:
        for ending in TYPES:
            shutil.copyfile(path_of(stored.name, width, ending), path_of(name, width, ending))
    return Stored(name, stored.width, stored.height)


def _store(content: bytes) -> Stored:
    picture = _decoded(content)
    name = secrets.token_hex(16)
    size = (0, 0)
    try:
        folder().mkdir(parents=True, exist_ok=True)
        for width in WIDTHS:
            copy = picture.copy()
            copy.thumbnail((width, width * 2), Image.Resampling.LANCZOS)
            copy.save(path_of(name, width, "webp"), "WEBP", quality=80, method=4)
            copy.save(path_of(name, width, "jpg"), "JPEG", quality=82, optimize=True)
            size = copy.size
    except OSError as error:
        discard(Stored(name, 0, 0))
        raise Refusal(
            "The photo could not be kept: there is no room.",
            "List the tool without it for now.",
            status=507,
            field_name="photo",
        ) from error
    return Stored(name, *size)


def _decoded(content: bytes) -> Image.Image:
    """The picture upright, in plain colours, with nothing else the file carried."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > settings.photo_pixels:
                raise _refused("The photo has too many pixels.", "Choose a smaller one.")
            upright = ImageOps.exif_transpose(picture)
            if upright.mode in ("RGBA", "LA", "P"):
                ground = Image.new("RGB", upright.size, "white")
                layer = upright.convert("RGBA")
                ground.paste(layer, mask=layer.getchannel("A"))
                return ground
            plain = upright.convert("RGB")
            plain.info.clear()  # a JPEG's comment would be written again
            return plain
    except Refusal:
        raise
    except Image.DecompressionBombError as error:
        raise _refused("The photo has too many pixels.", "Choose a smaller one.") from error
    except Exception as error:  # Pillow raises whatever a broken file makes it stumble over
        raise _refused(
            "That file is not a photo we can read.", "Choose a JPEG, PNG or WebP picture."
        ) from error


def _refused(sentence: str, way_out: str) -> Refusal:
    return Refusal(sentence, way_out, status=422, code="photo", field_name="photo")
