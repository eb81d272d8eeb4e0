"""Guessing a password is slow, and a family behind the same address hardly notices."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Refusal
from app.http import throttle
from tests.http.conftest import Set
from tests.servers import Redis as Servers

ADA, BEN = "ada@example.org", "ben@example.org"
FREE = throttle.FREE_TRIES


def coming_from(address: str, cookie: str = "") -> Request:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return Request({"type": "http", "client": (address, 1), "headers": headers, "state": {}})


@pytest.fixture
async def redis(valkey: Servers, with_settings: Set) -> AsyncIterator[Redis]:
    """Throttling counts in a corner of its own."""
    with_settings(redis_url=valkey.url, redis_prefix=f"t{secrets.token_hex(4)}")
    await throttle.close()
    async with Redis.from_url(valkey.url) as client:
        yield client
    await throttle.close()


async def silent_redis() -> asyncio.Server:
    """Accepts and listens, and never says a word."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    return await asyncio.start_server(listen, "127.0.0.1", 0)


@pytest.fixture
async def without_redis(with_settings: Set) -> AsyncIterator[None]:
    with_settings(redis_url="unix:///nonexistent/redis.sock")
    await throttle.close()
    yield
    await throttle.close()


async def time_passes(redis: Redis) -> None:
    """The waits are over: their gates expire in Redis."""
    for key in await redis.keys("*:gate*"):
        await redis.delete(key)


async def waits(request: Request, email: str) -> int:
    """0 if the attempt may be made, else the seconds it has to wait."""
    try:
        await throttle.check_sign_in(request, email)
    except throttle.TooMany as refusal:
        return refusal.retry_after
    await throttle.failed(request, email)
    return 0


async def test_failures_on_an_account_make_ever_longer_waits(redis: Redis) -> None:
    for number in range(FREE["account"]):
        assert await waits(coming_from(f"10.0.0.{number}"), ADA) == 0
    found = []
    for number in range(8):
        stranger = coming_from(f"10.0.1.{number}")
        assert await waits(stranger, ADA) == 0
        found.append(await waits(stranger, ADA))
        await time_passes(redis)
    assert found == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_case_and_blanks_do_not_make_another_account(redis: Redis) -> None:
    for number in range(FREE["account"] + 1):
        await waits(coming_from(f"10.0.0.{number}"), ADA)
    assert await waits(coming_from("10.0.1.1"), " ADA@Example.org ") > 0
    assert await waits(coming_from("10.0.1.1"), BEN) == 0


async def test_a_hundred_at_once_gain_nothing(redis: Redis) -> None:
    tries = [waits(coming_from(f"10.0.0.{number}"), ADA) for number in range(100)]
    through = [wait for wait in await asyncio.gather(*tries) if wait == 0]
    assert len(through) == FREE["account"] + 1  # the last of them opened the first gate


async def test_an_address_that_tries_many_accounts_has_to_wait(redis: Redis) -> None:
    for number in range(FREE["address"] + 1):
        assert await waits(coming_from("10.0.0.1"), f"p{number}@example.org") == 0
    assert await waits(coming_from("10.0.0.1"), BEN) > 0
    assert await waits(coming_from("10.0.0.2"), BEN) == 0


async def test_waiting_for_the_account_does_not_use_up_the_address(redis: Redis) -> None:
    home = coming_from("10.0.0.1")
    for _ in range(FREE["address"] * 2):
        await waits(home, ADA)
    assert await waits(home, BEN) == 0


async def test_success_forgives_the_account_but_not_the_address(redis: Redis) -> None:
    home = coming_from("10.0.0.1")
    for number in range(FREE["address"]):
        await throttle.check_sign_in(home, f"p{number}@example.org")
    for _ in range(FREE["account"] - 1):
        assert await waits(coming_from("10.0.0.2"), ADA) == 0
    await throttle.check_sign_in(coming_from("10.0.0.2"), ADA)
    await throttle.succeeded(coming_from("10.0.0.2"), ADA)
    assert await waits(coming_from("10.0.0.2"), ADA) == 0
    await throttle.check_sign_in(home, BEN)
    await throttle.succeeded(home, BEN)  # an own account is no key to all the others
    assert await waits(home, "cy@example.org") > 0


