"""The instance's part of the API: accounts, tokens, my communities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app import clock, db
from app.people import links, passwords, queries
from app.people.doors import cookie_name
from tests.neighbours import Street
from tests.people.living import PASSWORD


@pytest.fixture
async def program(street: Street) -> AsyncIterator[httpx.AsyncClient]:
    """What is no browser: it sends neither cookies nor where it comes from."""
    url = f"{street.workers[0].url}/api/v1"
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def code_of(street: Street) -> str:
    async with db.begin() as tx:
        _, code = await links.make_join_link(tx, street.cora.viewer, clock.now())
    return code


def dee(street: Street, code: str) -> dict[str, str]:
    email = f"dee.api.{street.here.slug}@example.org"
    return {"name": "Dee", "email": email, "password": PASSWORD, "code": code}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def problem(answer: httpx.Response, status: int, field: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["detail"]
    if field:
        assert [error["field"] for error in told["errors"]] == [field]
    return told


async def test_a_program_signs_up_gets_a_token_and_sees_its_communities(
    street: Street, program: httpx.AsyncClient
) -> None:
    new = dee(street, await code_of(street))
    made = await program.post("/people", json=new)
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["communities"]) == ("Dee", [street.here.slug])
    again = await program.post("/people", json=new)
    assert (again.status_code, again.json()) == (201, made.json())
    issued = await program.post("/tokens", json={k: new[k] for k in ("email", "password")})
    assert issued.status_code == 201
    assert issued.json().keys() == {"token", "expires_at"}
    assert "no-store" in issued.headers["cache-control"]
    token = bearer(issued.json()["token"])
    mine = await program.get("/communities", headers=token)
    assert mine.json() == {
        "items": [
            {
                "slug": street.here.slug,
                "name": street.here.name,
                "zone": "Europe/London",
                "role": "member",
                "currency": "EUR",
                "status": "active",
            }
        ],
        "next": None,
    }
    assert (await program.post("/tokens/end", headers=token)).status_code == 204
    problem(await program.get("/communities", headers=token), 401)


async def test_what_cannot_be_taken_is_named_and_never_repeated(
    street: Street, program: httpx.AsyncClient
) -> None:
    new = dee(street, await code_of(street))
    problem(await program.post("/people", json=new | {"email": "dee"}), 422, "email")
    problem(await program.post("/people", json=new | {"name": ""}), 422, "name")
    problem(await program.post("/people", json=new | {"code": "AAAA-BBBB-CCCC"}), 422, "code")
    weak = await program.post("/people", json=new | {"password": "password123"})
    problem(weak, 422, "password")
    assert "password123" not in weak.text
    long = await program.post("/people", json=new | {"password": "hush" * 200})
    problem(long, 422)
    assert "hush" not in long.text
    problem(await program.post("/people", json=new | {"role": "admin"}), 422)
    problem(await program.post("/people", content=b"{"), 422)
    async with db.snapshot() as tx:
        assert await queries.person_by_email(tx, new["email"]) is None


async def test_without_a_valid_invitation_nobody_learns_whether_an_address_is_known(
    street: Street, program: httpx.AsyncClient
) -> None:
    unknown = await program.post("/people", json=dee(street, "AAAA-BBBB-CCCC"))
    known = await program.post(
        "/people", json=dee(street, "AAAA-BBBB-CCCC") | {"email": street.ada.email}
    )
    first, second = problem(unknown, 422, "code"), problem(known, 422, "code")
    assert first | {"request_id": ""} == second | {"request_id": ""}


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    street: Street, program: httpx.AsyncClient
) -> None:
    answers = [
        problem(await program.post("/tokens", json={"email": email, "password": "wrong one"}), 422)
        for email in (street.ada.email, f"nobody.{street.here.slug}@example.org")
    ]
    assert answers[0] | {"request_id": ""} == answers[1] | {"request_id": ""}


async def test_guessing_is_slowed_down(street: Street, program: httpx.AsyncClient) -> None:
    guess = {"email": street.cy.email, "password": "guess after guess"}
    answers = [await program.post("/tokens", json=guess) for _ in range(7)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[0] == 422
    slowed = next(answer for answer in answers if answer.status_code == 429)
    assert int(slowed.headers["retry-after"]) >= 1
    problem(slowed, 429)


async def test_cookies_open_nothing_and_tokens_open_no_page(
    street: Street, program: httpx.AsyncClient
) -> None:
    cookie = {"Cookie": f"{cookie_name()}={street.ben.cookie}"}
    problem(await program.get("/communities", headers=cookie), 401)
    problem(await program.get("/communities", headers=bearer(street.ben.cookie)), 401)
    token = await token_of(street, program)
    page = await program.get(f"{street.workers[0].url}/profile", headers=bearer(token))
    assert page.status_code == 303


async def token_of(street: Street, program: httpx.AsyncClient) -> str:
    """A token of Ben's."""
    async with db.begin() as tx:
        person = await queries.person(tx, street.ben.id)
        person.password_hash = await passwords.hashed(PASSWORD)
    issued = await program.post("/tokens", json={"email": person.email, "password": PASSWORD})
    assert issued.status_code == 201
    return str(issued.json()["token"])


@pytest.mark.parametrize("end", ["suspension", "sign-out"])
async def test_a_token_ends_with_a_suspension_and_with_signing_out_everywhere(
    street: Street, program: httpx.AsyncClient, end: str
) -> None:
    token = await token_of(street, program)
    assert (await program.get("/communities", headers=bearer(token))).status_code == 200
    if end == "suspension":
        await street.cora.does(f"{street.cora.home}/members/{street.ben.id}/suspension")
    else:
        await street.ben.does("/profile/sessions/end")
    problem(await program.get("/communities", headers=bearer(token)), 401)


async def test_a_program_meets_the_walls_between_communities(
    street: Street, program: httpx.AsyncClient
) -> None:
    token = await token_of(street, program)
    inside = await program.get(f"/c/{street.here.slug}/tools", headers=bearer(token))
    assert inside.status_code == 200
    problem(await program.get("/c/no-such-street/tools", headers=bearer(token)), 404)
    problem(await program.get(f"/c/{street.here.slug}/tools"), 401)
