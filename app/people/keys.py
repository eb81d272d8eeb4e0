"""Secrets that open something: made at random, kept as hashes, and the codes of invitations."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from app.settings import settings

CODE_LETTERS = 12  # 60 bits
# Base32 has no 0, 1 and 8: whoever types one has misread a poster.
_MISREAD = str.maketrans("018", "OIB")


def fresh() -> str:
    """A new secret of 32 random bytes, fit for cookies, headers and addresses."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What the database keeps. Random secrets need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def fresh_code() -> str:
    """A code that a person copies from a console: as an invitation's, but of nothing."""
    return _grouped(base64.b32encode(secrets.token_bytes(8)).decode()[:CODE_LETTERS])


def join_code(nonce: bytes, *, previous: bool = False) -> str:
    """XXXX-XXXX-XXXX of an invitation: recomputable, so that its poster can be printed again."""
    mac = hmac.new(settings.key_for("join", previous=previous), nonce, hashlib.sha256).digest()
    return _grouped(base64.b32encode(mac).decode()[:CODE_LETTERS])


def code_digest(code: str) -> bytes:
    """The hash of a code, in whatever case and grouping it was typed."""
    letters = "".join(letter for letter in code[:80] if letter.isalnum())
    return digest(letters.upper().translate(_MISREAD))


def shown_code(nonce: bytes, code_hash: bytes) -> str | None:
    """The code of an invitation, if one of our keys made it."""
    for previous in (False, True):
        code = join_code(nonce, previous=previous)
        if hmac.compare_digest(code_digest(code), code_hash):
            return code
    return None


def feed_secret(nonce: bytes, *, previous: bool = False) -> str:
    """What stands in a calendar's address: recomputable, so that its page can show it again."""
    mac = hmac.new(settings.key_for("feed", previous=previous), nonce, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def shown_feed_secret(nonce: bytes, key_hash: bytes) -> str | None:
    """The secret of a calendar, if one of our keys made it."""
    for previous in (False, True):
        secret = feed_secret(nonce, previous=previous)
        if hmac.compare_digest(digest(secret), key_hash):
            return secret
    return None


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
