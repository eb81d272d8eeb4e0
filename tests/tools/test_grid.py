"""Cells are wide enough wherever they are, and distances between them are said in classes."""

from __future__ import annotations

import math
import random

import pytest

from app.errors import Refusal
from app.tools import grid
from app.tools.grid import Point

HOME = Point(52.52, 13.405)


def steps(lat: float = 0, lon: float = 0, start: Point = HOME) -> int:
    """The cell so many cells up and across, counted from the middle of that of `start`."""
    centre = grid.centre_of(grid.cell_of(start))
    wide = 500 / (111_195 * math.cos(math.radians(centre.lat)))
    return grid.cell_of(Point(centre.lat + lat * grid.STEP, centre.lon + lon * wide))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (steps(), steps(), "Close by"),
        (steps(), steps(lat=0.45, lon=0.45), "Close by"),
        (steps(), steps(lat=1), "5 minutes' walk"),
        (steps(), steps(lon=-1), "5 minutes' walk"),
        (steps(), steps(lat=1, lon=1), "10 minutes' walk"),
        (steps(), steps(lat=2), "15 minutes' walk"),
        (steps(), steps(lat=3), "20 minutes' walk"),
        (steps(), steps(lat=5), "30 minutes' walk"),
        (steps(), steps(lat=8), "15 minutes by bike"),
        (steps(), steps(lat=17), "30 minutes by bike"),
        (steps(), steps(lat=19), "Further away"),
        (steps(), None, ""),
        (None, steps(), ""),
        # Across the line where the days change, both names of it being one.
        (
            grid.cell_of(Point(0.001, 179.999)),
            grid.cell_of(Point(0.001, -179.999)),
            "5 minutes' walk",
        ),
        (grid.cell_of(Point(-17, 180)), grid.cell_of(Point(-17, -180)), "Close by"),
        # Around a pole, where all columns meet.
        (grid.cell_of(Point(90, 0)), grid.cell_of(Point(89.999, 120)), "Close by"),
        (grid.cell_of(Point(-90, 13)), grid.cell_of(Point(-89.996, -170)), "Close by"),
        (grid.cell_of(Point(89.993, 10)), grid.cell_of(Point(90, 0)), "10 minutes' walk"),
        (grid.cell_of(Point(89.99, 0)), grid.cell_of(Point(89.99, 180)), "20 minutes' walk"),
        (grid.cell_of(Point(90, 0)), grid.cell_of(Point(-90, 0)), "Further away"),
        # The same number of degrees is less on the ground up there.
        (grid.cell_of(Point(0, 20.0)), grid.cell_of(Point(0, 20.02)), "30 minutes' walk"),
        (grid.cell_of(Point(80, 20.0)), grid.cell_of(Point(80, 20.02)), "Close by"),
    ],
)
def test_a_distance_in_words(one: int | None, other: int | None, said: str) -> None:
    assert grid.words(one, other) == said
    assert grid.words(other, one) == said


def test_a_cell_is_never_narrower_than_half_a_kilometre_and_holds_its_own_centre() -> None:
    chance = random.Random(7)
    points = [Point(chance.uniform(-90, 90), chance.uniform(-180, 180)) for _ in range(2000)]
    points += [Point(lat, lon) for lat in (-90, -89.9951, 0, 89.9949, 90) for lon in (-180, 0, 180)]
    for point in points:
        cell = grid.cell_of(point)
        row, _ = divmod(cell, grid.SPREAD)
        columns = grid._columns(row)
        edge = max(abs(row * grid.STEP - 90), abs((row + 1) * grid.STEP - 90))
        around = 2 * math.pi * grid.POLAR_RADIUS * math.cos(math.radians(edge))
        assert columns == 1 or around / columns >= grid.LEAST
        assert columns < grid.SPREAD
        assert grid.is_cell(cell)
        assert grid.cell_of(grid.centre_of(cell)) == cell
        assert grid.metres(cell, cell) == 0
    assert not any(map(grid.is_cell, (-1, grid.ROWS * grid.SPREAD, grid.SPREAD - 1)))


def test_all_points_of_a_cell_are_told_alike() -> None:
    """However many answers are compared, they say which cell it is and no more."""
    chance, centre = random.Random(8), grid.centre_of(steps())
    inside = [
        Point(
            centre.lat + chance.uniform(-1, 1) * 0.0024, centre.lon + chance.uniform(-1, 1) * 0.0036
        )
        for _ in range(200)
    ]
    asked = [steps(lat, lon) for lat in range(-4, 5) for lon in range(-4, 5)]
    told = {tuple(grid.words(grid.cell_of(point), one) for one in asked) for point in inside}
    assert len(told) == 1


def test_what_is_within_a_distance() -> None:
    cells = [steps(lat) for lat in (0, 1, 2, 5)]
    assert grid.within(cells, steps(), 600) == sorted(cells[:2])
    assert grid.within(cells, steps(), 3000) == sorted(cells)


@pytest.mark.parametrize(
    ("typed", "point"),
    [
        ("52.52, 13.405", Point(52.52, 13.405)),
        (" -33.9;+151.2 ", Point(-33.9, 151.2)),
        ("52.52 13.4", Point(52.52, 13.4)),
        ("90,-180", Point(90, -180)),
        ("52.12345678, 13", Point(52.123457, 13)),
        ("  ", None),
    ],
)
def test_a_typed_point(typed: str, point: Point | None) -> None:
    assert grid.point_from(typed) == point


@pytest.mark.parametrize(
    "typed",
    ["52.52", "91, 0", "0, 181", "52,52, 13,40", "here", "1e2, 3", "nan, nan", "²2, 1", "1, 2, 3"],
)
def test_what_is_no_point_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        grid.point_from(typed)
    assert refused.value.field_name == "point"
    assert refused.value.way_out