def remembered(email: str, cookie: str = "") -> str:
    response = Response()
    throttle.remember(response, coming_from("10.0.0.9", cookie), email)
    return response.headers["set-cookie"].partition(";")[0]


async def test_nobody_can_lock_out_a_device_that_signed_in_before(redis: Redis) -> None:
    known = coming_from("10.0.0.1", remembered(ADA))
    for _ in range(FREE["account"] + FREE["address"] + 5):
        await waits(coming_from("10.0.0.1"), ADA)
    assert await waits(coming_from("10.0.0.1"), ADA) > 0
    assert await waits(known, ADA) == 0
    for _ in range(FREE["device"]):
        await waits(known, ADA)
    assert await waits(known, ADA) > 0  # it has limits of its own
    assert await waits(coming_from("10.0.0.7", remembered(ADA)), ADA) == 0


async def test_a_device_cookie_fits_one_account_and_cannot_be_made_up(redis: Redis) -> None:
    for number in range(FREE["account"] + 1):
        await waits(coming_from(f"10.0.0.{number}"), ADA)
    invented = "device=" + "0" * 32 + "-" + "0" * 64
    for cookie in (remembered(BEN), invented, "device=", "device=....", "device=-é", "device=é-é"):
        assert await waits(coming_from("10.0.1.1", cookie), ADA) > 0, cookie


async def test_a_family_shares_a_tablet(redis: Redis) -> None:
    both = remembered(BEN, remembered(ADA))
    again = remembered(BEN, both)
    assert again.count(".") == 1
    for number in range(FREE["account"] + 1):
        await waits(coming_from(f"10.0.0.{number}"), ADA)
    assert await waits(coming_from("10.0.1.1", again), ADA) == 0


async def test_neither_cookie_nor_redis_nor_log_holds_an_address(
    redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(FREE["account"] + 3):
        await waits(coming_from("10.0.0.1"), ADA)
    kept = str(await redis.keys("*"))
    assert "throttle" in kept
    assert "ada@" not in kept
    assert "ada@" not in remembered(ADA)
    assert "example.org" not in "".join(capsys.readouterr())


async def test_without_redis_the_door_stays_guarded(without_redis: None) -> None:
    tries = [waits(coming_from(f"10.0.0.{number}"), ADA) for number in range(50)]
    through = [wait for wait in await asyncio.gather(*tries) if wait == 0]
    assert len(through) == FREE["account"] + 1


async def test_a_redis_that_never_answers_is_not_waited_for(with_settings: Set) -> None:
    server = await silent_redis()
    port = server.sockets[0].getsockname()[1]
    with_settings(redis_url=f"redis://127.0.0.1:{port}/0")
    await throttle.close()
    async with asyncio.timeout(10), server:
        for number in range(FREE["account"] + 1):
            assert await waits(coming_from(f"10.0.0.{number}"), ADA) == 0
        assert await waits(coming_from("10.0.1.1"), ADA) > 0
        await throttle.close()


async def test_everything_else_has_a_plain_rate(redis: Redis) -> None:
    home = coming_from("10.0.0.1")
    for _ in range(3):
        await throttle.spend(home, "sign_up", limit="3/minute")
    with pytest.raises(throttle.TooMany) as refusal:
        await throttle.spend(home, "sign_up", limit="3/minute")
    assert refusal.value.status == 429
    assert str(refusal.value.retry_after) in (refusal.value.way_out or "")
    assert 1 <= refusal.value.retry_after <= 60
    await throttle.spend(home, "join", limit="3/minute")
    await throttle.spend("person:7", "sign_up", limit="3/minute")


async def test_only_so_many_hashes_are_made_at_once() -> None:
    going, most, done = 0, 0, asyncio.Event()

    async def hash_one() -> bool:
        nonlocal going, most
        try:
            async with throttle.hashing():
                going += 1
                most = max(most, going)
                await done.wait()
                going -= 1
        except Refusal:
            done.set()
            return False
        return True

    answers = await asyncio.gather(*(hash_one() for _ in range(throttle.HASHES_WAITING + 8)))
    assert most == throttle.HASHES_AT_ONCE
    assert answers.count(False) == 8
