"""Asking the database for tools by their words: which fit, and how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from app.board import meaning
from app.board.meaning import Term
from app.board.states import on_the_board
from app.db import Tx
from app.people.viewer import Here
from app.tools import synonyms
from app.tools.folded import folded
from app.tools.models import Category, Tool

ENGLISH: ColumnElement[object] = literal_column("'english'::regconfig")
ALIKE = 0.3  # of a word's letters in threes: what is less alike is never a typo of it
KNOWN = 30  # words, the most alike, among which a typo is looked for


@dataclass(frozen=True)
class Wording:
    """Typed words as the database is asked for them: a condition on tools, and how well one fits.

    `rank` is lowest for what fits best, and counts before all else in the order of a wall.
    """

    fits: ColumnElement[bool] = field(default_factory=true)
    rank: ColumnElement[int] = field(default_factory=lambda: literal(0, Integer))
    words: Sequence[str] = ()
    ranked: bool = False


async def planned_each_time(tx: Tx) -> None:
    """A plan for any words would read a large wall from end to end for the rarest of them.

    And none is compiled: that takes longer than any of these searches.
    """
    each_time = func.set_config("plan_cache_mode", "force_custom_plan", True)
    await tx.execute(select(each_time, func.set_config("jit", "off", True)))


def wording(
    typed: str,
    shelves: Sequence[Category],
    here: Here,
    spelt: Mapping[str, Sequence[str]] | None = None,
) -> Wording:
    """`shelves`: all categories of the community; `spelt`: see `meaning.terms`."""
    english = here.locale.startswith("en")
    words = meaning.words_of(typed, english=english)
    if not words:
        return _signs(typed) if typed else Wording()
    terms = meaning.terms(words, english=english, spelt=spelt)
    if meaning.is_short(words):  # it fits very much: by name, which no sorting is needed for
        return Wording(_has(terms[0].query("AB"), english=False), words=words)
    fits: ColumnElement[bool] = true()
    rank: ColumnElement[int] = literal(0, Integer)
    for term in terms:
        elsewhere = or_(false(), *_elsewhere(term, shelves))
        has = _has(term.query(), english, term.query(begun=False))
        fits = fits & or_(has, elsewhere)
        rank = rank + _rank(term, elsewhere, english)
    return Wording(fits, rank, words, ranked=True)


async def spelling(
    tx: Tx, words: Sequence[str], shelves: Sequence[Category], here: Here
) -> dict[str, Sequence[str]]:
    """Typed word → which words of this board it may be, where it is none of them itself."""
    known = {word for shelf in shelves for word in folded(shelf.name).split()}
    if here.locale.startswith("en"):
        known |= synonyms.WORDS
    await tx.execute(select(func.set_config("pg_trgm.word_similarity_threshold", str(ALIKE), True)))
    found: dict[str, Sequence[str]] = {}
    for word in dict.fromkeys(words):
        if len(word) >= meaning.FORGIVEN:
            also = await _alike(tx, word, here)
            if near := meaning.corrections(word, known.union(also)):
                found[word] = near
    return found


async def _alike(tx: Tx, word: str, here: Here) -> Sequence[str]:
    """Words in names and brands on the board that share letters with this one."""
    known = (
        select(func.regexp_split_to_table(Tool.plain_name, " ").label("one"))
        .where(on_the_board(here), Tool.plain_name.bool_op("%>")(word))
        .distinct()
        .subquery()
    )
    alike = func.similarity(known.c.one, word)
    rows = await tx.scalars(select(known.c.one).order_by(alike.desc()).limit(KNOWN))
    return rows.all()


def _has(query: str, english: bool, stems: str = "") -> ColumnElement[bool]:
    """`stems`: the same for English, whose words are then compared by their stems, too."""
    asked: ColumnElement[object] = cast(literal(query, String), TSQUERY)
    if english:
        asked = func.tsquery_or(asked, func.to_tsquery(ENGLISH, literal(stems or query, String)))
    return Tool.words.bool_op("@@")(asked)


def _elsewhere(term: Term, shelves: Sequence[Category]) -> list[ColumnElement[bool]]:
    """In the category's name or its parent's, or within a word of name or brand."""
    named = {shelf.id for shelf in shelves if term.names(folded(shelf.name))}
    ids = [shelf.id for shelf in shelves if shelf.id in named or shelf.parent_id in named]
    found = [Tool.category_id.in_(ids)] if ids else []
    return found + [
        and_(*(Tool.plain_name.contains(word, autoescape=True) for word in phrase))
        for phrase in term.inside
    ]


def _rank(term: Term, elsewhere: ColumnElement[bool], english: bool) -> ColumnElement[int]:
    """0 a word of the name, 1 begins one, 2 another name for it or the brand, 3 the category or
    a part of a word, 4 the description."""
    whole = term.query("A", begun=False, alike=False)
    begun = term.query("A", alike=False)
    also, stems = term.query("AB"), term.query("AB", begun=False)
    return case(
        (_has(whole, english), 0),
        (_has(begun, english, whole), 1),
        (_has(also, english, stems), 2),
        (elsewhere, 3),
        else_=4,
    )


def _signs(typed: str) -> Wording:
    """Nothing but signs, so it is looked for as it stands."""
    text = func.lower(func.concat_ws(" ", Tool.name, Tool.brand, Tool.description))
    parts = typed.lower().split()[: meaning.MOST]
    return Wording(and_(*(text.contains(part[:100], autoescape=True) for part in parts)))
