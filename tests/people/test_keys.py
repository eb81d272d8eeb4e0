"""Codes of invitations: read from a poster, typed by hand."""

from __future__ import annotations

import re
import secrets

import pytest

from app.people import keys
from app.settings import Settings, settings


def test_a_code_is_twelve_letters_in_groups_and_the_same_each_time() -> None:
    nonce = secrets.token_bytes(16)
    code = keys.join_code(nonce)
    assert re.fullmatch(r"([A-Z2-7]{4}-){2}[A-Z2-7]{4}", code)
    assert keys.join_code(nonce) == code
    assert keys.join_code(secrets.token_bytes(16)) != code


def test_a_code_is_taken_however_it_is_typed() -> None:
    code = keys.join_code(b"poster")
    for typed in (code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
        assert keys.code_digest(typed) == keys.code_digest(code)


def test_letters_that_look_alike_are_one() -> None:
    assert keys.code_digest("0ILO-IB2A") == keys.code_digest("oilo-182a")


def test_a_poster_can_be_printed_after_the_key_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    code = keys.join_code(b"poster")
    changed = Settings(secret_key="another" * 8, previous_secret_key=settings.secret_key)
    monkeypatch.setattr(keys, "settings", changed)
    assert keys.join_code(b"poster") != code
    assert keys.shown_code(b"poster", keys.code_digest(code)) == code
    forgotten = Settings(secret_key="a third one" * 8, previous_secret_key="another" * 8)
    monkeypatch.setattr(keys, "settings", forgotten)
    assert keys.shown_code(b"poster", keys.code_digest(code)) is None
