"""Choosing dates in real browsers: who chooses is seen by all, and free again when they leave."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.windows import PHONE, Desk

pytestmark = pytest.mark.browser


async def test_cy_sees_ben_choose_and_leave(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill", price="2.50")
    path = f"{street.here.path}/tools/{drill}"
    ben = await desk.window_of(street.ben)
    cy = await desk.window_of(street.cy, **PHONE)
    await ben.opens_live(path)
    await cy.opens_live(path)
    first, last = street.day(2), street.day(3)
    for at in (first, last):
        await ben.page.locator(f"[data-day='{at}']").click()
    await expect(ben.page.locator("#choice")).to_contain_text("2 days: €5")
    await expect(ben.page.locator("#choice")).to_contain_text("Held for you")
    await expect(ben.page.get_by_label("First day")).to_have_value(f"{first}")
    await expect(ben.page.get_by_label("Last day")).to_have_value(f"{last}")

    shaded = cy.page.locator(".day.is-choosing")
    await expect(shaded).to_have_count(2)
    await expect(shaded.first).to_have_attribute("data-day", f"{first}")
    line = cy.page.locator("p.choosing")
    await expect(line).to_contain_text("Someone is choosing")
    await expect(line).not_to_contain_text("Ben")
    await expect(line.locator("time")).to_have_attribute(
        "data-left", re.compile(r"^\d+:\d\d left$")
    )
    await expect(ben.page.locator("p.choosing")).to_contain_text("You are choosing")

    await cy.page.locator(f"[data-day='{last}']").click()
    await expect(cy.page.locator("#choice")).to_contain_text("Someone is choosing these dates")
    await expect(cy.page.locator("#choice")).to_contain_text("ask for them all the same")

    await ben.page.close(run_before_unload=True)
    await expect(shaded).to_have_count(0)
    await cy.was_never_reloaded()


async def test_the_grid_is_worked_by_keyboard_alone(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill")
    ben = await desk.window_of(street.ben)
    await ben.opens_live(f"{street.here.path}/tools/{drill}")
    keys = ben.page.keyboard
    today = ben.page.locator(f"[data-day='{street.today}']")
    await expect(ben.page.locator("[data-day][tabindex='0']")).to_have_count(1)
    await today.focus()
    for key in ("ArrowDown", "ArrowRight"):
        await keys.press(key)
    start = ben.page.locator(f"[data-day='{street.day(8)}']")
    await expect(start).to_be_focused()
    await keys.press("Enter")
    await expect(start).to_have_attribute("aria-selected", "true")
    await keys.press("ArrowRight")
    await keys.press("Space")
    await expect(ben.page.get_by_label("Last day")).to_have_value(f"{street.day(9)}")
    await expect(ben.page.locator("#choice")).to_contain_text("2 days, free")
    await expect(ben.page.locator("p.choosing")).to_contain_text("You are choosing")
    await expect(ben.page.locator(f"[data-day='{street.day(9)}']")).to_be_focused()
    await keys.press("PageDown")
    await keys.press("PageUp")
    await keys.press("Home")
    monday = street.day(9).toordinal() - street.day(9).weekday()
    focused = ben.page.locator("[data-day]:focus")
    await expect(focused).to_have_count(1)
    shown = await focused.get_attribute("data-day")
    assert shown is not None
    assert type(street.today).fromisoformat(shown).toordinal() <= monday


# Which timers of a second the page's script has set, and not cleared.
SECONDS = """
  window.seconds = new Set();
  const later = setTimeout, never = clearTimeout, always = setInterval;
  const counts = (wait) => wait === 1000 && new Error().stack.includes("choose.js");
  window.setTimeout = (then, wait, ...more) => {
    const id = later(() => (seconds.delete(id), then(...more)), wait);
    if (counts(wait)) seconds.add(id);
    return id;
  };
  window.clearTimeout = (id) => (seconds.delete(id), never(id));
  window.setInterval = (then, wait) => {
    const id = always(then, wait);
    if (counts(wait)) seconds.add(id);
    return id;
  };
"""


async def test_a_quick_choice_fills_the_form_in(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill")
    ben = await desk.window_of(street.ben, **PHONE)
    await ben.page.add_init_script(SECONDS)
    await ben.opens_live(f"{street.here.path}/tools/{drill}")
    assert await ben.page.evaluate("seconds.size") == 0, "nothing is held, so nothing counts"
    await ben.page.get_by_role("link", name="Tomorrow").click()
    await expect(ben.page.locator("#choice")).to_contain_text("Held for you")
    await expect(ben.page.get_by_label("First day")).to_have_value(f"{street.day(1)}")
    await ben.page.wait_for_function("seconds.size == 1")
    await ben.page.get_by_role("button", name="Let go").click()
    await expect(ben.page.locator("#choice")).to_be_empty()
    await expect(ben.page.locator("p.choosing")).to_have_count(0)
    await ben.page.wait_for_function("seconds.size == 0")


async def test_quick_choices_are_true_after_a_push_and_leave_what_is_typed(
    street: Street, desk: Desk
) -> None:
    drill = await street.ada.lists("Cordless drill")
    ben = await desk.window_of(street.ben, **PHONE)
    await ben.opens_live(f"{street.here.path}/tools/{drill}")
    await ben.page.get_by_label("A word to Ada").fill("For a shelf.")
    tomorrow = ben.page.locator("#quick-tomorrow")
    await tomorrow.focus()
    was = await tomorrow.bounding_box()
    loan = await street.cy.asks_for(drill, street.day(1))
    await street.ada.acts(loan, "approval")
    await expect(tomorrow).to_have_attribute("aria-disabled", "true")
    await expect(tomorrow).to_contain_text("taken")
    assert await tomorrow.bounding_box() == was, "nothing moves under the pointer"
    await ben.page.keyboard.press("Enter")
    await expect(ben.page.get_by_label("First day")).to_have_value("")
    await expect(ben.page.get_by_label("A word to Ada")).to_have_value("For a shelf.")
    await street.ada.acts(loan, "cancellation", reason="It broke.")
    await expect(tomorrow).not_to_have_attribute("aria-disabled", "true")
    await tomorrow.click()
    await expect(ben.page.get_by_label("First day")).to_have_value(f"{street.day(1)}")
    await ben.was_never_reloaded()


async def test_without_script_links_and_buttons_do_the_same(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill", price="2.50")
    ben = await desk.window_of(street.ben, java_script_enabled=False)
    await ben.opens(f"{street.here.path}/tools/{drill}")
    await ben.page.get_by_role("link", name="Tomorrow").click()
    await expect(ben.page.get_by_label("First day")).to_have_value(f"{street.day(1)}")
    await expect(ben.page.locator("#choice")).to_contain_text("1 day: €2.50")
    await expect(ben.page.locator("p.choosing")).to_have_count(0)
    await ben.press("Hold the dates and count first")
    await expect(ben.page.locator("p.choosing")).to_contain_text("You are choosing")
    await ben.press("Let go")
    await expect(ben.page.locator("p.choosing")).to_have_count(0)
