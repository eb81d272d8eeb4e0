"""Ada blocks Ben while he looks on: his screens change as if she had paused her tools."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.windows import PHONE, Desk

pytestmark = pytest.mark.browser

DRILL = "Cordless drill"


async def test_ada_blocks_ben_while_he_looks_on(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists(DRILL)
    loan = await street.ben.asks_for(drill, street.day(1))
    await street.ada.acts(loan, "approval")
    room = f"{street.ada.home}/loans/{loan}"
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben, **PHONE)
    board = await desk.second_window(ben)
    await board.opens_live()
    await board.shows_on_the_wall(DRILL, "Reserved")
    await ben.opens_live(room)
    await ben.page.get_by_label("Your message to Ada").fill("May I come a bit la")

    await ada.opens_live(room)
    await ada.press("More about Ben Okafor")
    await expect(ada.page.get_by_text("neither of you can ask the other")).to_be_visible()
    await ada.press("Block Ben")
    await expect(ada.page.locator(".writing")).to_contain_text("You blocked Ben.")
    await expect(ada.page.get_by_label("Your message to Ben")).to_be_hidden()

    await board.shows_on_the_wall(DRILL, "Paused")
    await expect(ben.page.locator(".writing")).to_contain_text("Nobody can write in this room")
    box = ben.page.get_by_label("Your message to Ada")
    await expect(box).to_have_value("May I come a bit la")
    ben.forgiven = ("the server responded with a status of 403",)
    await ben.press("Send")
    waiting = ben.page.locator("#outbox .is-unsent")
    await expect(waiting).to_contain_text("May I come a bit la")
    await expect(waiting).to_contain_text("Nobody can write")
    await waiting.get_by_role("button", name="Take back").click()
    await expect(box).to_have_value("May I come a bit la")
    await box.fill("")
    await expect(box).to_be_hidden()

    await ada.opens("/profile")
    await expect(ada.page.locator("#blocks")).to_contain_text("Ben Okafor")
    await ada.press("End the block")
    await expect(ada.page.locator("#blocks")).to_contain_text("Nobody.")
    await expect(box).to_be_visible()
    await board.shows_on_the_wall(DRILL, "Reserved")
    await box.fill("Half past, then?")
    await ben.press("Send")
    await expect(ben.page.locator("#timeline")).to_contain_text("Half past, then?")
    await ben.was_never_reloaded()
    await board.was_never_reloaded()


async def test_a_block_and_its_end_work_without_javascript(street: Street, desk: Desk) -> None:
    loan = await street.ben.asks_for(await street.ada.lists(DRILL), street.day(1))
    await street.ada.acts(loan, "approval")
    room = f"{street.ada.home}/loans/{loan}"
    ada = await desk.window_of(street.ada, java_script_enabled=False)
    ben = await desk.window_of(street.ben, java_script_enabled=False, **PHONE)
    await ben.opens(room)
    await ada.opens(room)
    await ada.press("More about Ben Okafor")
    await ada.press("Block Ben")
    await expect(ada.page.locator(".writing")).to_contain_text("You blocked Ben.")
    await ben.page.get_by_label("Your message to Ada").fill("May I come later?")
    ben.forgiven = ("the server responded with a status of 403",)
    await ben.press("Send")
    await expect(ben.page.locator("#composer-error")).to_contain_text("Nobody can write")
    await expect(ben.page.get_by_label("Your message")).to_have_value("May I come later?")
    await ada.press("More about Ben Okafor")
    await ada.press("End the block")
    await expect(ada.page.get_by_label("Your message to Ben")).to_be_visible()
    await ben.press("Send")
    await expect(ben.page.locator("#timeline")).to_contain_text("May I come later?")
