"""What would become of each row of a table, before anything is done. Pure: no database here."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.errors import Refusal
from app.inventory import columns
from app.inventory.cells import Row, Table, named
from app.inventory.columns import COMMUNITY, ME, Values
from app.inventory.held_here import Held
from app.people.viewer import Viewer
from app.tools import rules
from app.tools.lending import Lending
from app.tools.models import Category


class Becomes(enum.StrEnum):
    NEW = "new"
    CHANGES = "changes"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True)
class Fate:
    """`changes` names columns; `why` holds (column, sentence) each, with its way out."""

    row: int
    becomes: Becomes
    name: str
    changes: tuple[str, ...] = ()
    why: tuple[tuple[str, str], ...] = ()

    def kept(self) -> dict[str, Any]:
        """As the database keeps it."""
        return asdict(self) | {
            "changes": list(self.changes),
            "why": [list(one) for one in self.why],
        }


@dataclass(frozen=True)
class Plan:
    """A row with its fate, and what to do for it: `held` is the tool that it changes."""

    fate: Fate
    values: Values = field(default_factory=dict)
    held: Held | None = None


@dataclass(frozen=True)
class Known:
    """What a table is held against. `pictures`: the names in the zip, None if none was sent."""

    by: Viewer
    categories: Mapping[str, Category]
    held: Sequence[Held]
    pictures: Collection[str] | None = None


def warnings(table: Table) -> list[str]:
    """What is passed over, and what else to know of the table as a whole."""
    names = _called(table.header)
    said = [
        f"The column {name[:80] or 'without a name'} is not known, and passed over."
        for name in names
        if name not in columns.BY_NAME
    ]
    if "key" not in names:
        said.append(
            "There is no column key: a second time, these rows would come as new tools again."
        )
    return said


def why_not_at_all(table: Table) -> Refusal | None:
    """A table without its most needed columns has no rows to speak of."""
    names = set(_called(table.header))
    if len(names) < len(set(table.header)):
        return _refused("There is a column id and a column key.", "Leave one of the two.")
    missing = [name for name in columns.NEEDED if name not in names]
    if missing and "key" not in names:
        return _refused(
            f"The column {missing[0]} is missing.",
            "The first row names the columns: name and category at least.",
        )
    return None


def look(table: Table, known: Known) -> list[Plan]:
    """Each row's plan, in the order of the table."""
    names = _called(table.header)
    there = _by_key(known.held)
    seen: dict[tuple[str, str], int] = {}
    return [_plan(row, names, known, there, seen) for row in table.rows]


def _called(header: Sequence[str]) -> list[str]:
    """The columns that are meant."""
    return [columns.OTHER_NAMES.get(name, name) for name in map(named, header)]


Pool = dict[tuple[str, str], list[Held]]


def _by_key(held: Sequence[Held]) -> Pool:
    found: Pool = {}
    for one in held:
        whose = COMMUNITY if one.tool.owner_id is None else ME
        found.setdefault((whose, one.tool.key), []).append(one)
    return found


def _plan(
    row: Row, names: list[str], known: Known, there: Pool, seen: dict[tuple[str, str], int]
) -> Plan:
    wrong: list[tuple[str, str]] = []
    values: Values = {}
    if len(row.cells) != len(names):
        what = "more" if len(row.cells) > len(names) else "fewer"
        sentence = f"The row has {what} cells than the header. Look at its quotes and separators."
        return _no(row, row.cells[0], [("", sentence)])
    if _called(row.cells) == names:
        return _no(row, "", [("", "This is the header once more. Take the row out.")])
    for name, cell in zip(names, row.cells, strict=True):
        if column := columns.BY_NAME.get(name):
            try:
                values[name] = column.read(cell)
            except Refusal as error:
                wrong.append((name, _said(error)))
    label = str(values.get("name") or values.get("key") or "")
    whose, key = values.get("belongs_to", ME), values.get("key", "")
    held = None
    if key and "belongs_to" not in [column for column, _ in wrong]:
        first = seen.setdefault((whose, key), row.number)
        if first != row.number:
            wrong.append(("key", f"The key stands in row {first}, too. A key is for one row."))
        found = there.get((whose, key), [])
        if len(found) > 1:
            wrong.append(("key", "Two of your tools have this key. Take the row out."))
        held = found[0] if found else None
    _resolve_category(values, known, wrong)
    _check_photos(values, held, known, wrong)
    if not wrong and (refusal := _why_not_whole(values, held, known)):
        wrong.append((refusal.field_name or "", _said(refusal)))
    if wrong:
        return _no(row, label, wrong)
    changes = _changes(values, held) if held else ()
    becomes = Becomes.NEW if held is None else Becomes.CHANGES if changes else Becomes.SAME
    if held and changes and (refusal := rules.why_not_edit(held.tool, known.by)):
        return _no(row, label, [("key", _said(refusal))])
    if held:
        label = values.get("name", held.tool.name)
    return Plan(Fate(row.number, becomes, label, changes), values, held)


