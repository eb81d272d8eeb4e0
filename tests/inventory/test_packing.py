"""Zips of photos as people and troublemakers pack them: bounded before anything is unpacked."""

from __future__ import annotations

import secrets
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from app import storage
from app.errors import Refusal
from app.inventory import packing
from app.settings import settings
from tests.inventory.tables import zipped
from tests.tools import pictures


def lying(name: str, content: bytes, says: int) -> BytesIO:
    """A zip whose directory says another size of what is in it."""
    out = zipped({name: content})
    whole = bytearray(out.getvalue())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = whole.index(mark) + at
        whole[place : place + 4] = struct.pack("<I", says)
    return BytesIO(bytes(whole))


def locked() -> BytesIO:
    whole = bytearray(zipped({"a.jpg": b"x"}).getvalue())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(mark) + at] |= 1
    return BytesIO(bytes(whole))


def endless() -> BytesIO:
    """A zip that says its list is longer than any we take; zipfile would read all of it first."""
    size = packing.LISTED + 1
    out = BytesIO(b"\0" * size)
    out.seek(size)
    out.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0))
    return out


def misnamed() -> BytesIO:
    """What stands before the photo calls it otherwise than the list does, and not in UTF-8."""
    whole = bytearray(zipped({"ü.jpg": pictures.plain()}).getvalue())
    whole[whole.index("ü".encode())] = 0xFF
    return BytesIO(bytes(whole))


def on_disk(content: BytesIO, folder: Path) -> Path:
    file = folder / "photos.zip"
    file.write_bytes(content.getvalue())
    return file


def test_folders_and_what_computers_add_are_passed_over() -> None:
    files = {
        "C:\\Photos\\one.jpg": b"1",
        "../../etc/two.jpg": b"2",
        "/three.jpg": b"3",
        "__MACOSX/._one.jpg": b"",
        ".DS_Store": b"",
        "empty/": b"",
    }
    assert packing.names_in(zipped(files)) == {"one.jpg", "two.jpg", "three.jpg"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BytesIO(b""), "not a zip"),
        (BytesIO(b"PK\x03\x04 but no more"), "not a zip"),
        (zipped({"a/x.jpg": b"1", "b/x.jpg": b"2"}), "called x.jpg"),
        (zipped({"bomb.jpg": b"\0" * 5_000_000}), "packed too tightly"),
        (lying("x.jpg", b"x", settings.photo_bytes + 1), "larger than 10 MB"),
        (lying("x.jpg", b"x", packing.UNPACKED + 1), "larger than 1 GB"),
        (zipped({f"{n}.jpg": b"" for n in range(packing.FILES + 1)}), "more than 5,000 files"),
        (zipped({"x.jpg": b"x" * 99}, zipfile.ZIP_LZMA), "in a way that we cannot read"),
        (locked(), "has a password"),
        (endless(), "more than 5,000 files"),
    ],
)
def test_what_is_no_zip_of_photos_is_refused_unopened(content: BytesIO, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        packing.names_in(content)
    assert refused.value.field_name == "photos_zip"


def test_a_photo_that_is_larger_than_it_says_is_not_unpacked_further(tmp_path: Path) -> None:
    noise = pictures.random_bytes(settings.photo_bytes + 99)
    file = on_disk(lying("x.jpg", noise, 4000), tmp_path)
    with file.open("rb") as opened:
        assert packing.names_in(opened) == {"x.jpg"}
    with pytest.raises(Refusal, match=r"x\.jpg"):
        packing.read(file, "x.jpg")


def test_a_damaged_photo_is_refused_by_its_name(tmp_path: Path) -> None:
    whole = bytearray(zipped({"x.jpg": pictures.plain(200, 200)}).getvalue())
    whole[60:90] = b"\xff" * 30
    file = on_disk(BytesIO(bytes(whole)), tmp_path)
    with pytest.raises(Refusal, match=r"x\.jpg in the zip is damaged"):
        packing.read(file, "x.jpg")


def test_a_photo_that_is_called_otherwise_inside_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"ü\.jpg in the zip is damaged"):
        packing.read(on_disk(misnamed(), tmp_path), "ü.jpg")


async def test_what_is_packed_piece_by_piece_is_a_zip() -> None:
    kept = []
    for n in range(3):
        kept.append((f"{n}.jpg", secrets.token_hex(8)))
        await storage.kept().put(kept[-1][1], pictures.plain(20 + n), "image/jpeg")
    pieces = [piece async for piece in packing.write([*kept, ("gone.jpg", "gone")])]
    for _, name in kept:
        await storage.kept().delete(name)
    assert len(pieces) == 4
    archive = zipfile.ZipFile(BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    assert archive.namelist() == ["0.jpg", "1.jpg", "2.jpg"]
    assert archive.read("2.jpg") == pictures.plain(22)
