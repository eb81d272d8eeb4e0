"""The line that says how true a page is: when the server is gone, when it is back, when paused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.neighbours import Street, found_street
from tests.stories.windows import WITHIN, Desk, Window
from tests.workers import Worker, start_worker

pytestmark = pytest.mark.browser

DRILL = "Cordless drill"
BACK_WITHIN = 2 * WITHIN  # a browser waits longer and longer between its tries


@pytest.fixture
async def pair() -> AsyncIterator[list[Worker]]:
    """Two workers of this test alone, which it may kill."""
    both = [await start_worker("mortal"), await start_worker("steady")]
    yield both
    for worker in both:
        await worker.stop()


@pytest.fixture
async def own_street(pair: list[Worker]) -> AsyncIterator[Street]:
    async with found_street((pair[1], pair[0])) as made:
        yield made  # ada at the steady one, ben at the mortal one


async def says_offline(window: Window) -> None:
    line = window.page.locator("#liveness")
    await expect(line).to_have_text(re.compile(r"^Offline – last true at \d\d:\d\d$"))
    await expect(line).to_be_in_viewport()


async def test_a_page_says_that_it_is_out_of_touch_and_heals(
    own_street: Street, pair: list[Worker], desk: Desk
) -> None:
    street = own_street
    drill = await street.ada.lists(DRILL)
    window = await desk.window_of(street.ben)
    window.forgiven = ("WebSocket connection to", "net::ERR_")
    await window.opens_live()
    await expect(window.page.locator("#liveness")).to_have_text("Live")
    await window.shows_on_the_wall(DRILL, "Free now")

    mortal = pair[0]
    await mortal.kill()
    await says_offline(window)
    loan = await street.cora.asks_for(drill, street.today)  # at the worker that lives
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    await street.ada.lists("Long ladder", "ladders")
    await window.shows_on_the_wall(DRILL, "Free now")  # and the line says that it may be wrong

    pair[0] = await start_worker("mortal", port=mortal.port)
    await expect(window.page.locator("#liveness")).to_have_text("Live", timeout=BACK_WITHIN)
    await window.shows_on_the_wall(DRILL, "Out until")
    await window.shows_on_the_wall("Long ladder", "Free now")
    await window.was_never_reloaded()


async def test_a_room_keeps_what_could_not_be_sent(
    own_street: Street, pair: list[Worker], desk: Desk
) -> None:
    street = own_street
    loan = await street.cora.asks_for(await street.ben.lists(DRILL), street.today)
    window = await desk.window_of(street.ben)
    window.forgiven = ("WebSocket connection to", "net::ERR_", "htmx:error", "Failed to fetch")
    await window.opens_live(f"{street.here.path}/loans/{loan}")
    mortal = pair[0]
    await mortal.kill()
    box = window.page.get_by_label("Your message to Cora")
    await box.fill("Are you at home?")
    await window.press("Send")
    waiting = window.page.locator("#outbox .is-unsent")
    await expect(waiting).to_contain_text("Are you at home?")
    await expect(waiting.get_by_role("button", name="Try again")).to_be_visible()
    await expect(box).to_have_value("")
    await says_offline(window)
    pair[0] = await start_worker("mortal", port=mortal.port)
    await expect(window.page.locator("#liveness")).to_have_text("Live", timeout=BACK_WITHIN)
    said = window.page.locator("#timeline .body", has_text="Are you at home?")
    await expect(said).to_have_count(1)
    await expect(waiting).to_have_count(0)
    await window.was_never_reloaded()


async def kept(window: Window) -> int:
    """How many boards the browser keeps for when there is no network."""
    ask = "caches.open('kept').then((kept) => kept.keys()).then((all) => all.length)"
    return int(await window.page.evaluate(ask))


async def keeps(window: Window, number: int) -> None:
    async with asyncio.timeout(WITHIN / 1000):
        while await kept(window) != number:
            pass  # each look asks the browser, and lets it go on


async def test_without_a_network_the_last_board_stands_there_with_its_time(
    street: Street, desk: Desk
) -> None:
    await street.ada.lists(DRILL)
    window = await desk.window_of(street.ben)
    page = window.page
    window.forgiven = ("WebSocket connection to", "net::ERR_", "Failed to fetch")
    await window.opens_live()
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await window.opens_live()  # through the service worker
    await keeps(window, 1)
    await page.context.set_offline(True)
    await window.opens()
    await window.shows_on_the_wall(DRILL, "Free now")
    await says_offline(window)
    await window.opens(f"{street.ben.home}/things")
    await expect(page.get_by_role("heading", name="No network just now")).to_be_visible()
    await page.get_by_role("link", name=re.compile("as of")).click()
    await window.shows_on_the_wall(DRILL, "Free now")
    await page.context.set_offline(False)
    await window.opens_live()
    await page.get_by_role("contentinfo").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Good to see you")).to_be_visible()
    await keeps(window, 0)


async def test_a_page_can_be_paused(street: Street, desk: Desk) -> None:
    ben = await desk.window_of(street.ben)
    await ben.opens_live()
    pause = ben.page.get_by_role("button", name="Pause live changes")
    await pause.click()
    await expect(ben.page.locator("#liveness")).to_contain_text("Paused – as of")
    await expect(pause).to_have_attribute("aria-pressed", "true")
    await street.ada.lists(DRILL)
    await pause.click()
    await expect(ben.page.locator("#liveness")).to_have_text("Live")
    await ben.shows_on_the_wall(DRILL, "Free now")
    await ben.was_never_reloaded()
