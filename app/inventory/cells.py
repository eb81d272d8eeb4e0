"""Tables as other programs write and read them: CSV with its encodings, separators and dangers.

Written is UTF-8 with a byte order mark, since Excel takes a file without one for its country's own
encoding; LibreOffice and we read both. A cell that a spreadsheet would run as a formula gets an
apostrophe in front, and loses that one again when it comes back.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from app.errors import Refusal

BYTES = 10 * 1024 * 1024
ROWS = 5000
COLUMNS = 100
SEPARATORS = (",", ";", "\t")
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # Excel's newer and older files
# What a spreadsheet takes for a formula, also as a Chinese or Japanese keyboard writes it.
_FORMULA = re.compile("'*[=+\\-@\t\r＝＋－＠]")
_ESCAPED = re.compile("'+[=+\\-@\t\r＝＋－＠]")


@dataclass(frozen=True)
class Row:
    number: int  # as a spreadsheet counts, the header is 1
    cells: Sequence[str]


@dataclass(frozen=True)
class Table:
    header: Sequence[str]  # as it is compared: 'Key place' is key_place
    rows: Sequence[Row]


def harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def as_meant(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell


def write(header: Sequence[str], rows: Iterable[Sequence[str]], separator: str = ",") -> bytes:
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return codecs.BOM_UTF8 + text.getvalue().encode()


def read(content: bytes, known: Collection[str]) -> Table:
    """The table in a file. `known`: names by which its separator is found.

    Raises Refusal (422, field `table`) for what is no table that we can read.
    """
    if len(content) > BYTES:
        raise _refused(
            f"The table is larger than {BYTES // 1024**2} MB.", "Divide it into several."
        )
    text = _decoded(content)
    separator = _separator(text, known)
    header: list[str] | None = None
    rows: list[Row] = []
    for number, cells in _records(text, separator):
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [named(cell) for cell in cells]
            continue
        if len(rows) == ROWS:
            raise _refused(f"The table has more than {ROWS:,} rows.", "Divide it into several.")
        rows.append(Row(number, [as_meant(cell) for cell in cells]))
    if header is None:
        raise _refused("The table is empty.", "The first row names the columns.")
    _check_header(header)
    return Table(header, rows)


def named(cell: str) -> str:
    """A column's name as it is compared."""
    return re.sub(r"[\s_-]+", "_", cell.strip().casefold())


def _decoded(content: bytes) -> str:
    if content.startswith(WORKBOOKS):
        raise _refused(
            "That is a workbook or an archive, not a table as text.",
            "Save it as “CSV UTF-8” in your spreadsheet, and send that.",
        )
    kind = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        kind = "utf-16"  # what Excel calls "Unicode text"
    try:
        text = content.decode(kind)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(
            f"The table is not UTF-8: line {line} has a character that it does not know.",
            "Save it as “CSV UTF-8” in your spreadsheet: what we guessed could be wrong.",
        ) from None
    if "\0" in text:
        raise _refused("That is not a table as text.", "Save it as “CSV UTF-8”, and send that.")
    return text


def _separator(text: str, known: Collection[str]) -> str:
    """That by which the header has most names that we know, then most cells."""

    def found(separator: str) -> tuple[int, int]:
        first = next((cells for _, cells in _records(text, separator) if any(cells)), [])
        return sum(named(cell) in known for cell in first), len(first)

    def tried(separator: str) -> tuple[int, int]:
        try:
            return found(separator)
        except Refusal:  # a quote that would be wrong with this one
            return (0, 0)

    return max(SEPARATORS, key=tried)


def _records(text: str, separator: str) -> Iterable[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if len(cells) > COLUMNS:
                raise _refused(
                    f"Row {number} has more than {COLUMNS} cells.", "Look at its separators."
                )
            yield number, cells
    except csv.Error as error:
        large = "larger than field limit" in str(error)
        raise _refused(
            f"Row {number + 1} cannot be read: "
            + ("one of its cells is far too long." if large else "its quotes do not close."),
            "Look at the quotation marks there: each cell with some has them twice, and around it.",
        ) from None


def _check_header(header: Sequence[str]) -> None:
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise _refused(
            f"The column {twice[0][:80]} is there twice.", "Leave one, and send the table again."
        )


def _refused(sentence: str, way_out: str) -> Refusal:
    return Refusal(sentence, way_out, status=422, code="table", field_name="table")
