"""Two browsers in one room: who is there and who types is seen, if allowed, and goes again."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Page, expect

from tests.neighbours import Street
from tests.stories.windows import Desk, Window

pytestmark = pytest.mark.browser

HERE, TYPING = "That I am here", "That I am typing"


@pytest.fixture
async def room(street: Street) -> str:
    """Ada's drill, ben's request: the path of their room."""
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    return f"{street.here.path}/loans/{loan}"


async def allows(window: Window, *what: str) -> None:
    await window.opens("/profile")
    seen = window.page.locator("#presence")
    for name in (HERE, TYPING):
        await seen.get_by_label(name).set_checked(name in what)
    await seen.get_by_role("button", name="Keep").click()
    for name in (HERE, TYPING):
        await expect(seen.get_by_label(name)).to_be_checked(checked=name in what)


async def shows(window: Window, words: str) -> None:
    await expect(window.page.locator(".company")).to_have_text(words)


async def hide(page: Page, hidden: bool) -> None:
    """As if another tab lay over it."""
    await page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


async def test_ben_sees_ada_come_type_and_go(street: Street, room: str, desk: Desk) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    await allows(ada, HERE, TYPING)
    await ada.opens_live(room)
    await ben.opens_live(room)
    await shows(ben, f"{street.ada.name} is here")
    line = await ben.page.locator(".company").bounding_box()
    await ada.page.get_by_label("Your message").press_sequentially("On my w")
    await shows(ben, f"{street.ada.name} is typing …")
    assert await ben.page.locator(".company").bounding_box() == line, "nothing moves"
    await shows(ben, f"{street.ada.name} is here")  # she has stopped in the middle of a word
    await ada.page.get_by_label("Your message").press_sequentially("ay")
    await shows(ben, f"{street.ada.name} is typing …")
    await ada.page.get_by_role("button", name="Send").click()
    await expect(ben.page.locator("#timeline")).to_contain_text("On my way")
    await shows(ben, f"{street.ada.name} is here")
    await expect(ada.page.locator(".company")).to_be_empty()
    await hide(ada.page, True)
    await shows(ben, "")
    await hide(ada.page, False)
    await shows(ben, f"{street.ada.name} is here")
    await ada.page.close()
    await shows(ben, "")
    await ben.was_never_reloaded()


async def test_whoever_allows_nothing_is_not_seen(street: Street, room: str, desk: Desk) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    await allows(ben, HERE)
    await ada.opens_live(room)
    await ben.opens_live(room)
    await shows(ada, f"{street.ben.name} is here")
    await ada.page.get_by_label("Your message").press_sequentially("Nobody sees me")
    await ben.page.get_by_label("Your message").press_sequentially("nor that I type")
    await ada.page.get_by_role("button", name="Send").click()
    await expect(ben.page.locator("#timeline")).to_contain_text("Nobody sees me")
    await expect(ben.page.locator(".company")).to_be_empty()
    await shows(ada, f"{street.ben.name} is here")


async def test_what_ada_switches_off_in_another_tab_is_gone_at_once(
    street: Street, room: str, desk: Desk
) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    await allows(ada, HERE)
    await ada.opens_live(room)
    await ben.opens_live(room)
    await shows(ben, f"{street.ada.name} is here")
    settings = await desk.second_window(ada)
    await allows(settings)
    await shows(ben, "")
    await allows(settings, HERE)
    await shows(ben, f"{street.ada.name} is here")
    await ada.was_never_reloaded()


async def test_it_goes_from_a_page_that_hears_nothing_any_more(
    street: Street, room: str, desk: Desk
) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    await allows(ada, HERE)
    await ada.opens_live(room)
    await ben.opens_live(room)
    await shows(ben, f"{street.ada.name} is here")
    await ben.page.evaluate(
        """() => {
            const pause = document.body.appendChild(document.createElement("button"));
            pause.dataset.livePause = "";
            pause.click();
        }"""
    )
    await shows(ben, "")


async def test_a_nervous_typist_is_no_flood(street: Street, room: str, desk: Desk) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    await allows(ada, HERE, TYPING)
    words: list[str] = []
    ada.page.on(
        "websocket",
        lambda line: line.on("framesent", lambda sent: words.append(str(sent))),
    )
    await ada.opens_live(room)
    await ben.opens_live(room)
    box, began = ada.page.get_by_label("Your message"), time.monotonic()
    before = len(words)
    for _ in range(60):
        await box.press("x")
        await box.press("Backspace")
    await shows(ben, f"{street.ada.name} is here")
    said = [word for word in words[before:] if "here" in word or "typing" in word]
    assert len(said) <= 2 * (time.monotonic() - began) + 2
    await ada.was_never_reloaded()
    await ada.is_live()
