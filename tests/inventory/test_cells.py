"""Tables as spreadsheets write and read them: whatever is typed comes back, and runs nowhere."""

from __future__ import annotations

import codecs
import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refusal
from app.inventory import cells

KNOWN = ("key", "name", "category", "description")
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def rows_of(content: bytes) -> list[list[str]]:
    return [list(row.cells) for row in cells.read(content, KNOWN).rows]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=5), st.sampled_from(cells.SEPARATORS))
def test_what_is_written_is_read_again(rows: list[tuple[str, str]], separator: str) -> None:
    wanted = [list(row) for row in rows if any(cells.harmless(c).strip() for c in row)]
    assert rows_of(cells.write(("key", "name"), rows, separator)) == wanted


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", "'", "''"])
def test_no_cell_is_a_formula_and_none_is_changed(sign: str, before: str) -> None:
    cell = f"{before}{sign}HYPERLINK(1)"
    content = cells.write(("name", "key"), [(cell, "1")])
    (_, row) = csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))
    assert row[0].startswith("'")
    assert rows_of(content) == [[cell, "1"]]


def test_excel_knows_its_encoding_by_the_mark() -> None:
    content = cells.write(("name",), [("Sägebock",)])
    assert content.startswith(codecs.BOM_UTF8)
    assert content.endswith("Sägebock\r\n".encode())


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfName,Category\nDrill,drills\n",
        b"name;category\r\nDrill;drills",
        b"name\tcategory\rDrill\tdrills\r",
        b'\n\n"name", CATEGORY\n\n"Drill","drills"\n,\n',
        "name\tcategory\nDrill\tdrills\n".encode("utf-16"),
        b"\xfe\xff" + "name;category\nDrill;drills".encode("utf-16-be"),
    ],
)
def test_each_way_of_writing_a_table_is_the_same_table(content: bytes) -> None:
    table = cells.read(content, KNOWN)
    assert list(table.header) == ["name", "category"]
    assert [list(row.cells) for row in table.rows] == [["Drill", "drills"]]


def test_quotes_and_line_breaks_stay_in_their_cell_and_rows_are_counted_as_they_are_seen() -> None:
    content = b'name,description\n"5"" drill","one\ntwo, three"\n\nSaw,"a;b"\n'
    table = cells.read(content, KNOWN)
    assert [(row.number, *row.cells) for row in table.rows] == [
        (2, '5" drill', "one\ntwo, three"),
        (4, "Saw", "a;b"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n,,\n", "empty"),
        (b"name,category\nDr\xe4ll,drills\n", "line 2 has a character"),
        (b"PK\x03\x04rest of it", "workbook"),
        (b"\xd0\xcf\x11\xe0rest of it", "workbook"),
        (b"name,category\nDr\0ll,drills\n", "not a table"),
        (b'name,category\n"Drill,drills\n', "Row 2 cannot be read: its quotes"),
        (b'name,category\nSaw,saws\n"Drill"s,drills\n', "Row 3 cannot be read: its quotes"),
        (b"name,category,Name\nDrill,drills,Saw\n", "The column name is there twice"),
        (b"name\n" + b"x" * 200_000, "far too long"),
        (b"name\n" + b"," * 200, "more than 100 cells"),
        (b"name\n" + b"Drill\n" * (cells.ROWS + 1), "more than 5,000 rows"),
        (b"x" * (cells.BYTES + 1), "larger than 10 MB"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(content: bytes, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        cells.read(content, KNOWN)
    assert refused.value.field_name == "table"
    assert refused.value.way_out
