"""How the words of a message are shown: always as text, with links that are safe to follow.

Nothing a person types is ever markup: what comes out is escaped here, and the only element that is
put in is a link to where the words themselves say.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import urlsplit

from markupsafe import Markup, escape

FOLDED_AFTER, FOLD_NEAR = 900, 600  # letters
FOLDED_LINES, FOLD_LINES = 14, 8
FIRST_LINE = 80
MANY_EMOJI = 6

_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\^{}|]+", re.IGNORECASE)
PAIRS = {")": "(", "]": "["}
_AT_THE_END = ".,;:!?…*_~'\"»”’"
# What turns the direction of letters or hides between them would let a link look like another one.
_DECEIVING = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_PICTURE = "[\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff]"
_EMOJI = re.compile(
    rf"(?:\s*(?:{_PICTURE}|[0-9#*]\ufe0f?\u20e3)"
    rf"(?:\ufe0f|\u200d(?:{_PICTURE})|[\U0001f3fb-\U0001f3ff]|[\U000e0020-\U000e007f])*)"
    rf"{{1,{MANY_EMOJI}}}\s*"
)


class Body(NamedTuple):
    """What is seen at once, what is behind "More" ("" if nothing), and how it looks."""

    head: Markup
    rest: Markup
    emoji: bool


def shown(text: str) -> Body:
    at = _fold_at(text)
    head, rest = (text[:at].rstrip(), text[at:].lstrip("\n")) if at else (text, "")
    return Body(linked(head), linked(rest), bool(_EMOJI.fullmatch(text)))


def linked(text: str) -> Markup:
    """Escaped, with a link around each address that is one."""
    parts, last = [], 0
    for found in _ADDRESS.finditer(text):
        address = _without_punctuation(found[0])
        if not _is_safe(address):
            continue
        start = found.start()
        parts.append(escape(text[last:start]))
        parts.append(
            Markup('<a href="{0}" rel="noopener nofollow ugc" target="_blank">{0}</a>').format(
                address
            )
        )
        last = start + len(address)
    return Markup("").join([*parts, escape(text[last:])])


def first_line(text: str, longest: int = FIRST_LINE) -> str:
    """Of a message that is spoken of elsewhere: in a quote, in the list of rooms."""
    line = text.strip().partition("\n")[0].rstrip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _is_safe(address: str) -> bool:
    if _DECEIVING.search(address):
        return False
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    # "https://bank.example@evil.example" leads to the latter.
    return bool(parts.hostname) and "@" not in parts.netloc and port != 0


def _without_punctuation(address: str) -> str:
    """'(see https://a.example/b).' ends before the bracket that it did not open."""
    unopened = {last: address.count(last) - address.count(first) for last, first in PAIRS.items()}
    end = len(address)
    while end:
        last = address[end - 1]
        if last in unopened and unopened[last] > 0:
            unopened[last] -= 1
        elif last not in _AT_THE_END:
            break
        end -= 1
    return address[:end]


def _fold_at(text: str) -> int:
    """Where a long text is folded, between two words if there are any; 0: it is not long.

    Never within an address: half of one leads elsewhere.
    """
    lines = text.split("\n")
    if len(text) <= FOLDED_AFTER and len(lines) <= FOLDED_LINES:
        return 0
    near = min(FOLD_NEAR, len("\n".join(lines[:FOLD_LINES])))
    gap = max(text.rfind(" ", 0, near), text.rfind("\n", 0, near + 1))
    at = gap if gap > near // 2 else near
    for found in _ADDRESS.finditer(text):
        if found.start() < at < found.end():
            at = found.start() or found.end()
    while at < len(text) and (unicodedata.combining(text[at]) or text[at] in "\u200d\ufe0f"):
        at += 1  # never between a letter and its accent
    return at if text[at:].strip() else 0
