"""Ben looks for a tile cutter in vain, asks all neighbours, and ada has one in the cellar."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.windows import PHONE, Desk

pytestmark = pytest.mark.browser


async def test_ben_asks_ada_answers_and_lists_and_ben_asks_her_for_it(
    street: Street, desk: Desk
) -> None:
    ada = await desk.window_of(street.ada)
    ben = await desk.window_of(street.ben, **PHONE)
    await ada.opens_live(f"{ada.home}/wanted")
    await expect(ada.page.locator("#wanted")).to_contain_text("Nobody looks for anything")
    await ben.opens(f"{ben.home}?q=tile+cutter")
    await ben.page.get_by_role("link", name="Nobody has listed one: ask for it").click()
    await expect(ben.page.get_by_label("What do you need?")).to_have_value("tile cutter")
    await ben.page.get_by_label("Until which day").fill(street.day(2).isoformat())
    await ben.press("Ask all neighbours")
    hers, his = ada.page.locator("#wanted"), ben.page.locator("#wanted")
    await expect(his).to_contain_text("tile cutter")
    await ben.is_live()
    await expect(hers).to_contain_text("Ben Okafor")
    await ada.page.get_by_label("Your answer about tile cutter").fill("In the cellar.")
    await ada.press("I have one")
    await expect(his).to_contain_text("In the cellar.")
    await ada.was_never_reloaded()
    await ada.page.get_by_role("link", name="List it for Ben").click()
    await expect(ada.page.get_by_label("What is it?")).to_have_value("Tile cutter")
    await ada.page.get_by_label("Where does it hang?").select_option("saws")
    await ada.press("Hang it on the wall")
    await ben.counts_in_bell(2)
    await his.get_by_role("link", name="Ask for the Tile cutter").click()
    await expect(ben.page.get_by_label("First day")).to_have_value(street.day(2).isoformat())
    await ben.press("Ask Ada for it")
    await expect(ben.page.get_by_text("Waiting for Ada").first).to_be_visible()
