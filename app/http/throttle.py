"""Limits on trying: sign-in by account, address and device; everything else by a plain rate.

An attempt is counted before it is made and forgiven when it succeeds, so a hundred at once gain
nothing. After the free ones each has to wait for the one before: 1, 2, 4, … at most 30 s.
"""

import asyncio
import hashlib
import hmac
import math
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from limits import parse
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.errors import Refusal
from app.http import log
from app.http.proxies import client_network
from app.http.tally import Storage, close, tally
from app.settings import settings

__all__ = [
    "TooMany",
    "check_sign_in",
    "close",
    "failed",
    "hashing",
    "remember",
    "spend",
    "succeeded",
]

FORGOTTEN_AFTER = 15 * 60  # seconds without a new failure window
LONGEST_WAIT = 30
FREE_TRIES = {"account": 5, "device": 10, "address": 30}  # a whole house sits behind one address
DEVICE_DAYS = 180
DEVICE_PEOPLE = 4  # a family's tablet
HASHES_AT_ONCE = 2
HASHES_WAITING = 32


@dataclass(eq=False)
class TooMany(Refusal):
    """429; `retry_after` in seconds becomes the header."""

    status: int = 429
    code: str = "too_many"
    retry_after: int = 1


def _refusal(seconds: float) -> TooMany:
    wait = max(1, math.ceil(seconds))
    unit = "second" if wait == 1 else "seconds"
    sentence = "That was too often in a short time."
    return TooMany(sentence, f"Please try again in {wait} {unit}.", retry_after=wait)


# --- sign-in


async def check_sign_in(request: HTTPConnection, email: str) -> None:
    """Counts an attempt; raises TooMany while its account, address or device has to wait."""
    counted: list[str] = []
    for bucket in _buckets(request, email):
        if wait := await tally().ask(partial(_try, bucket=bucket)):
            for other in counted:  # no attempt was made
                await tally().ask(partial(_forgive, bucket=other))
            log.security("sign_in_throttled", request, by=bucket.partition(":")[0])
            raise _refusal(wait)
        counted.append(bucket)


async def failed(request: HTTPConnection, email: str) -> None:
    """The attempt stays counted; this only writes it down."""
    log.security("sign_in_failed", request, account=_pseudonym(email)[:12])


async def succeeded(request: HTTPConnection, email: str) -> None:
    """Forgives this account (or device), and takes the attempt back from the address."""
    for bucket in _buckets(request, email):
        await tally().ask(partial(_forgive, bucket=bucket))


def remember(response: Response, request: HTTPConnection, email: str) -> None:
    """After a success: from now on this browser has a bucket of its own for this account."""
    others = [each for each in _devices(request) if not _is_for(each, email)]
    value = ".".join([_device(email), *others][:DEVICE_PEOPLE])
    response.set_cookie(
        _cookie(),
        value,
        max_age=DEVICE_DAYS * 86_400,
        path="/",
        secure=settings.behind_tls,
        httponly=True,
        samesite="lax",
    )


def _buckets(request: HTTPConnection, email: str) -> list[str]:
    """A known device stands alone, so nobody else's failures can keep it out."""
    for device in _devices(request):
        if _is_for(device, email):
            return [f"device:{hashlib.sha256(device.encode()).hexdigest()[:32]}"]
    return [f"address:{client_network(request)}", f"account:{_pseudonym(email)}"]


async def _try(storage: Storage, bucket: str) -> float:
    """0 if the attempt may be made (it is counted then), else the seconds to wait."""
    tries, gate = f"{bucket}:tries", f"{bucket}:gate"
    free = FREE_TRIES[bucket.partition(":")[0]]
    count = await storage.get(tries)
    if count < free:
        count = await storage.incr(tries, FORGOTTEN_AFTER)
        if count <= free:
            return 0
    wait = min(LONGEST_WAIT, 2 ** min(max(count - free, 0), 5))
    if await storage.incr(gate, wait) == 1:  # only one gets through until it expires
        await storage.incr(tries, FORGOTTEN_AFTER)
        return 0
    return min(LONGEST_WAIT, max(1.0, await storage.get_expiry(gate) - time.time()))


async def _forgive(storage: Storage, bucket: str) -> None:
    if not bucket.startswith("address:"):
        await storage.clear(f"{bucket}:tries")
        await storage.clear(f"{bucket}:gate")
    elif await storage.get(f"{bucket}:tries") > 0:
        # Not cleared: else whoever has one account could try all others without end.
        await storage.incr(f"{bucket}:tries", FORGOTTEN_AFTER, amount=-1)


# --- devices: random, with a signature over the account, so that nobody invents one


def _cookie() -> str:
    return "__Host-device" if settings.behind_tls else "device"


def _device(email: str, nonce: str | None = None, *, previous: bool = False) -> str:
    nonce = nonce or secrets.token_hex(16)
    key = settings.key_for("device", previous=previous)
    signed = hmac.new(key, f"{nonce}:{_name(email)}".encode(), hashlib.sha256).hexdigest()
    return f"{nonce}-{signed}"


def _devices(request: HTTPConnection) -> list[str]:
    listed = request.cookies.get(_cookie(), "").split(".")
    return [each for each in listed if each][:DEVICE_PEOPLE]


def _is_for(device: str, email: str) -> bool:
    nonce = device.partition("-")[0]
    if not nonce:
        return False
    keys = (False, True) if settings.previous_secret_key else (False,)
    given = device.encode()
    return any(
        hmac.compare_digest(_device(email, nonce, previous=previous).encode(), given)
        for previous in keys
    )


def _name(email: str) -> str:
    return email.strip().lower()[:320]


def _pseudonym(email: str) -> str:
    """The account's name in Redis and logs: says nothing to whoever reads them."""
    return hmac.new(
        settings.key_for("throttle"), _name(email).encode(), hashlib.sha256
    ).hexdigest()[:32]


# --- everything else


async def spend(who: HTTPConnection | str, name: str, limit: str = "20/minute") -> None:
    """One of `limit` for this address (or key, such as a person's id); raises TooMany."""
    key = who if isinstance(who, str) else client_network(who)
    item = parse(limit)

    async def ask(storage: Storage) -> float:
        limiter = MovingWindowRateLimiter(storage)
        if await limiter.hit(item, name, key):
            return 0
        reset, _ = await limiter.get_window_stats(item, name, key)
        return max(1.0, reset - time.time())

    if wait := await tally().ask(ask):
        log.security("throttled", who if isinstance(who, HTTPConnection) else None, limit=name)
        raise _refusal(wait)


# --- password hashes: each takes a core and 64 MB

_hashing = asyncio.Semaphore(HASHES_AT_ONCE)
_waiting = 0


@asynccontextmanager
async def hashing() -> AsyncIterator[None]:
    """Around each Argon2 call: two at once, a bounded queue, then a refusal instead of a pile."""
    global _waiting
    if _waiting >= HASHES_WAITING:
        raise _refusal(2)
    _waiting += 1
    try:
        async with _hashing:
            yield
    finally:
        _waiting -= 1
