"""Borrowing with the keyboard alone, and with JavaScript switched off."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.keys import enters, tabs_to, types_day
from tests.stories.windows import PHONE, Desk, Window

pytestmark = pytest.mark.browser

DRILL = "Cordless drill"


async def test_ben_asks_and_writes_with_the_keyboard_alone(street: Street, desk: Desk) -> None:
    await street.ada.lists(DRILL)
    await street.ada.lists("Long ladder", "ladders")
    ben = await desk.window_of(street.ben)
    await ben.opens_live()
    await ben.page.keyboard.press("Tab")
    await expect(ben.page.get_by_text("Skip to the content")).to_be_focused()
    await ben.page.keyboard.press("Enter")

    await tabs_to(ben, ben.page.get_by_role("searchbox"))
    await ben.page.keyboard.type("drill")
    await expect(ben.card("Long ladder")).to_have_count(0)
    await expect(ben.page.get_by_role("searchbox")).to_be_focused()
    await enters(ben, ben.card(DRILL).get_by_role("link"))
    await expect(ben.page.get_by_role("heading", level=1)).to_have_text(DRILL)

    await types_day(ben, "First day", street.today)
    await types_day(ben, "Last day", street.day(1))
    await tabs_to(ben, ben.page.get_by_label("A word to Ada"))
    await ben.page.keyboard.type("May I?")
    await enters(ben, ben.page.get_by_role("button", name="Ask Ada for it"))
    await expect(ben.page.locator(".loan .state")).to_contain_text("Asked for")

    await tabs_to(ben, ben.page.get_by_label("Your message to Ada"))
    await ben.page.keyboard.type("It is for a shelf.")
    await ben.page.keyboard.press("Enter")
    await expect(ben.page.locator("#timeline")).to_contain_text("It is for a shelf.")
    await expect(ben.page.locator("#body")).to_be_focused()

    await enters(ben, ben.page.locator("summary", has_text="Withdraw"))
    await enters(ben, ben.page.get_by_role("button", name="Withdraw"))
    await expect(ben.page.locator(".loan .state")).to_contain_text("withdrawn")


async def test_the_whole_loan_works_without_javascript(signed_up: Street, desk: Desk) -> None:
    street = signed_up
    ada = await desk.window(street.ada.at, street.ada.home, java_script_enabled=False)
    ben = await desk.window(street.ben.at, street.ben.home, java_script_enabled=False, **PHONE)
    for window, who in ((ada, street.ada), (ben, street.ben)):
        await window.signs_in(who.email)
    await ada.page.get_by_role("link", name="List a tool").first.click()
    await ada.page.get_by_label("What is it?").fill(DRILL)
    await ada.page.get_by_label("Where does it hang?").select_option(label="Drills and drivers")
    await ada.press("Hang it on the wall")
    await expect(ada.page.get_by_role("heading", name=DRILL)).to_be_visible()

    await expect(ben.page.locator("#liveness")).to_contain_text("As of")
    await ben.page.locator("#liveness").get_by_role("link", name="Reload").click()
    await ben.page.get_by_role("searchbox").fill("drill")
    await ben.press("Search")
    await ben.card(DRILL).get_by_role("link").click()
    await ben.page.get_by_label("First day").fill(street.today.isoformat())
    await ben.page.get_by_label("Last day").fill(street.today.isoformat())
    await ben.press("Ask Ada for it")
    await says(ben, "May I fetch it at six?")

    await ada.opens(f"{ada.home}/things")
    await ada.counts("My things", 1)
    await ada.counts("Rooms", 1)
    await ada.press("Approve")
    await ada.page.locator("main").get_by_role("link", name=DRILL).first.click()
    await expect(ada.page.locator("#timeline")).to_contain_text("May I fetch it at six?")
    await says(ada, "Come at six.")
    await presses(ada, "I handed it over", "Out until")
    await ben.page.reload()
    await expect(ben.page.locator("#timeline")).to_contain_text("Come at six.")
    await presses(ben, "I brought it back", "Brought back")
    await ada.page.reload()
    await presses(ada, "Not here", "Out until", folded=True)
    await presses(ada, "It is back", "Back")
    await ben.opens()
    await ben.shows_on_the_wall(DRILL, "Free now")


async def says(who: Window, words: str) -> None:
    await who.page.get_by_label("Your message to").fill(words)
    await who.press("Send")
    await expect(who.page.locator("#timeline .body", has_text=words)).to_have_count(1)


async def presses(who: Window, button: str, then: str, *, folded: bool = False) -> None:
    if folded:
        await who.page.locator("summary", has_text=button).click()
    await who.press(button)
    await expect(who.page.locator(".loan .state")).to_contain_text(then)


async def test_the_theme_can_be_chosen_without_javascript(street: Street, desk: Desk) -> None:
    ben = await desk.window_of(street.ben, java_script_enabled=False)
    await ben.opens(f"{ben.home}/things")
    await ben.page.get_by_role("button", name="Dark").click()
    await expect(ben.page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(ben.page.get_by_role("heading", name="My things")).to_be_visible()
