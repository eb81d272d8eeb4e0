"""The columns of a table of tools: how each is read, written, and taken from a tool.

What a column reads of what it has written is the same value again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from app.errors import Refusal, mistyped
from app.loans.alone import CODE_LONGEST, PLACE_LONGEST, Box
from app.tools import lending, rules, terms
from app.tools.album import ALT_LONGEST, PHOTOS_MOST
from app.tools.lending import Lending, Window
from app.tools.models import Skill, Tool, ToolStatus
from app.tools.photo import Photo

Values = dict[str, Any]
ME, COMMUNITY = "me", "community"
KEY_LONGEST = 80
FILE_LONGEST = 200
YES, NO = ("yes", "y", "true", "1", "x", "ja", "oui", "sí"), ("no", "n", "false", "0", "", "nein")
STATES = (ToolStatus.LISTED, ToolStatus.PAUSED, ToolStatus.MAINTENANCE)
_WINDOW = re.compile(
    r"([a-z]{3})[a-z]*(?:\s*[-–]\s*([a-z]{3})[a-z]*)?\s+(\d\d?:\d\d)\s*[-–]\s*(\d\d?:\d\d)",
    re.IGNORECASE,
)
_DAYS = {name.casefold(): number for number, name in enumerate(lending.WEEKDAYS)}


@dataclass(frozen=True)
class Column:
    """`read` raises Refusal for what cannot be taken; `means` is for who writes a table."""

    name: str
    means: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def _line(longest: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        text = " ".join(rules.clean(cell).split())
        if len(text) > longest:
            raise mistyped("", f"{longest} characters are the most here.", "Shorten it.")
        return text

    return read


def _text(longest: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        text = rules.clean(cell)
        if len(text) > longest:
            raise mistyped("", f"{longest} characters are the most here.", "Shorten it.")
        return text

    return read


def _yes(cell: str) -> bool:
    word = rules.clean(cell).casefold()
    if word not in (*YES, *NO):
        raise mistyped("", f"“{word[:20]}” is neither yes nor no.", "Write yes or no.")
    return word in YES


def _one_of(words: Sequence[str], usual: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        word = rules.clean(cell).casefold() or usual
        if word not in words:
            raise mistyped("", f"“{word[:20]}” is not known here.", f"Write {' or '.join(words)}.")
        return word

    return read


def _number(name: str) -> Callable[[str], int]:
    least, most = lending.LIMITS[name]

    def read(cell: str) -> int:
        text = rules.clean(cell)
        if not text:
            return int(getattr(Lending(), name))
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else -1
        if not least <= number <= most:
            raise mistyped("", f"This is a whole number from {least} to {most}.")
        return number

    return read


def _windows(cell: str) -> tuple[Window, ...]:
    found: list[Window] = []
    for part in filter(None, (one.strip() for one in re.split("[,;\n]", rules.clean(cell)))):
        match = _WINDOW.fullmatch(part)
        try:
            assert match
            first = _DAYS[match[1].casefold()]
            last = _DAYS[match[2].casefold()] if match[2] else first
            assert first <= last
            opens, closes = (time.fromisoformat(match[n].rjust(5, "0")) for n in (3, 4))
        except (AssertionError, KeyError, ValueError):
            raise mistyped(
                "", f"“{part[:40]}” is no day with its hours.", "Write it like Mon–Fri 17:00–20:00."
            ) from None
        found += [Window(day, opens, closes) for day in range(first, last + 1)]
    return tuple(sorted(found))


def file_name(cell: str) -> str:
    """The name alone: whatever folders stand before it are passed over."""
    return rules.clean(re.split(r"[/\\]", cell)[-1])


def _files(cell: str) -> tuple[str, ...]:
    names = tuple(filter(None, (file_name(line) for line in cell.splitlines())))
    if len(names) > PHOTOS_MOST:
        raise mistyped("", f"A tool has at most {PHOTOS_MOST} photos.", "Leave the best ones.")
    if len(set(names)) < len(names):
        raise mistyped("", "A photo stands there twice.", "Name each once.")
    if any(len(name) > FILE_LONGEST for name in names):
        raise mistyped("", f"A name has at most {FILE_LONGEST} characters.", "Rename the file.")
    return names


def _alts(cell: str) -> tuple[str, ...]:
    # Line by line: the first photo may be the one without a text.
    texts = [" ".join(rules.clean(line).split()) for line in cell.splitlines()]
    if any(len(text) > ALT_LONGEST for text in texts):
        raise mistyped("", f"{ALT_LONGEST} characters a photo are enough.", "Shorten it.")
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _cents(cents: int) -> str:
    return f"{cents / 100:.2f}"


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


ALL = (
    Column("key", "What the row is known by the next time; yours, or empty", _line(KEY_LONGEST)),
    Column("name", "What a neighbour would call it", rules.check_name),
    Column("category", "A category of your community, by its name or short name", _line(60)),
    Column("brand", "Who made it", rules.check_brand),
    Column("description", "What people should know", rules.check_description),
    Column("skill", "anyone, some practice or expert", _one_of(tuple(Skill), Skill.ANYONE)),
    Column("price", "For a day, like 2.50; empty is free", rules.price_from, _cents),
    Column("parts", "What comes with it, a line each", rules.check_parts),
    Column("belongs_to", "me, or community", _one_of((ME, COMMUNITY), ME)),
    Column("status", "Of a new tool: listed, paused or maintenance", _one_of(STATES, STATES[0])),
    Column("self_service", "yes: taken and brought back alone", _yes, _yes_or_no),
    Column("key_place", "Where the key is", _text(PLACE_LONGEST)),
    Column("key_code", "The code of the box", _line(CODE_LONGEST)),
    *(
        Column(name, f"A whole number from {least} to {most}", _number(name))
        for name, (least, most) in lending.LIMITS.items()
        if name in terms.NUMBERS
    ),
    Column(
        "windows",
        "When it can be fetched and brought back, like Mon–Fri 17:00–20:00, Sat 09:00–12:00",
        _windows,
        lending.windows_words,
    ),
    Column("deposit", "Like 20; empty is none", rules.price_from, _cents),
    Column("auto_approve", "yes: whom you trust has it at once", _yes, _yes_or_no),
    Column("safety", "What to mind; whoever asks accepts it", _text(lending.SAFETY_LONGEST)),
    Column("photos", "Names of files in the zip, a line each, the cover first", _files, "\n".join),
    Column("photo_texts", "What is seen on each, a line each", _alts, "\n".join),
)
BY_NAME = {column.name: column for column in ALL}
OTHER_NAMES = {"id": "key"}
NEEDED = ("name", "category")


def of(tool: Tool, box: Box | None, photos: Sequence[Photo], names: Sequence[str]) -> Values:
    """A tool as its row. `box`: only for who may see it; `names`: what the photos are called."""
    rest = terms_of(tool.lending)
    return {
        "key": tool.key,
        "name": tool.name,
        "category": tool.category.slug,
        "brand": tool.brand,
        "description": tool.description,
        "skill": tool.skill,
        "price": tool.price_cents,
        "parts": tool.parts,
        "belongs_to": COMMUNITY if tool.owner_id is None else ME,
        "status": tool.status,
        "self_service": tool.self_service,
        "key_place": box.place if box else "",
        "key_code": box.code if box else "",
        **rest,
        "photos": tuple(names),
        "photo_texts": alts_of(photos),
    }


def alts_of(photos: Sequence[Photo]) -> tuple[str, ...]:
    return _alts("\n".join(photo.alt for photo in photos)) if photos else ()


def terms_of(rest: Lending) -> Values:
    named = {name: getattr(rest, name) for name in (*terms.NUMBERS, "auto_approve", "safety")}
    return {**named, "windows": tuple(sorted(rest.windows)), "deposit": rest.deposit_cents}


def terms_from(values: Mapping[str, Any], now: Lending) -> Lending:
    """The lending rules that a row leads to; what it has no column for stays as it is.

    Raises Refusal with the column that cannot be taken.
    """
    named = terms_of(now) | {name: values[name] for name in terms_of(now) if name in values}
    deposit = named.pop("deposit")
    try:
        return lending.check(Lending(**named, deposit_cents=deposit))
    except Refusal as refusal:
        field = re.sub(r"window_\d", "windows", refusal.field_name or "")
        raise mistyped(
            field.replace("deposit_cents", "deposit"), refusal.sentence, refusal.way_out
        ) from refusal


def written(values: Mapping[str, Any]) -> list[str]:
    """A row's cells, in the order of the columns."""
    return [column.write(values[column.name]) for column in ALL]
