"""What stands at the door: cookies, devices, where one is led to, what keeps sessions awake."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from starlette.requests import Request

from app.people import doors
from app.settings import Settings
from tests.clocks import Clock
from tests.neighbours import Street, browser

DAY = timedelta(days=1)


def request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "path": "/", "headers": named, "client": ("192.0.2.7", 1)})


def test_behind_tls_the_browser_guards_the_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "settings", Settings(public_url="https://tools.example.org"))
    answer = doors.let_in(request(), "secret", "ada@example.org", "/c/elm")
    cookie = next(c for c in answer.headers.getlist("set-cookie") if "session" in c)
    assert cookie.startswith("__Host-toolshare_session=secret; ")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_device_is_told_in_words_of_ours(agent: str, words: str) -> None:
    assert doors.device_of(request(user_agent=agent)) == words


@pytest.mark.parametrize("path", ["/", "/c/elm/things?q=1#top", "/join/AAAA-BBBB-CCCC"])
def test_a_page_of_ours_is_led_to(path: str) -> None:
    assert doors.inside(path) == path


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "/\t/evil.example", "\n//evil", "http:evil", "evil", ""],
)
def test_no_other_place_is_led_to(path: str) -> None:
    assert doors.inside(path) == "/"


async def test_a_session_that_is_used_stays_awake(street: Street, the_clock: Clock) -> None:
    for _ in range(3):
        the_clock.move(29 * DAY)
        assert (await street.ben.client.get("/profile")).status_code == 200
    the_clock.move(31 * DAY)
    assert (await street.ben.client.get("/profile")).status_code == 303


@pytest.mark.parametrize("strange", ["\x00", "\u202e", "a\nb", "%", "x" * 5000])
async def test_strange_characters_open_and_break_nothing(street: Street, strange: str) -> None:
    async with browser(street.workers[0]) as client:
        answers: list[httpx.Response] = [
            await client.post("/sign-in", data={"email": strange, "password": strange}),
            await client.get("/join", params={"community": strange}),
            await client.post("/join", params={"community": strange}, data={"name": strange}),
        ]
    assert {answer.status_code for answer in answers} <= {404, 422, 429}
    page = await street.ben.client.get("/c/%00/waiting")
    assert page.status_code == 404
