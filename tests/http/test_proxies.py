"""Forwarded headers are believed when a configured proxy sent them, and from nobody else."""

import pytest
from fastapi import FastAPI, Request

from app.http.proxies import Proxies, client_address, client_network, from_proxy
from tests.http.conftest import Ask, Build

CLAIMS = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}


def with_mirror(app: FastAPI) -> FastAPI:
    @app.get("/who")
    async def who(request: Request) -> list[str]:
        seen = [client_address(request), client_network(request), request.url.scheme]
        return [*seen, str(from_proxy(request.scope))]

    return app


async def seen(
    build: Build, ask: Ask, peer: str, trusted: str, headers: dict[str, str]
) -> list[str]:
    async with ask(with_mirror(build(trusted=trusted)), address=peer) as client:
        answer: list[str] = (await client.get("/who", headers=headers)).json()
        return answer


async def test_a_stranger_cannot_claim_another_address(build: Build, ask: Ask) -> None:
    for peer in ("198.51.100.7", "127.0.0.1"):
        found = await seen(build, ask, peer, "", CLAIMS)
        assert found == [peer, peer, "http", "False"]


async def test_a_trusted_proxy_is_believed(build: Build, ask: Ask) -> None:
    found = await seen(build, ask, "10.0.0.2", "10.0.0.0/8", CLAIMS)
    assert found == ["203.0.113.9", "203.0.113.9", "https", "True"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the client wrote the first itself
        ("6.6.6.6, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, rubbish", "10.0.0.2"),
        ("", "10.0.0.2"),
        ("10.0.0.4", "10.0.0.4"),
    ],
)
async def test_the_last_stranger_in_the_list_is_the_client(
    build: Build, ask: Ask, forwarded: str, client: str
) -> None:
    found = await seen(build, ask, "10.0.0.2", "10.0.0.0/8", {"x-forwarded-for": forwarded})
    assert found[0] == client


async def test_a_household_is_one_network(build: Build, ask: Ask) -> None:
    found = await seen(build, ask, "2001:db8:1:2:3:4:5:6", "", {})
    assert found[:2] == ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"]


def test_a_mistyped_proxy_stops_the_start() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Proxies(FastAPI(), trusted="10.0.0.1, nonsense")
