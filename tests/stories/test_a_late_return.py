"""Ben is late, and Cy is next: three browsers, live, and nobody learns who the others are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import expect

from app import clock
from tests.clocks import Clock
from tests.neighbours import Street
from tests.stories.windows import PHONE, Desk, Window

pytestmark = pytest.mark.browser


async def ben_is_to_bring_it_back_before_cy_begins(street: Street) -> tuple[int, int]:
    """(ben's loan, cy's): today and tomorrow, of ada's drill. A hammer drill hangs beside it."""
    drill = await street.ada.lists("Cordless drill")
    await street.cora.lists("Hammer drill")
    late = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(late, "approval")
    await street.ada.acts(late, "handover")
    after = await street.cy.asks_for(drill, street.day(1))
    await street.ada.acts(after, "approval")
    return late, after


async def at_the_due_minute(street: Street, the_clock: Clock) -> None:
    end = clock.day_start(street.day(1), street.here.zone)
    the_clock.move_to(end + timedelta(seconds=1))


async def open_rooms(street: Street, desk: Desk, loan: int, *people: str) -> list[Window]:
    found = []
    for name in people:
        window = await desk.window_of(getattr(street, name), **(PHONE if name == "cy" else {}))
        await window.opens_live(f"{street.here.path}/loans/{loan}")
        found.append(window)
    return found


async def test_cy_sees_the_risk_and_what_else_is_free_and_waits(
    street: Street, desk: Desk, the_clock: Clock
) -> None:
    late, after = await ben_is_to_bring_it_back_before_cy_begins(street)
    cy, ada = await open_rooms(street, desk, after, "cy", "ada")
    (ben,) = await open_rooms(street, desk, late, "ben")
    await expect(cy.page.locator(".loan .state")).to_contain_text("Approved")
    await at_the_due_minute(street, the_clock)
    for window in (cy, ada):
        await expect(window.page.locator(".loan .state")).to_contain_text("At risk")
    await expect(cy.page.locator(".similar")).to_contain_text("Hammer drill")
    await expect(ada.page.locator(".similar-tools")).to_have_count(0)
    await expect(ben.page.locator(".loan .state")).to_contain_text("Overdue")
    await expect(ben.page.locator(".loan .wanted")).to_contain_text("Somebody waits for it")
    assert "Ben" not in await cy.page.locator("main").inner_text()
    assert "Cy" not in await ben.page.locator("main").inner_text()
    await cy.press("I wait")
    await expect(ada.page.locator(".loan .next")).to_contain_text("Cy waits for it")
    await expect(cy.page.locator(".loan .next")).to_contain_text("You wait until it is back")
    await street.ada.acts(late, "return")
    await expect(ben.page.locator(".loan .wanted")).to_have_count(0)
    await expect(cy.page.locator(".loan .state")).to_contain_text("Approved")
    await expect(cy.page.locator(".similar-tools")).to_have_count(0)
    await ada.press("I handed it over")
    await expect(cy.page.locator(".loan .state")).to_contain_text("Out until")
    for window in (ada, ben, cy):
        await window.was_never_reloaded()


async def test_cy_lets_it_go_from_my_things_and_takes_the_other(
    street: Street, desk: Desk, the_clock: Clock
) -> None:
    _, after = await ben_is_to_bring_it_back_before_cy_begins(street)
    (ada,) = await open_rooms(street, desk, after, "ada")
    cy = await desk.window_of(street.cy)
    await cy.opens_live(f"{street.here.path}/things")
    await cy.counts("My things", 0)
    await at_the_due_minute(street, the_clock)
    await cy.counts("My things", 1)
    row = cy.page.locator(".is-waiting li").first
    await expect(row).to_contain_text("At risk: it is not back yet")
    await row.locator("summary", has_text="Let it go").click()
    await row.get_by_role("button", name="Let it go", exact=True).click()
    await expect(ada.page.locator(".loan .state")).to_contain_text("cancelled")
    await cy.counts("My things", 0)
    await cy.was_never_reloaded()


async def test_ben_asks_for_a_day_more_and_ada_agrees_before_his_eyes(
    street: Street, desk: Desk
) -> None:
    drill = await street.ada.lists("Cordless drill", price="2.50")
    loan = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    ada, ben = await open_rooms(street, desk, loan, "ada", "ben")
    await ben.page.get_by_role("link", name="Change the dates").click()
    await ben.page.get_by_label("Last day").fill(street.day(1).isoformat())
    await ben.page.get_by_label("A word to Ada").fill("It rained all day.")
    await ben.press("Ask Ada")
    await expect(ben.page.locator(".proposed")).to_contain_text("You would like to have it longer")
    await ben.is_live()
    await ben.page.evaluate("window.untouched = true")
    card = ada.page.locator(".proposed")
    await expect(card).to_contain_text("Ben would like to have it longer")
    await expect(card).to_contain_text("more)")
    await card.get_by_role("button", name="Agree").click()
    for window in (ada, ben):
        await expect(window.page.locator(".proposed")).to_have_count(0)
        await expect(window.page.locator("#timeline")).to_contain_text("agreed to other dates")
        await window.was_never_reloaded()