def _why_not_whole(values: Values, held: Held | None, known: Known) -> Refusal | None:
    """What depends on several columns, and on who asks."""
    if held is None:
        for name in columns.NEEDED:
            if name not in values:
                return _in(name, f"A new tool needs the column {name}.")
        for_all = values.get("belongs_to") == COMMUNITY
        if for_all and (refusal := rules.why_not_for_all(known.by)):
            return _in("belongs_to", _said(refusal))
    try:
        columns.terms_from(values, held.tool.lending if held else Lending())
    except Refusal as error:
        return error
    return None


def _resolve_category(values: Values, known: Known, wrong: list[tuple[str, str]]) -> None:
    if "category" not in values:
        return
    found = known.categories.get(values["category"].casefold())
    if found is not None:
        values["category"] = found.slug
        return
    some = ", ".join(sorted({one.slug for one in known.categories.values()})[:20])
    wrong.append(("category", f"There is no such category here. Write one of {some}."))


def _check_photos(
    values: Values, held: Held | None, known: Known, wrong: list[tuple[str, str]]
) -> None:
    have = _photo_names(held) if held else {}
    for name in values.get("photos", ()):
        if name not in have and name not in (known.pictures or ()):
            where = "in the zip" if known.pictures is not None else "here, and no zip came with it"
            wrong.append(
                ("photos", f"{name} is not {where}. Send it along, or leave the column out.")
            )
    shown = values.get("photos", held.names if held else ())
    if len(values.get("photo_texts", ())) > len(shown):
        wrong.append(("photo_texts", "There are more texts than photos. Write a line for each."))
    if "photos" in values:  # by what the tool calls them already
        values["photos"] = tuple(have.get(name, name) for name in values["photos"])
        if len(set(values["photos"])) < len(values["photos"]):
            wrong.append(("photos", "A photo stands there under two names. Name each once."))


def _photo_names(held: Held) -> dict[str, str]:
    """Whatever a photo may be called in a table → its name now."""
    pairs = list(zip(held.names, held.photos, strict=True))
    brought = {photo.source: name for name, photo in pairs}  # also where another is called so
    ours = {f"{photo.name}.jpg": name for name, photo in pairs}
    return brought | ours | {name: name for name, _ in pairs}


def _changes(values: Values, held: Held) -> tuple[str, ...]:
    now = held.values
    passed_over = {"key", "belongs_to", "status"}
    return tuple(
        name
        for name in columns.BY_NAME
        if name in values and name not in passed_over and values[name] != now[name]
    )


def _no(row: Row, label: str, wrong: list[tuple[str, str]]) -> Plan:
    return Plan(Fate(row.number, Becomes.REFUSED, label[:80], why=tuple(wrong)))


def _said(refusal: Refusal) -> str:
    return " ".join(part for part in (refusal.sentence, refusal.way_out) if part)


def _in(name: str, sentence: str) -> Refusal:
    return Refusal(sentence, status=422, field_name=name)


def _refused(sentence: str, way_out: str) -> Refusal:
    return Refusal(sentence, way_out, status=422, code="table", field_name="table")
