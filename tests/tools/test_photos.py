"""Whatever is sent as a photo: a picture without its secrets, or a clear refusal."""

from __future__ import annotations

import asyncio
import random

import pytest
from PIL import Image

from app import storage
from app.errors import Refusal
from app.settings import settings
from app.storage.folder import Folder
from app.tools import developing, photos
from tests.tools import pictures

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("whole", [True, False], ids=["at once", "by the job"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_photo_stands_upright_and_tells_nothing_of_where_it_was_taken(
    kind: str, whole: bool
) -> None:
    stored = await photos.store(pictures.from_a_phone(kind), whole=whole)
    if not whole:
        await pictures.finished(stored)
    assert (stored.width, stored.height) == (40, 60)
    for (_, ending), file in pictures.copies(stored).items():
        content = file.read_bytes()
        for secret in (b"Elm", b"Exif", b"xmp", b"XMP", b"GPS"):
            assert secret not in content, f"{secret!r} in {ending}"
        with Image.open(file) as copy:
            assert copy.size == (40, 60)
            assert dict(copy.getexif()) == {}
            colours = copy.convert("RGB")
        top, bottom = colours.getpixel((20, 8)), colours.getpixel((20, 52))
        assert isinstance(top, tuple)
        assert isinstance(bottom, tuple)
        assert top[0] > 150 > top[2]
        assert bottom[2] > 150 > bottom[0]


async def test_a_large_photo_is_kept_in_two_sizes() -> None:
    stored = await photos.store(pictures.plain(3000, 2000), whole=True)
    assert (stored.width, stored.height) == (1200, 800)
    for (width, ending), file in pictures.copies(stored).items():
        with Image.open(file) as copy:
            assert copy.size == (width, width * 2 // 3)
            assert copy.format == {"webp": "WEBP", "jpg": "JPEG"}[ending]


async def test_a_small_photo_is_not_blown_up() -> None:
    stored = await photos.store(pictures.plain(3, 2))
    assert (stored.width, stored.height) == (3, 2)


@pytest.mark.parametrize("size", [(50_000, 1), (1, 50_000), (1, 1)])
async def test_a_strange_shape_is_still_a_photo(size: tuple[int, int]) -> None:
    stored = await photos.store(pictures.plain(*size, kind="PNG"))
    assert 1 <= stored.width <= 1200
    assert 1 <= stored.height <= 2400


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
async def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    if mode == "P":
        content = pictures.encoded(Image.new("P", (20, 20), 0), "PNG", transparency=0)
    elif mode == "PA":
        content = pictures.encoded(clear, "WEBP", lossless=True)
    else:
        content = pictures.encoded(clear.convert(mode), "PNG")
    stored = await photos.store(content, whole=True)
    for file in pictures.copies(stored).values():
        with Image.open(file) as copy:
            assert copy.convert("RGB").getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "I;16"])
async def test_other_colours_are_taken_or_refused_but_never_break(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    content = pictures.encoded(Image.new(mode, (20, 20)), kind)
    try:
        stored = await photos.store(content)
    except Refusal as refusal:
        sentence = refusal.sentence
    else:
        sentence = f"{stored.width}"
    assert sentence in ("20", "That file is not a photo we can read.")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WEBP",
        SVG,
        b"<?xml version='1.0'?>" + SVG,
        b"%PDF-1.7",
        b"\xff\xd8\xff\xe0<?php system($_GET['x']); ?>",
        b"\x00" * 10_000,
    ],
)
async def test_a_fake_is_refused_and_leaves_nothing_behind(content: bytes) -> None:
    before = await pictures.kept()
    with pytest.raises(Refusal, match="not a photo we can read") as refused:
        await photos.store(content)
    assert (refused.value.status, refused.value.field_name) == (422, "photo")
    assert refused.value.way_out == "Choose a JPEG, PNG or WebP picture."
    assert await pictures.kept() == before


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM"])
async def test_other_formats_are_refused_though_they_are_pictures(kind: str) -> None:
    with pytest.raises(Refusal, match="not a photo we can read"):
        await photos.store(pictures.plain(20, 20, kind))


async def test_a_photo_that_was_cut_off_on_its_way_is_refused() -> None:
    whole = pictures.encoded(Image.effect_noise((400, 300), 90).convert("RGB"))
    for part in (len(whole) // 2, 700):
        with pytest.raises(Refusal, match="not a photo we can read"):
            await photos.store(whole[:part])


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(100_000, 100_000), (10_000, 9_000), (10_000, 5_001)])
async def test_a_picture_that_would_fill_the_memory_is_refused_unopened(
    size: tuple[int, int],
) -> None:
    with pytest.raises(Refusal, match="too many pixels"):
        await photos.store(pictures.bomb(*size))


async def test_too_many_bytes_are_refused_before_they_are_looked_at() -> None:
    content = pictures.plain() + b"\0" * settings.photo_bytes
    with pytest.raises(Refusal, match="larger than 10 MB"):
        await photos.store(content)
    fits = pictures.plain()
    fits += b"\0" * (settings.photo_bytes - len(fits))
    assert (await photos.store(fits)).width == 60


async def test_two_at_once_are_two_photos() -> None:
    first, second, fake = await asyncio.gather(
        photos.store(pictures.plain(30, 20)),
        photos.store(pictures.plain(20, 30)),
        photos.store(b"fake"),
        return_exceptions=True,
    )
    assert isinstance(first, photos.Stored)
    assert isinstance(second, photos.Stored)
    assert isinstance(fake, Refusal)
    assert first.name != second.name
    assert (first.width, second.width) == (30, 20)


async def test_the_name_is_ours_alone_and_says_nothing() -> None:
    stored = await photos.store(pictures.plain())
    assert len(stored.name) == 32
    assert set(stored.name) <= set("0123456789abcdef")
    assert (await photos.store(pictures.plain())).name != stored.name


async def test_what_is_discarded_is_gone_and_may_be_discarded_again() -> None:
    before = await pictures.kept()
    stored = await photos.store(pictures.plain())
    assert len(await pictures.kept() - before) == 2, "what takes longer is made later"
    await pictures.finished(stored)
    assert len(await pictures.kept() - before) == 4
    await photos.discard(stored)
    await photos.discard(stored)
    assert await pictures.kept() == before


async def test_without_room_nothing_half_written_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await pictures.kept()
    blocked = pictures.folder().parent / "no-folder"
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("a file where a folder should be")
    monkeypatch.setattr(storage, "_chosen", Folder(blocked))
    with pytest.raises(Refusal, match="nothing can be stored") as refused:
        await photos.store(pictures.plain())
    assert refused.value.status == 503
    monkeypatch.undo()
    assert await pictures.kept() == before


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it skips
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_with_any_bytes_broken_is_a_photo_or_refused(kind: str) -> None:
    chance, whole = random.Random(kind), pictures.from_a_phone(kind)
    outcomes = {"kept": 0, "refused": 0}
    for _ in range(1500):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            content[chance.randrange(min(len(content), 500))] = chance.randrange(256)
        try:
            developing.decoded(bytes(content))
            outcomes["kept"] += 1
        except Refusal:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 0
