"""axe finds nothing on any page, on a phone by day and on a wide screen by night."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.neighbours import found_street
from tests.stories.place import Place, furnished
from tests.stories.windows import PASSWORD, Desk, Window
from tests.workers import Worker, start_worker

pytestmark = pytest.mark.browser

Theme = Literal["light", "dark"]
# Colours come from the theme and places from the width: two of the four pairs show all of both.
LOOKS: tuple[tuple[Theme, int], ...] = (("light", 390), ("dark", 1280))
NARROWEST = 320  # CSS pixels: 1280 at 400 %, as WCAG 1.4.10 asks
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


# page: who opens it; "" is a stranger, "nobody" somebody on an empty street
PAGES = {
    "board": "ben",
    "board without a fit": "ben",
    "board, empty": "nobody",
    "board, filtered": "ben",
    "tool, borrower": "ben",
    "tool, one's own": "ada",
    "tool, paused": "ben",
    "tool, new": "ada",
    "tool, edit": "ada",
    "tool, photos": "ada",
    "inventory": "cora",
    "import": "ada",
    "tool, days off": "ada",
    "tool, repairs": "ada",
    "tool, from its label": "ada",
    "labels": "ada",
    "calendar": "ben",
    "tool, of all": "ada",
    "tool, keepers": "cora",
    "room, lender": "ada",
    "message": "ada",
    "question": "cy",
    "search": "ben",
    "reports": "cora",
    "room, borrower": "ben",
    "room, with an incident": "ada",
    "help": "cora",
    "help, one loan": "cora",
    "room, over": "ben",
    "tool, lend now": "ada",
    "hand-over, code": "cora",
    "hand-over, typing": "ben",
    "hand-over, scan": "ben",
    "hand-over, record": "ada",
    "room, other dates": "cora",
    "other dates": "ben",
    "room, shut": "cy",
    "room, shut by oneself": "ada",
    "tool, of somebody blocked": "ada",
    "wanted": "ben",
    "wanted, to coordinators": "cora",
    "things": "ada",
    "things, empty": "nobody",
    "rooms": "ben",
    "rooms, empty": "nobody",
    "members": "cora",
    "categories": "cora",
    "districts": "cora",
    "place": "ada",
    "tool, where it is": "ada",
    "board, of a district": "ben",
    "poster": "cora",
    "profile": "ben",
    "what reaches one": "ben",
    "profile, with a block": "ada",
    "room, about the other": "ada",
    "tool, about its lender": "ada",
    "choose": "ben",
    "not found": "ben",
    "sign in": "",
    "join by link": "",
    "join by asking": "",
    "joining when signed in": "ben",
    "forgotten": "",
    "reset": "",
    "not found, stranger": "",
    # and those that an act leads to
    "tool, being chosen": "ben",
    "tool, its rules refused": "ada",
    "tool, refused": "ada",
    "asking, refused": "ben",
    "other dates, refused": "ben",
    "signing in, refused": "",
    "waiting to be let in": "",
    "password, refused": "ben",
}


async def types_nonsense(window: Window) -> None:
    await window.page.get_by_label("What is it?").fill("   ")
    await window.page.get_by_label("Price for a day").fill("cheap")
    await window.press("Keep the changes")


async def asks_backwards(window: Window) -> None:
    first = window.page.get_by_label("First day")
    today = await first.get_attribute("min")
    assert today is not None
    await first.fill((date.fromisoformat(today) + timedelta(days=3)).isoformat())
    await window.page.get_by_label("Last day").fill(today)
    await window.press("Ask Ada for it")


async def changes_nothing(window: Window) -> None:
    await window.press("Ask Cora")


async def signs_in_wrongly(window: Window) -> None:
    await window.page.get_by_label("E-mail").fill("nobody@example.org")
    await window.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await window.press("Sign in")


async def asks_to_join(window: Window) -> None:
    await window.page.get_by_label("Your name").fill("Eli Brandt")
    await window.page.get_by_label("E-mail").fill(f"eli.{uuid.uuid4().hex}@example.org")
    await window.page.get_by_label("Choose a password").fill(PASSWORD)
    await window.page.get_by_label("I am 18 or older").check()
    await window.press("Ask to join")


async def changes_the_password_wrongly(window: Window) -> None:
    await window.page.get_by_label("The one you have").fill("not this one")
    await window.page.get_by_label("The new one").fill(PASSWORD)
    await window.press("Change it")


async def opens_the_window(window: Window) -> None:
    await window.page.get_by_role("button", name="More about").click()


async def chooses_days(window: Window) -> None:
    await window.page.locator(".day.is-choosing").first.click()


async def sets_backward_rules(window: Window) -> None:
    await window.page.get_by_text("Rules, for who wants them").click()
    await window.page.get_by_label("Monday, from").fill("20:00")
    await window.page.get_by_label("Monday, until").fill("17:00")
    await window.press("Keep the changes")


ACTS: dict[str, tuple[Callable[[Window], Awaitable[None]], str]] = {
    "tool, refused": (types_nonsense, ".error"),
    "asking, refused": (asks_backwards, ".error"),
    "other dates, refused": (changes_nothing, ".error"),
    "tool, being chosen": (chooses_days, "#choice .error, #choice .reason"),
    "tool, its rules refused": (sets_backward_rules, ".error"),
    "signing in, refused": (signs_in_wrongly, ".error"),
    "waiting to be let in": (asks_to_join, "h1:text('Nearly there')"),
    "password, refused": (changes_the_password_wrongly, ".error"),
    "room, about the other": (opens_the_window, ".window h2"),
    "tool, about its lender": (opens_the_window, ".window h2"),
}


@pytest.fixture(scope="module")
async def place(workers: tuple[Worker, Worker]) -> AsyncIterator[Place]:
    async with found_street(workers) as street, found_street(workers) as quiet:
        yield await furnished(street, quiet)


async def is_fine(window: Window) -> None:
    """In every look: axe has nothing to say, and nothing sticks out to the side."""
    for theme, width in LOOKS:
        await window.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        await window.page.set_viewport_size({"width": width, "height": 844})
        # All in sight: what lies half below the bar at the bottom is scrolled to, not out of reach.
        height = await window.page.evaluate("document.documentElement.scrollHeight")
        await window.page.set_viewport_size({"width": width, "height": height})
        found = await Axe().run(window.page, options=OPTIONS)
        told = [_told(one) for one in found.response["violations"]]
        assert not told, f"{theme}, {width} px:\n" + "\n".join(told)
        await fits(window, width)
    await window.page.set_viewport_size({"width": NARROWEST, "height": 600})
    await fits(window, NARROWEST)


OUTSIDE = """
    [...document.querySelectorAll("main :is(h1, h2, h3, p, a, button, img, input, label)")]
        .filter((one) => one.checkVisibility() && !one.closest(".unseen, [hidden]"))
        .filter((one) => {
            for (let up = one.parentElement; up; up = up.parentElement)
                if (/auto|scroll/.test(getComputedStyle(up).overflowX)) return false;
            const { left, right } = one.getBoundingClientRect();
            return left < -1 || right > innerWidth + 1;
        })
        .map((one) => one.outerHTML.slice(0, 120))
