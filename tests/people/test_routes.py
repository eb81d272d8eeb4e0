"""Signing in and out, the profile and a new start, as a browser meets them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import websockets

from app import clock, db, topic
from app.people import commands, passwords, queries, sessions
from app.people.doors import cookie_name
from app.people.models import PersonId
from tests.neighbours import Neighbour, Street, browser
from tests.people.living import PASSWORD

SAID = "do not belong together"


@pytest.fixture
async def ada(street: Street) -> Neighbour:
    """With a password."""
    async with db.begin() as tx:
        person = await queries.person(tx, street.ada.id)
        person.password_hash = await passwords.hashed(PASSWORD)
    return street.ada


@pytest.fixture
async def stranger(street: Street) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(street.workers[1]) as client:
        yield client


async def sign_in(
    client: httpx.AsyncClient, email: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    return await client.post("/sign-in", data={"email": email, "password": password, **more})


async def test_ada_signs_in_where_she_wanted_to_go_and_out_again(
    ada: Neighbour, stranger: httpx.AsyncClient
) -> None:
    asked = await stranger.get(f"{ada.home}/things")
    assert asked.headers["location"] == f"/sign-in?next=%2Fc%2F{ada.viewer.here.slug}%2Fthings"
    page = await stranger.get(asked.headers["location"])
    assert f'value="{ada.home}/things"' in page.text
    answer = await sign_in(stranger, ada.email.upper(), next=f"{ada.home}/things")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ada.home}/things")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if cookie_name() in c)
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert (await stranger.get("/")).headers["location"] == ada.home
    secret = stranger.cookies[cookie_name()]
    assert (await stranger.post("/sign-out")).headers["location"] == "/sign-in"
    assert cookie_name() not in stranger.cookies
    stolen = await stranger.get("/profile", headers={"Cookie": f"{cookie_name()}={secret}"})
    assert stolen.headers["location"].startswith("/sign-in")


async def test_unknown_and_wrong_get_the_same_answer(
    ada: Neighbour, stranger: httpx.AsyncClient
) -> None:
    wrong = await sign_in(stranger, ada.email, "not her password")
    unknown = await sign_in(stranger, "nobody@example.org", "not her password")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert SAID in wrong.text
    assert "not her password" not in wrong.text
    assert f'value="{ada.email}"' in wrong.text
    assert wrong.text.replace(ada.email, "") == unknown.text.replace("nobody@example.org", "")
    assert cookie_name() not in stranger.cookies


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
    ],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(
    ada: Neighbour, stranger: httpx.AsyncClient, next_page: str
) -> None:
    answer = await sign_in(stranger, ada.email, next=next_page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_signing_in_again_gives_a_new_session_and_ends_the_former(
    ada: Neighbour, stranger: httpx.AsyncClient
) -> None:
    await sign_in(stranger, ada.email)
    first = stranger.cookies[cookie_name()]
    await sign_in(stranger, ada.email)
    assert stranger.cookies[cookie_name()] != first
    async with db.snapshot() as tx:
        assert await queries.signed_by_cookie(tx, first, clock.now()) is None


async def test_a_session_that_somebody_invents_opens_nothing(street: Street) -> None:
    async with browser(street.workers[0], "invented") as client:
        assert (await client.get("/profile")).status_code == 303
        assert (await client.get("/")).headers["location"] == "/sign-in"


async def test_every_page_about_oneself_asks_to_sign_in(stranger: httpx.AsyncClient) -> None:
    for path in ("/profile", "/communities", "/c/somewhere/waiting", "/c/somewhere/members"):
        answer = await stranger.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in?next="), path
    for path in ("/profile", "/profile/password", "/profile/sessions/end", "/c/x/leave"):
        assert (await stranger.post(path)).headers["location"].startswith("/sign-in"), path


async def test_the_pages_in_front_of_the_door_open(stranger: httpx.AsyncClient) -> None:
    for path, words in {"/sign-in": "Good to see you", "/forgotten": "coordinator"}.items():
        page = await stranger.get(path)
        assert page.status_code == 200
        assert words in page.text


async def test_a_new_password_signs_everybody_else_out(
    ada: Neighbour, stranger: httpx.AsyncClient
) -> None:
    async with ada.watches(topic.things(ada.id)) as elsewhere:
        await sign_in(stranger, ada.email)
        refused = await stranger.post(
            "/profile/password", data={"current": "wrong", "password": "another good one"}
        )
        assert refused.status_code == 422
        assert "not the password you have" in refused.text
        changed = await stranger.post(
            "/profile/password", data={"current": PASSWORD, "password": "another good one"}
        )
        assert changed.headers["location"] == "/profile"
        with pytest.raises(websockets.ConnectionClosed):
            await elsewhere.until(lambda: False)
    assert (await stranger.get("/profile")).status_code == 200
    assert (await ada.client.get("/profile")).status_code == 303


async def test_signing_out_everywhere_ends_this_browser_too(ada: Neighbour) -> None:
    assert await ada.does("/profile/sessions/end") == "/sign-in"
    assert (await ada.client.get("/profile")).status_code == 303


async def test_the_profile_shows_who_one_is_and_where_one_is_signed_in(ada: Neighbour) -> None:
    async with db.begin() as tx:
        await sessions.open_session(tx, ada.id, "Firefox on Android", clock.now())
    page = await ada.opens("/profile")
    assert ada.email in page
    assert "Firefox on Android" in page
    assert ada.viewer.here.name in page


async def test_a_new_name_is_on_the_board_at_once(ada: Neighbour, street: Street) -> None:
    drill = await ada.lists("Drill")
    card = topic.tool(street.here.id, drill)
    async with street.ben.watches(card) as screen:
        await ada.does("/profile", name="Ada <b>Lovelace</b>")
        assert "<b>Lovelace" not in await screen.shows(card, "Lovelace")
    refused = await ada.posts("/profile", name="x" * 81)
    assert refused.status_code == 422
    assert "at most 80" in refused.text


async def test_a_new_start_names_who_it_is_for_and_works_once(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    cora, ben = street.cora, street.ben
    page = await cora.client.post(f"{cora.home}/members/{ben.id}/reset-link")
    assert page.status_code == 200, page.text
    found = re.search(r"/reset/[\w-]+", page.text)
    assert found is not None
    path = found[0]
    assert path not in await cora.opens(f"{cora.home}/members")
    for _ in range(2):
        opened = await stranger.get(path)
        assert "Ben" in opened.text
        assert opened.headers["cache-control"].startswith(("no-store", "private"))
    refused = await stranger.post(path, data={"password": "password1"})
    assert (refused.status_code, "tried first" in refused.text) == (422, True)
    answer = await stranger.post(path, data={"password": "another good one"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await stranger.get("/profile")).status_code == 200
    assert (await ben.client.get("/profile")).status_code == 303
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(path, data={"password": "yet another one"})).status_code == 404


async def test_a_cross_site_form_signs_nobody_out(ada: Neighbour) -> None:
    answer = await ada.client.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert (await ada.client.get("/profile")).status_code == 200


async def test_the_community_seen_last_opens_next_time(ada: Neighbour, street: Street) -> None:
    async with db.begin() as tx:
        person = await queries.person(tx, ada.id)
        slug = f"second-{street.here.slug}"
        second = await commands.found_community(
            tx, slug, "Second", "Europe/Paris", person, clock.now()
        )
    assert (await ada.client.get("/")).headers["location"] == f"/c/{second.slug}"
    await ada.opens(ada.home)
    assert (await ada.client.get("/")).headers["location"] == ada.home
    assert "Second" in await ada.opens("/communities")


async def test_light_or_dark_is_kept_and_leads_back(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.post("/theme", data={"theme": "dark", "back": "/forgotten"})
    assert answer.headers["location"] == "/forgotten"
    assert 'data-theme="dark"' in (await stranger.get("/forgotten")).text
    await stranger.post("/theme", data={"theme": "system", "back": "//evil.example"})
    assert "data-theme" not in (await stranger.get("/forgotten")).text


async def test_somebody_in_no_community_is_told_how_to_get_into_one(street: Street) -> None:
    async with db.begin() as tx:
        email = f"lone.{street.here.slug}@example.org"
        lone = await commands.add_person(tx, email, "Lone", PASSWORD, clock.now())
        secret = await sessions.open_session(tx, PersonId(lone.id), "", clock.now())
    async with browser(street.workers[0], secret) as client:
        assert (await client.get("/")).headers["location"] == "/communities"
        assert "in no community yet" in (await client.get("/communities")).text
        assert (await client.get(street.here.path)).status_code == 404


async def test_a_wrong_address_keeps_the_frame_of_who_is_signed_in(street: Street) -> None:
    answer = await street.ben.client.get(f"{street.ben.home}/nothing/of/the/kind")
    assert answer.status_code == 404
    assert "Signed in as Ben Okafor" in answer.text
    assert (await street.ben.client.get("/nowhere")).status_code == 404
    async with browser(street.workers[0]) as visitor:
        assert "Signed in as" not in (await visitor.get("/nowhere")).text


async def test_others_see_nothing_of_me_until_i_allow_it(street: Street) -> None:
    page = await street.ada.opens("/profile")
    assert 'name="here" value="1">' in page
    await street.ada.does("/profile/presence", here="1")
    page = await street.ada.opens("/profile")
    assert 'name="here" value="1" checked>' in page
    assert 'name="typing" value="1">' in page
    await street.ada.does("/profile/presence")
    assert "checked>" not in await street.ada.opens("/profile")
