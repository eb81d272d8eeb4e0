"""Passwords: what is refused, and what opens nothing."""

from __future__ import annotations

import pytest

from app.errors import Refusal
from app.people import passwords


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 8"),
        ("x" * 129, "at most 128"),
        ("Password1", "tried first"),
        ("QWERTYUIOP", "tried first"),
        ("zzzzzzzzzzz", "tried first"),
        ("Ada Moreno", "your own name"),
        ("ada@example.org", "your own name"),
        ("with\x00in it", "cannot be typed"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        passwords.check(password, "ada moreno", "ada@example.org")
    assert refused.value.field_name == "password"


@pytest.mark.parametrize(
    "password", ["toolshare", "8 chars!", "x y" * 42, "пароль-сосед", "🔨🔧🪛🪚🪜🧰🔩🪤"]
)
def test_any_other_password_is_taken_whatever_its_letters(password: str) -> None:
    assert passwords.check(password, "Ada", "ada@example.org") == password


def test_every_listed_password_is_long_enough_to_be_needed_there() -> None:
    assert len(passwords.commonest()) > 200
    assert all(
        len(one) >= passwords.SHORTEST and one == one.lower() for one in passwords.commonest()
    )


async def test_only_the_right_password_matches_its_hash() -> None:
    kept = await passwords.hashed("seven quiet hammers")
    assert await passwords.matches("seven quiet hammers", kept)
    assert not await passwords.matches("seven quiet hammer", kept)


async def test_nobodys_password_never_matches() -> None:
    assert not await passwords.matches("nobody has this password", None)
    assert not await passwords.matches("none", "none")


async def test_a_password_that_only_begins_right_opens_nothing() -> None:
    kept = await passwords.hashed("x y" * 42)
    assert not await passwords.matches("x y" * 43, kept)
