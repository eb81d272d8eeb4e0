"""Cy waits for a drill: what ben brings back early is kept for her, and she watches it count."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from app import topic
from tests.neighbours import Street
from tests.stories.windows import Desk, Window

pytestmark = pytest.mark.browser

DRILL = "Cordless drill"


async def ben_has_it(street: Street) -> tuple[int, int]:
    drill = await street.ada.lists(DRILL)
    loan = await street.ben.asks_for(drill, street.today, street.day(5))
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    return drill, loan


async def waits_for_it(who: Window, street: Street, drill: int) -> None:
    """By the form on the tool's page, for tomorrow and the day after."""
    await who.opens_live(f"{who.home}/tools/{drill}")
    await who.page.get_by_text("Taken when you need it?").click()
    form = who.page.locator(".waitlist form", has=who.page.get_by_text("Wait for these days"))
    await form.get_by_label("From which day").fill(street.day(1).isoformat())
    await form.get_by_label("Until which day").fill(street.day(2).isoformat())
    await who.press("Wait for these days")
    await expect(who.page.locator(".waitlist")).to_contain_text("You wait for it")


async def test_cy_waits_ben_returns_early_cy_accepts_ada_approves(
    street: Street, desk: Desk
) -> None:
    drill, loan = await ben_has_it(street)
    cy, ben = await desk.window_of(street.cy), await desk.window_of(street.ben)
    ada = await desk.window_of(street.ada)
    await ben.opens_live(f"{ben.home}/loans/{loan}")
    await waits_for_it(cy, street, drill)
    await expect(cy.page.locator(".waitlist")).to_contain_text("You are next")
    await cy.is_live()
    await expect(ben.page.locator("section.loan")).to_contain_text("Somebody is waiting for it")
    await ben.press("I brought it back")
    await ada.opens_live(f"{ada.home}/loans/{loan}")
    await ada.press("It is back")
    line = cy.page.locator(".waitlist")
    await expect(line).to_contain_text("It is kept for you")
    countdown = line.locator(".countdown")
    await expect(countdown).to_contain_text("left")
    before = await countdown.text_content()
    await expect(countdown).not_to_have_text(before or "")
    await cy.counts("My things", 1)
    await cy.was_never_reloaded()
    await cy.press("Yes, I want it")
    await expect(cy.page.get_by_text("Waiting for Ada").first).to_be_visible()
    await ada.tab("My things").click()
    await ada.press("Approve")
    await expect(cy.page.locator("section.loan")).to_contain_text("Approved")


async def test_what_cy_declines_is_kept_for_the_next(street: Street, desk: Desk) -> None:
    drill, loan = await ben_has_it(street)
    cy, cora = await desk.window_of(street.cy), await desk.window_of(street.cora)
    await waits_for_it(cy, street, drill)
    await waits_for_it(cora, street, drill)
    await expect(cora.page.locator(".waitlist")).to_contain_text("You are 2nd of 2")
    await cora.is_live()
    await street.ada.acts(loan, "return")
    await expect(cy.page.locator(".waitlist")).to_contain_text("It is kept for you")
    await expect(cora.page.locator(".waitlist")).to_contain_text("You wait for it")
    await cy.page.get_by_text("No, thanks", exact=True).first.click()
    await cy.press("No, thanks")
    await expect(cora.page.locator(".waitlist")).to_contain_text("It is kept for you")
    await expect(cy.page.locator(".waitlist")).to_contain_text("Wait for it")
    await cora.was_never_reloaded()
    await cy.was_never_reloaded()


async def test_waiting_works_without_scripts(street: Street, desk: Desk) -> None:
    drill, loan = await ben_has_it(street)
    later = await street.ben.asks_for(drill, street.day(6), street.day(12))
    await street.ada.acts(later, "approval")
    cy = await desk.window_of(street.cy, java_script_enabled=False)
    await cy.opens(f"{cy.home}/tools/{drill}")
    await cy.page.get_by_text("Taken when you need it?").click()
    await cy.page.get_by_label("Or any days").select_option("2")
    await cy.press("Wait for any days")
    await expect(cy.page.locator(".waitlist")).to_contain_text("any 2 days")
    await expect(cy.page.locator(".waitlist")).to_contain_text("Probably from")
    line = topic.waitlist(street.here.id, drill)
    async with street.cy.watches(line) as screen:
        await street.ada.acts(loan, "return")
        await screen.shows(line, "It is kept for you")
    await cy.opens(f"{cy.home}/things")
    await cy.page.get_by_role("link", name="Answer").click()
    await expect(cy.page.locator(".waitlist")).to_contain_text("stands still at night")
    await cy.press("Yes, I want it")
    await expect(cy.page.get_by_text("Waiting for Ada").first).to_be_visible()
