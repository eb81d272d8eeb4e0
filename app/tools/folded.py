"""Text as it is compared: without case, accents and signs, here and in the database alike."""

from __future__ import annotations

import unicodedata

# ix_tool_wall is a B-tree, whose rows are short; folding makes eighteen letters of some.
NAME_AND_BRAND = "left(folded(name || ' ' || brand), 300)"
"""What typos are looked for in, and the order of names on the wall."""

WORDS = (
    "setweight(to_tsvector('simple'::regconfig, folded(name)), 'A')"
    " || setweight(to_tsvector('english'::regconfig, folded(name)), 'A')"
    " || setweight(to_tsvector('simple'::regconfig, folded(brand)), 'B')"
    " || setweight(to_tsvector('simple'::regconfig, folded(description)), 'C')"
    " || setweight(to_tsvector('english'::regconfig, folded(description)), 'C')"
)
"""Words as they stand, and English ones by their stems too: the locale says which are asked."""

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l"})
_NOTHING = frozenset(map(chr, range(0x300, 0x370))) | {"'", "’"}


def folded(typed: str) -> str:
    """As the function of this name in the database; words with one blank between them."""
    plain = unicodedata.normalize("NFKD", typed.lower())
    plain = "".join(one for one in plain if one not in _NOTHING).translate(_LETTERS)
    return " ".join("".join(one if one.isalnum() else " " for one in plain).split())
