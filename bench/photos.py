"""What a photo costs whoever sends it, and what is left to a job; beside decoding all of it."""

from __future__ import annotations

import asyncio
import re
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from app.errors import Refusal
from app.tools import developing, photos
from bench.figures import Cost, Section, rate
from bench.ground import ROOT, Ground, say
from bench.size import Size

CAMERA = (6000, 4000)  # 24 megapixels
HUGE = (20_000, 15_000)  # 300
MEGABYTE = 1024  # in kilobytes


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    say("Taking a photo")
    photo = await asyncio.to_thread(taken)
    section = Section(
        f"A photo of 24 megapixels, {len(photo) / 1e6:.1f} MB as JPEG, one after the other",
        per_second=True,
    )
    section.notes += await asyncio.to_thread(_memory, ground.folder, photo)
    _, copies = developing.developed(photo, whole=False)
    ours = copies[photos.FULL]

    async def round_once() -> None:
        times = range(size.photos)
        section.add("all its pixels, made 1,200 wide", _times(lambda: whole(photo), times))
        section.add("taken: both JPEGs", _times(lambda: _developed(photo), times))
        began = time.perf_counter()
        stored = [await photos.store(photo) for _ in times]
        section.add("taken and kept: photos.store", rate(len(times), time.perf_counter() - began))
        for one in stored:
            await photos.discard(one)
        section.add("its job: both WebPs", _times(lambda: developing.finished(ours), times))
        section.add("all four copies at once", _times(lambda: _developed(photo, True), times))

    yield section, round_once


def taken() -> bytes:
    """As grainy as a phone's at dusk: a smooth one would be decoded too fast."""
    up = Image.linear_gradient("L").resize(CAMERA)
    coarse = Image.effect_noise((750, 500), 60).resize(CAMERA, Image.Resampling.BICUBIC)
    picture = Image.merge("RGB", (up, coarse, Image.effect_noise(CAMERA, 12)))
    content = BytesIO()
    picture.save(content, "JPEG", quality=85)
    return content.getvalue()


def huge() -> bytes:
    """A PNG that says it is so large; nothing of that has to be there."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", *HUGE, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def whole(content: bytes) -> None:
    """The plain way: decoded, turned, made smaller."""
    with Image.open(BytesIO(content)) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((1200, 2400), Image.Resampling.LANCZOS)


def _developed(content: bytes, all_four: bool = False) -> None:
    developing.developed(content, whole=all_four)


def _refused(content: bytes) -> None:
    try:
        developing.developed(content, whole=False)
    except Refusal:
        return
    raise AssertionError("it was taken")


def _times(act: Callable[[], object], times: Sequence[int]) -> Cost:
    began = time.perf_counter()
    for _ in times:
        act()
    return rate(len(times), time.perf_counter() - began)


WAYS = {
    "all its pixels, made 1,200 wide": whole,
    "both JPEGs": _developed,
    "both WebPs, of our JPEG": developing.finished,
    "300 megapixels, refused": _refused,
}


def _memory(folder: Path, photo: bytes) -> list[str]:
    """Each in a process of its own, since a peak never goes down again."""
    _, copies = developing.developed(photo, whole=False)
    sent = [photo, photo, copies[photos.FULL], huge()]
    lines = ["Peak memory of it, above that of the process with the file in it:"]
    for way, content in zip(WAYS, sent, strict=True):
        file = folder / "photo"
        file.write_bytes(content)
        command = [sys.executable, "-m", "bench.photos", way, str(file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        lines.append(f"  {way}: {int(done.stdout) / MEGABYTE:.0f} MB")
    return lines


def _peak() -> int:
    """Kilobytes of this program alone; what getrusage tells holds its parent's, too."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line)


if __name__ == "__main__":
    way, file = sys.argv[1:]
    given = Path(file).read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, at what is used now
    before = _peak()
    WAYS[way](given)
    print(_peak() - before)
