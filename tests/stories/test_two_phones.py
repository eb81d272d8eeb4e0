"""Ada and ben at the door, each with a phone: one shows, the other scans or types, both know."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.windows import PHONE, Desk, Window

pytestmark = pytest.mark.browser


async def shows_the_state(window: Window, words: str) -> None:
    await expect(window.page.locator(".loan .state")).to_contain_text(words)


async def digits_on(window: Window) -> str:
    shown = window.page.locator(".two-phones .code")
    await expect(shown).to_be_visible()
    await expect(window.page.locator(".two-phones .qr")).to_have_js_property("complete", True)
    assert await window.page.locator(".two-phones .qr").evaluate("(i) => i.naturalWidth") > 0
    return await shown.inner_text()


async def test_a_drill_goes_out_and_comes_back_on_two_phones(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today, street.day(1))
    await street.ada.acts(loan, "approval")
    room = f"{street.here.path}/loans/{loan}"
    ada = await desk.window_of(street.ada, **PHONE)
    ben = await desk.window_of(street.ben, **PHONE)
    for window in (ada, ben):
        await window.opens_live(room)

    await ada.press("Hand over on two phones")
    digits = await digits_on(ada)
    await expect(ben.page.get_by_text("Ada shows a code")).to_be_visible()
    assert digits not in await ben.page.locator(".loan").inner_text()
    await ben.page.get_by_label("The 4 digits").fill(f"{(int(digits) + 1) % 10_000:04}")
    await ben.press("I have it now")
    await expect(ben.page.locator("#flash")).to_contain_text("4 tries are left")
    ben.forgiven = ("422",)
    await ben.page.get_by_label("The 4 digits").fill(digits)
    await ben.press("I have it now")
    for window in (ada, ben):
        await shows_the_state(window, "Out until")
        await window.was_never_reloaded()

    await ben.press("Give back on two phones")
    digits = await digits_on(ben)
    await expect(ada.page.get_by_text("Ben shows a code")).to_be_visible()
    camera = await desk.second_window(ada)  # what her phone's own camera opens
    await camera.opens(f"{room}/scan#{digits}")
    await expect(camera.page.get_by_label("The 4 digits")).to_have_value(digits)
    assert digits not in camera.page.url
    await camera.press("I have it back")
    await expect(camera.page.locator(".loan .state")).to_contain_text("Back")
    for window in (ada, ben):
        await shows_the_state(window, "Back")
        await window.was_never_reloaded()
