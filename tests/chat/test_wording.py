"""Words are shown as words: links that are safe, long ones folded, emoji a little larger."""

from __future__ import annotations

import html

import pytest

from app.chat import wording
from tests.scripts import TRIES, harm_in, links_in


def text_of(markup: str) -> str:
    """What one reads, without the links around it."""
    import re

    return html.unescape(re.sub(r"</?a[^>]*>", "", markup))


@pytest.mark.parametrize("typed", TRIES)
def test_whatever_is_typed_is_read_as_it_was_typed(typed: str) -> None:
    made = str(wording.linked(typed))
    assert not harm_in(made)
    assert text_of(made) == typed


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("See https://a.example/b?c=1&d=2#e", "https://a.example/b?c=1&d=2#e"),
        ("(see https://a.example/b).", "https://a.example/b"),
        ("https://a.example/wiki/Drill_(tool), perhaps", "https://a.example/wiki/Drill_(tool)"),
        ("HTTP://A.EXAMPLE!", "HTTP://A.EXAMPLE"),
        ("“https://a.example/b”", "https://a.example/b"),
        ("http://192.168.0.7:8000/x", "http://192.168.0.7:8000/x"),
        ("https://пример.example/я", "https://пример.example/я"),
    ],
)
def test_an_address_is_a_link_to_just_that(typed: str, address: str) -> None:
    made = str(wording.linked(typed))
    (link,) = links_in(made)
    assert link == {"href": address, "rel": "noopener nofollow ugc", "target": "_blank"}
    assert text_of(made) == typed


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://a.example",
        "www.a.example",
        "mailto:ada@a.example",
        "https://",
        "https:///b",
        "https://ada:secret@a.example",
        "https://bank.example@evil.example",
        "https://a.example/\u202egpj.exe",
        "https://a\u200b.example",
        "http://[::1",
        "https://a.example:99999",
    ],
)
def test_everything_else_is_text(typed: str) -> None:
    made = str(wording.linked(typed))
    assert not links_in(made)
    assert text_of(made) == typed


def test_a_long_message_is_folded_between_two_words_and_loses_none() -> None:
    long = " ".join(f"word{n}" for n in range(300))
    head, rest, _ = wording.shown(long)
    assert 300 < len(head) <= wording.FOLD_NEAR
    assert f"{head}{rest}".replace(" ", "") == long.replace(" ", "")
    lines = "\n".join(f"{n}" for n in range(40))
    head, rest, _ = wording.shown(lines)
    assert head.count("\n") < wording.FOLD_LINES
    assert f"{head}\n{rest}" == lines
    head, rest, _ = wording.shown("x" * 4000)
    assert (len(head), len(rest)) == (wording.FOLD_NEAR, 4000 - wording.FOLD_NEAR)
    assert wording.shown("Short.").rest == ""


@pytest.mark.parametrize("before", ["", "x" * (wording.FOLD_NEAR - 30)])
def test_a_fold_leaves_an_address_whole(before: str) -> None:
    address = "https://a.example/" + "b" * wording.FOLD_NEAR
    head, rest, _ = wording.shown(f"{before}{address} {'and more ' * 100}")
    assert [one["href"] for one in links_in(f"{head}{rest}")] == [address]


def test_a_tail_of_brackets_takes_no_longer_than_it_is() -> None:
    tail = ")" * 500_000  # looked through once for each of them, it would take minutes
    assert [one["href"] for one in links_in(str(wording.linked(f"https://a.example/{tail}")))] == [
        "https://a.example/"
    ]


@pytest.mark.parametrize("typed", ["👍", "👍🏽 ❤️", "👩‍👩‍👧", "🇬🇧", "1️⃣", "🔨🪚🪛"])
def test_a_few_emoji_alone_are_larger(typed: str) -> None:
    assert wording.shown(typed).emoji


@pytest.mark.parametrize("typed", ["👍 ok", "12", "a", "", "👍" * 20, "→ left"])
def test_and_words_are_not(typed: str) -> None:
    assert not wording.shown(typed).emoji


def test_the_first_line_stands_for_a_message_elsewhere() -> None:
    assert wording.first_line("Hello\nthere") == "Hello"
    assert wording.first_line("x" * 200) == "x" * 79 + "…"
    assert wording.first_line("") == ""
