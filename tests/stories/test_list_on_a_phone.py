"""Ada lists a tool on her phone over a line that drops; ben finds it on his and borrows it."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Route, expect

from tests.neighbours import Street
from tests.stories.windows import PHONE, PICTURE, Desk, Window

pytestmark = pytest.mark.browser

LOST = ("net::ERR_", "Failed to load resource", "WebSocket connection to", "Failed to fetch")
OPTIONS: dict[str, Any] = {"resultTypes": ["violations"]}


async def is_clean(window: Window) -> None:
    found = await Axe().run(window.page, options=OPTIONS)
    told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]]
    assert not told, window.page.url


async def test_ada_lists_with_three_photos_and_ben_finds_and_borrows_it(
    street: Street, desk: Desk
) -> None:
    ada = await desk.window_of(street.ada, **PHONE)
    ada.forgiven = LOST
    await ada.opens_live()
    await ada.page.get_by_role("link", name="List a tool").first.click()
    await is_clean(ada)
    rows = ada.page.locator("#photos-waiting > li")

    # The server has the first one, but its answer is lost; the rest waits for the line.
    async def unanswered(route: Route) -> None:
        await route.fetch()
        await route.abort()
        await ada.page.context.set_offline(True)

    await ada.page.route(f"**{ada.home}/photos", unanswered, times=1)
    await ada.page.locator("#photo").set_input_files([PICTURE] * 3)
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("goes out by itself")
    await ada.page.get_by_label("What is it?").fill("Wallpaper steamer")
    await ada.page.get_by_label("What should people know?").fill("Mind your fingers.")
    order = await rows.evaluate_all("rows => rows.map((row) => row.id)")
    await rows.nth(2).get_by_role("button", name="Earlier").press("Enter")
    await expect(rows.nth(1).get_by_role("button", name="Earlier")).to_be_focused()
    await ada.page.context.set_offline(False)
    await expect(ada.page.locator("#photos-waiting progress:visible")).to_have_count(0)

    # With a finger on its grip the second becomes the cover; a reload changes nothing.
    grip, top = rows.nth(1).locator("[data-grip]"), rows.first.locator("img")
    await grip.scroll_into_view_if_needed()
    here, there = await grip.bounding_box(), await top.bounding_box()
    assert here is not None
    assert there is not None
    await ada.page.mouse.move(here["x"] + 5, here["y"] + 5)
    await ada.page.mouse.down()
    await ada.page.mouse.move(there["x"] + 5, there["y"] + 5)
    await ada.page.mouse.up()
    wanted = [order[2], order[0], order[1]]
    for _ in range(2):
        await expect(rows).to_have_count(3)
        assert await rows.evaluate_all("rows => rows.map((row) => row.id)") == wanted
        await expect(ada.page.get_by_label("What is it?")).to_have_value("Wallpaper steamer")
        await ada.page.reload()
    await expect(rows.first).to_contain_text("The cover")
    await ada.page.get_by_label("What is it?").press("Tab")
    await ada.page.get_by_label("What is it?").dispatch_event("change")
    await ada.press("Take that over")
    await expect(ada.page.get_by_label("Where does it hang?")).to_have_value("painting")
    await expect(ada.page.get_by_label("What comes with it?")).to_have_value("Scraper\nHose")
    await is_clean(ada)
    await ada.press("Hang it on the wall")
    await expect(ada.page.get_by_role("heading", level=1)).to_have_text("Wallpaper steamer")
    await expect(ada.page.locator("a.shot")).to_have_count(3)
    await is_clean(ada)
    await ada.opens(f"{ada.home}/tools/new")
    await expect(ada.page.get_by_label("What is it?")).to_have_value("")
    await expect(rows).to_have_count(0)

    ben = await desk.window_of(street.ben, **PHONE)
    await ben.opens_live()
    await ben.page.get_by_role("searchbox").fill("walpaper steemer")
    await expect(ben.card("Wallpaper steamer")).to_have_count(1)
    await is_clean(ben)
    await ben.card("Wallpaper steamer").get_by_role("link").click()
    await is_clean(ben)
    await ben.page.get_by_label("First day").fill(street.today.isoformat())
    await ben.page.get_by_label("Last day").fill(street.today.isoformat())
    await ben.press("Ask Ada for it")
    await expect(ben.page.locator(".loan .state")).to_contain_text("Asked for")
    (loan,) = ben.page.url.split("/loans/")[1:]
    await street.ada.acts(int(loan), "approval")
    await street.ada.acts(int(loan), "handover")
    await expect(ben.page.locator(".loan .state")).to_contain_text("Out")
    await is_clean(ben)
