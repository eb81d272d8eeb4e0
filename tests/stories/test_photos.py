"""Photos of a tool, sent by the page itself: each once, whatever the network and the browser do."""

from __future__ import annotations

import pytest
from playwright.async_api import Route, expect

from tests.neighbours import Street
from tests.stories.windows import PICTURE, Desk

pytestmark = pytest.mark.browser

LOST = ("net::ERR_", "Failed to load resource")
# Some browsers refuse to keep anything, others never answer: this one never does.
NO_SHELF = "IDBFactory.prototype.open = () => ({})"


@pytest.mark.parametrize("shelf", [True, False], ids=["kept", "in this page only"])
async def test_photos_go_out_once_over_a_lost_answer(
    street: Street, desk: Desk, shelf: bool
) -> None:
    drill = await street.ada.lists("Cordless drill")
    ada = await desk.window_of(street.ada)
    ada.forgiven = LOST
    if not shelf:
        await ada.page.add_init_script(NO_SHELF)
    await ada.opens(f"{street.ada.home}/tools/{drill}/photos")

    async def unanswered(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await ada.page.route("**/photos", unanswered, times=1)
    await ada.page.locator("#photo").set_input_files([PICTURE, PICTURE])
    await expect(ada.page.locator("[data-photo]")).to_have_count(2)
    await expect(ada.page.locator("#album-waiting > li")).to_have_count(0)
    await ada.page.reload()
    await expect(ada.page.locator("[data-photo]")).to_have_count(2)
