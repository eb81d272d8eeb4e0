"""Passwords: Argon2id in a thread, and the commonest refused."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.errors import mistyped
from app.http import throttle
from app.settings import settings

SHORTEST, LONGEST = 8, 128
NONE = "none"  # kept instead of a hash: there is no password that opens this account

# What attackers try first, in lower case, as far as it is long enough to be accepted at all.
_COMMONEST = Path(__file__).with_name("commonest_passwords.txt")


def check(password: str, *own: str) -> str:
    """The password as it may be used. Raises Refusal with the field; `own` are name and e-mail."""
    if len(password) < SHORTEST:
        raise mistyped("password", f"A password has at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise mistyped("password", f"A password has at most {LONGEST} characters.")
    if "\x00" in password:
        raise mistyped("password", "This password has a character that cannot be typed again.")
    plain = password.casefold()
    if plain in commonest() or len(set(plain)) == 1:
        raise mistyped(
            "password",
            "This password is one of those that are tried first.",
            "Three or four words that do not belong together are long and easy to remember.",
        )
    if plain in {word.strip().casefold() for word in own}:
        raise mistyped("password", "A password must not be your own name or e-mail.")
    return password


@cache
def commonest() -> frozenset[str]:
    return frozenset(_COMMONEST.read_text(encoding="utf-8").split())


async def hashed(password: str) -> str:
    async with throttle.hashing():
        return await asyncio.to_thread(_hasher().hash, _bytes(password))


async def matches(password: str, kept: str | None) -> bool:
    """Whether the password is the kept one. Without one (nobody is there, or nobody who may sign
    in) it takes as long."""
    real = kept if kept is not None and kept.startswith("$argon2") else None
    async with throttle.hashing():
        known = real if real is not None else await asyncio.to_thread(_nobody)
        # Longer ones were never accepted; hashing megabytes would be a gift to an attacker.
        right = await asyncio.to_thread(_hasher().verify, _bytes(password[:LONGEST]), known)
    return right and real is not None and len(password) <= LONGEST


def _bytes(password: str) -> bytes:
    """Half a character, which only a program sends, is hashed as it is instead of failing."""
    return password.encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHash:
    if settings.argon2_fast:
        return PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    return PasswordHash((Argon2Hasher(),))


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
