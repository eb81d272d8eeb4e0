"""What is made of bytes that somebody calls a photo: small pictures, and nothing else of them."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageOps

from app.errors import Refusal
from app.settings import settings

FORMATS = ("JPEG", "PNG", "WEBP")
WIDTHS = (480, 1200)  # the card, the tool's page; pixels
TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}
AT_ONCE, LATER = TYPES
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)  # in a file's EXIF: what is up in it lies at a side
SHRUNK = ("RGB", "L", "CMYK", "RGBA", "LA")  # as they are; other colours are converted before

Copies = dict[tuple[int, str], bytes]  # by width and ending
Size = tuple[int, int]

Image.MAX_IMAGE_PIXELS = settings.photo_pixels


def developed(content: bytes, *, whole: bool) -> tuple[Size, Copies]:
    """The size of the largest, and the copies: the JPEGs alone, or with the WebPs.

    Takes a tenth of a second and more: not for the event loop. Raises Refusal.
    """
    picture = decoded(content)
    copies = {(width, AT_ONCE): _jpeg(shown) for width, shown in _sizes(picture).items()}
    if whole:
        copies |= _webps(picture)
    return picture.size, copies


def finished(jpeg: bytes) -> Copies:
    """The WebPs, made of our own largest JPEG."""
    with Image.open(BytesIO(jpeg), formats=("JPEG",)) as picture:
        picture.load()
        return _webps(picture)


def decoded(content: bytes) -> Image.Image:
    """The picture upright, as large as our largest, with nothing else the file carried."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as file:
            if file.width * file.height > settings.photo_pixels:
                raise refused("The photo has too many pixels.", "Choose a smaller one.")
            width, height = max(WIDTHS), 2 * max(WIDTHS)
            box = (height, width) if file.getexif().get(ORIENTATION) in LYING else (width, height)
            # Of a camera's JPEG only so much is decoded as is wanted: a tenth of the memory.
            file.draft(None, _within(file.size, box))
            picture: Image.Image = file
            if file.mode not in SHRUNK:
                picture = file.convert("RGBA" if file.has_transparency_data else "RGB")
            picture.thumbnail(box, Image.Resampling.LANCZOS)
            upright = _on_white(ImageOps.exif_transpose(picture))
            upright.info.clear()  # a JPEG's comment would be written again
            return upright
    except Refusal:
        raise
    except Image.DecompressionBombError as error:
        raise refused("The photo has too many pixels.", "Choose a smaller one.") from error
    except Exception as error:  # Pillow raises whatever a broken file makes it stumble over
        raise refused(
            "That file is not a photo we can read.", "Choose a JPEG, PNG or WebP picture."
        ) from error


def refused(sentence: str, way_out: str) -> Refusal:
    return Refusal(sentence, way_out, status=422, code="photo", field_name="photo")


def _sizes(picture: Image.Image) -> dict[int, Image.Image]:
    """What is as wide as our largest, once more as our smallest."""
    small = picture.copy()
    small.thumbnail((min(WIDTHS), 2 * min(WIDTHS)), Image.Resampling.LANCZOS)
    return {max(WIDTHS): picture, min(WIDTHS): small}


def _jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def _webps(picture: Image.Image) -> Copies:
    copies = {}
    for width, shown in _sizes(picture).items():
        out = BytesIO()
        shown.save(out, "WEBP", quality=80, method=4)
        copies[width, LATER] = out.getvalue()
    return copies


def _within(size: Size, box: Size) -> Size:
    """As large as it may be in the box, and not larger than it is."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode not in ("RGBA", "LA"):
        return picture.convert("RGB")
    ground = Image.new("RGB", picture.size, "white")
    layer = picture.convert("RGBA")
    ground.paste(layer, mask=layer.getchannel("A"))
    return ground
