"""What somebody typed into the search, as terms: their own words, and what else that may mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.tools import synonyms
from app.tools.folded import folded
from app.tools.synonyms import Phrase, singular

MOST = 8  # words that count
LONGEST = 60  # letters of one
INSIDE = 3  # so many letters are looked for inside of words too
FORGIVEN = 4  # a shorter word has no typo that one could tell from another word
SMALL = frozenset(
    ("a", "an", "and", "any", "for", "from", "in", "is", "it", "my", "of", "on", "or", "some")
) | {"that", "the", "this", "to", "with"}


@dataclass(frozen=True)
class Term:
    """One thing that a tool must have, as it was typed (or spelt) and as others call it."""

    own: Sequence[Phrase]
    others: Sequence[Phrase] = ()

    @property
    def inside(self) -> Sequence[Phrase]:
        """The own ones that are long enough to be looked for inside of words."""
        return [phrase for phrase in self.own if all(len(word) >= INSIDE for word in phrase)]

    def query(self, weights: str = "", *, begun: bool = True, alike: bool = True) -> str:
        """For `tsquery`. `begun`: the own words may go on; `alike`: or what others call it.

        `weights`: only in the name (A), the brand (B), the description (C).
        """
        star = "*" if begun else ""
        said = [_all(phrase, star + weights) for phrase in self.own]
        return " | ".join(said + [_all(phrase, weights) for phrase in self.others if alike])

    def names(self, title: str) -> bool:
        """Whether a folded title, of a category say, has all words of one phrase."""
        there = title.split()

        def begins(word: str) -> bool:
            return any(one.startswith((word, singular(word))) for one in there)

        return any(all(map(begins, phrase)) for phrase in (*self.own, *self.others))


def _all(phrase: Phrase, marks: str) -> str:
    """Words are folded: there is no sign in them that could end the quotes."""
    mark = f":{marks}" if marks else ""
    return "(" + " & ".join(f"'{word}'{mark}" for word in phrase) + ")"


def words_of(typed: str, *, english: bool) -> list[str]:
    """Folded words; small ones say nothing beside others. Empty if only signs were typed."""
    words = [word[:LONGEST] for word in folded(typed).split()[:MOST]]
    telling = [word for word in words if not (english and word in SMALL)]
    return telling or words


def is_short(words: Sequence[str]) -> bool:
    """One or two letters begin a name or a brand; only other scripts say more with so few."""
    return len(words) == 1 and len(words[0]) < INSIDE and words[0].isascii()


def terms(
    words: Sequence[str], *, english: bool, spelt: Mapping[str, Sequence[str]] | None = None
) -> list[Term]:
    """The longest names that neighbours have for things, else word by word.

    `spelt`: word → what it may have been meant to be.
    """
    spelt = spelt or {}
    words = [spelt[word][0] if len(spelt.get(word, ())) == 1 else word for word in words]
    found, at = [], 0
    while at < len(words):
        length = _named(words[at:]) if english else 1
        phrase = tuple(words[at : at + length])
        also = [(word,) for word in spelt.get(phrase[0], ())] if length == 1 else []
        own = list(dict.fromkeys([phrase, *also]))
        names = dict.fromkeys(name for one in own for name in synonyms.others(one))
        found.append(Term(own, [one for one in names if one not in own] if english else ()))
        at += length
    return found


def _named(words: Sequence[str]) -> int:
    """How many of the first words are one name that the list of synonyms has; else one."""
    for length in range(min(len(words), synonyms.LONGEST), 1, -1):
        if synonyms.others(tuple(words[:length])):
            return length
    return 1


def corrections(word: str, known: Iterable[str]) -> list[str]:
    """Those of the `known` words that this may be, a letter or two away; the nearest alone.

    Nothing if it is one of them, or begins one.
    """
    if len(word) < FORGIVEN:
        return []
    most = 1 if len(word) < 8 else 2
    near: dict[str, int] = {}
    for one in known:
        if one[:1] == word[:1] or one[:2] == word[1::-1]:
            near[one] = distance(word, one, most)
    least = min(near.values(), default=most + 1)
    return [one for one, far in near.items() if far == least] if 0 < least <= most else []


def distance(word: str, meant: str, most: int) -> int:
    """Letters left out, put in, changed, or swapped with the next: as few as do.

    While somebody types the rest may still come: what `meant` has after the word is not counted.
    Anything above `most` is far.
    """
    if len(word) > len(meant) + most:
        return most + 1
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for i, letter in enumerate(word, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(meant, 1):
            cost = before[j - 1] + (letter != wanted)
            if i > 1 and j > 1 and letter == meant[j - 2] and word[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(min(cost, before[j] + 1, row[j - 1] + 1))
        if min(row) > most:
            return most + 1
    return min(row)
