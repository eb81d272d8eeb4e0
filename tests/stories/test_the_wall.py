"""The wall in a browser, while others hang things on it: nothing moves where somebody is busy."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.windows import Desk

pytestmark = pytest.mark.browser

LADDER, LATHE, DRILL = "Long ladder", "Small lathe", "Cordless drill"


async def test_ben_searches_while_ada_lists(street: Street, desk: Desk) -> None:
    await street.ada.lists(LADDER, "ladders")
    ben = await desk.window_of(street.ben)
    await ben.opens_live()
    box = ben.page.get_by_role("searchbox")
    await box.press_sequentially("la")
    await expect(ben.page).to_have_url(f"{ben.at.url}{ben.home}?q=la")
    await ben.page.evaluate("window.kept = document.querySelector('article.card')")
    await street.ada.lists(LATHE)
    await expect(ben.page.locator("#newcomers")).to_have_text("1 new")
    await expect(box).to_have_value("la")
    await expect(box).to_be_focused()
    await expect(ben.card(LATHE)).to_have_count(0)
    assert await ben.page.evaluate("window.kept === document.querySelector('article.card')")
    await ben.press("1 new")
    await ben.shows_on_the_wall(LATHE, "Free now")
    await expect(box).to_have_value("la")
    await ben.was_never_reloaded()


async def test_what_waited_is_not_hung_into_the_answer_of_another_search(
    street: Street, desk: Desk
) -> None:
    await street.ada.lists(LADDER, "ladders")
    ben = await desk.window_of(street.ben)
    await ben.opens_live()
    await ben.card(LADDER).hover()
    await street.ada.lists(DRILL)
    button = ben.page.locator("#newcomers")
    await expect(button).to_have_text("1 new")
    await ben.page.get_by_role("searchbox").fill("ladder")
    await expect(ben.page).to_have_url(f"{ben.at.url}{ben.home}?q=ladder")
    await expect(button).to_be_hidden()
    await expect(ben.page.locator("article.card")).to_have_count(1)
    await ben.was_never_reloaded()
