"""Blurred places: the cells of a grid over the earth, how far one is from another, and in words.

A cell is at least 500 m wide and high, wherever it is: a point in it is told by its centre alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from app.errors import mistyped

STEP = 0.005  # degrees of latitude: 553 m at the equator, 558 m at the poles
ROWS = round(180 / STEP)
LEAST = 500.0  # metres
POLAR_RADIUS = 6_356_752.0  # metres; the least there is, so that no cell comes out too narrow
MEAN_RADIUS = 6_371_000.0
SPREAD = 2**17  # more than the columns of any row
DIGITS = 6  # of a degree: a tenth of a metre
POINT = re.compile(r"([+-]?\d{1,3}(?:\.\d{1,20})?)\s*[,;\s]\s*([+-]?\d{1,3}(?:\.\d{1,20})?)")

# (metres from centre to centre, what one says of them); from a neighbouring cell on it is a walk.
CLASSES = (
    (0, "Close by"),
    (600, "5 minutes' walk"),
    (1000, "10 minutes' walk"),
    (1500, "15 minutes' walk"),
    (2000, "20 minutes' walk"),
    (3000, "30 minutes' walk"),
    (5000, "15 minutes by bike"),
    (10_000, "30 minutes by bike"),
)
FAR = "Further away"
WITHIN = tuple(metres for metres, _ in CLASSES if metres)  # what one can ask for
BANDS = (600, 1500)  # the share of distance in the order of a wall: near, a walk, the rest


class Point(NamedTuple):
    """In degrees, north and east positive."""

    lat: float
    lon: float


def point_from(typed: str, field: str = "point") -> Point | None:
    """'52.52, 13.40'; None if nothing was typed. Raises Refusal that names the field."""
    if not typed.strip():
        return None
    found = POINT.fullmatch(typed.strip())
    if found is None:
        raise mistyped(field, "That is no point on a map.", "Write it like 52.52, 13.40.")
    lat, lon = (round(float(part), DIGITS) for part in found.groups())
    if abs(lat) > 90 or abs(lon) > 180:
        way_out = "The first number lies between -90 and 90, the second between -180 and 180."
        raise mistyped(field, "That is no point on earth.", way_out)
    return Point(lat, lon)


def typed(lat: float | None, lon: float | None) -> str:
    """As `point_from` reads it; "" for no point."""
    if lat is None or lon is None:
        return ""
    return ", ".join(f"{part:.{DIGITS}f}".rstrip("0").rstrip(".") for part in (lat, lon))


def cell_of(point: Point) -> int:
    row = min(int((point.lat + 90) / STEP), ROWS - 1)
    columns = _columns(row)
    return row * SPREAD + int((point.lon + 180) / 360 * columns) % columns


def centre_of(cell: int) -> Point:
    row, column = divmod(cell, SPREAD)
    lat, columns = (row + 0.5) * STEP - 90, _columns(row)
    if columns == 1:  # the caps around the poles
        lat = math.copysign(90.0, lat)
    return Point(round(lat, DIGITS), round((column + 0.5) / columns * 360 - 180, DIGITS))


def is_cell(number: int) -> bool:
    row, column = divmod(number, SPREAD)
    return 0 <= row < ROWS and column < _columns(row)


def _columns(row: int) -> int:
    """As many as leave each of them wide enough, also at the side that is nearer to a pole."""
    edge = max(abs(row * STEP - 90), abs((row + 1) * STEP - 90))
    around = 2 * math.pi * POLAR_RADIUS * math.cos(math.radians(edge))
    return max(1, int(around / LEAST))


def metres(one: int, other: int) -> float:
    """From centre to centre, as the crow flies."""
    (lat, lon), (its_lat, its_lon) = centre_of(one), centre_of(other)
    up, across = math.radians(its_lat - lat), math.radians(its_lon - lon)
    wide = math.cos(math.radians(lat)) * math.cos(math.radians(its_lat))
    half = math.sin(up / 2) ** 2 + wide * math.sin(across / 2) ** 2
    return 2 * MEAN_RADIUS * math.asin(math.sqrt(min(1.0, half)))


def words(one: int | None, other: int | None) -> str:
    """“5 minutes' walk”; "" where one of the two is not known."""
    if one is None or other is None:
        return ""
    far = metres(one, other)
    return next((said for most, said in CLASSES if far <= most), FAR)


def within(cells: Iterable[int], middle: int, most: int) -> list[int]:
    """Those of the cells that are at most so many metres away."""
    return sorted(cell for cell in cells if metres(cell, middle) <= most)
