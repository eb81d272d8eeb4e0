"""Export: the table of one's tools, and their photos under the names that stand in it."""

from __future__ import annotations

from collections.abc import Sequence

from app.inventory import cells, columns
from app.inventory.held_here import Held
from app.tools import photos


def table(held: Sequence[Held], separator: str = ",") -> bytes:
    """Whatever a tool says becomes a cell."""
    rows = (columns.written(one.values) for one in held)
    return cells.write([column.name for column in columns.ALL], rows, separator)


def files(held: Sequence[Held]) -> list[tuple[str, str]]:
    """(name in the zip, as what it is kept)"""
    return [
        (name, photos.name_of(photo.name, *photos.FULL))
        for one in held
        for name, photo in zip(one.names, one.photos, strict=True)
    ]