"""


async def fits(window: Window, width: int) -> None:
    """Nothing sticks out, not even where it would be cut off; long rows may scroll alone."""
    wide = await window.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"the page is {wide} px wide on a screen of {width} px"
    outside = await window.page.evaluate(OUTSIDE)
    assert not outside, f"on a screen of {width} px these stick out: {outside}"


def _told(violation: dict[str, Any]) -> str:
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']}"]
    for node in violation["nodes"][:4]:
        lines.append(f"    {' '.join(map(str, node['target']))}: {node['html'][:160]}")
        lines += [f"      {one['message']}" for one in node["any"] + node["all"] + node["none"]]
    return "\n".join(lines)


async def at(desk: Desk, place: Place, page: str) -> Window:
    """A window that shows the page; where it is a refusal, the browser may say so."""
    who, worker = place.who(PAGES[page]), place.street.workers[0]
    window = await desk.window_of(who) if who else await desk.window(worker)
    if page.startswith("not found") or page.endswith("refused"):
        window.forgiven = ("the server responded with a status of 4",)
    await window.opens(place.paths[page])
    if page in ACTS:
        act, then = ACTS[page]
        await act(window)
        await expect(window.page.locator(then).first).to_be_visible()
    return window


@pytest.mark.parametrize("page", PAGES)
async def test_everybody_can_use(page: str, place: Place, desk: Desk) -> None:
    window = await at(desk, place, page)
    await expect(window.page.locator("h1")).to_have_count(1)
    if await window.page.locator("#liveness").count():
        await window.is_live()
    await unfold(window)
    await is_fine(window)


async def unfold(window: Window) -> None:
    """Shows what is folded away; where only one of a group can be open, the last is."""
    for more in await window.page.locator("main details").all():
        await more.locator("> summary").click()


async def test_everybody_can_set_it_up(database: str, desk: Desk) -> None:
    worker = await start_worker("empty", DATABASE_URL=database, REDIS_PREFIX="empty_test")
    try:
        window = await desk.window(worker)
        await window.opens("/")
        await expect(window.page.get_by_label("Set-up code")).to_be_visible()
        await is_fine(window)
    finally:
        await worker.stop()


async def test_the_documents_of_the_api_load_without_a_complaint(
    workers: tuple[Worker, Worker], desk: Desk
) -> None:
    window = await desk.window(workers[0])
    await window.opens("/docs")
    await window.page.locator("#operations-tag-tools").click()
    await expect(window.page.get_by_text("/api/v1/c/{slug}/tools").first).to_be_visible()
