"""Lending in full with the keyboard alone, and without JavaScript: all that two settle."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.keys import enters, is_somewhere, tabs_to
from tests.stories.windows import Desk, Window

pytestmark = pytest.mark.browser

DRILL = "Cordless drill"
SHEET = "Hand-over: parts"


async def presses(window: Window, name: str) -> None:
    """By keyboard; what is swapped then leaves the focus somewhere."""
    await enters(window, window.page.locator("main").get_by_role("button", name=name, exact=True))
    await is_somewhere(window)


async def unfolds(window: Window, words: str) -> None:
    await enters(window, window.page.locator("main summary", has_text=words).first)


async def shows(window: Window, words: str) -> None:
    await expect(window.page.locator(".loan .state")).to_contain_text(words)


async def test_ada_and_ben_settle_everything_with_their_keyboards(
    street: Street, desk: Desk
) -> None:
    drill = await street.ada.lists(DRILL, parts="Case\nCharger")
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    await ben.opens_live(f"{street.here.path}/tools/{drill}")
    await enters(ben, ben.page.get_by_role("link", name="Tomorrow"))
    await expect(ben.page.get_by_label("First day")).to_have_value(f"{street.day(1)}")
    await expect(ben.page.locator("#choice")).to_contain_text("Held for you")
    await enters(ben, ben.page.get_by_role("button", name="Ask Ada for it"))
    await shows(ben, "Asked for")
    await ben.is_live()
    await tabs_to(ben, ben.page.locator("summary", has_text="Withdraw"))

    await ada.opens_live(f"{street.here.path}/notices")
    await expect(ada.page.locator("#notices .notice.is-unseen")).to_have_count(1)
    await ada.counts_in_bell(0)  # by looking at them
    await enters(ada, ada.page.locator("#notices a", has_text="asks for your"))
    await shows(ada, "Asked for")
    await ada.is_live()
    await presses(ada, "Approve")
    await shows(ada, "Approved")
    await ada.page.keyboard.press("Enter")  # pressed once more than was meant: it is no other act
    await shows(ben, "Approved")
    await is_somewhere(ben)  # the button that had it is gone
    await expect(ada.page.locator(".loan button:focus")).to_have_count(0)

    await enters(ben, ben.page.get_by_role("link", name="Change the dates"))
    await expect(ben.page.get_by_role("heading", level=1)).to_contain_text("Other dates")
    await enters(ben, ben.page.get_by_role("button", name="One day longer"))
    await expect(ben.page.locator(".proposed")).to_be_visible()
    await enters(ada, ada.page.locator(".proposed").get_by_role("button", name="Agree"))
    await expect(ada.page.locator(".proposed")).to_have_count(0)
    await expect(ben.page.locator(".proposed")).to_have_count(0)
    await ben.is_live()

    await presses(ada, "Hand over on two phones")
    code = ada.page.locator(".two-phones .code")
    await expect(code).to_be_visible()
    await tabs_to(ben, ben.page.get_by_label("The 4 digits"))
    await ben.page.keyboard.type(await code.inner_text())
    await ben.page.keyboard.press("Enter")
    await shows(ben, "Out until")
    await shows(ada, "Out until")
    await is_somewhere(ben)
    await is_somewhere(ada)


async def test_what_went_wrong_is_noted_and_settled_by_keyboard(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists(DRILL, parts="Case\nCharger")
    loan = await street.ben.asks_for(drill, street.today)
    for noun in ("approval", "handover"):
        await street.ada.acts(loan, noun)
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    for window in (ada, ben):
        await window.opens_live(f"{street.here.path}/loans/{loan}")
    await presses(ada, "It is back")
    await shows(ada, "Back")
    await unfolds(ada, SHEET)
    await enters(ada, ada.page.get_by_role("link", name="photos, when it came back"))
    await expect(ada.page.get_by_role("heading", level=1)).to_have_text("When it came back")
    await tabs_to(ada, ada.page.get_by_label("Charger"))
    await ada.page.keyboard.press("Space")
    await tabs_to(ada, ada.page.get_by_label("As before"))
    await ada.page.keyboard.press("ArrowDown")
    await expect(ada.page.get_by_label("Worn")).to_be_checked()
    await enters(ada, ada.page.get_by_role("button", name="Keep this"))
    await expect(ben.page.locator("#timeline")).to_contain_text("worn; missing: Charger")
    await shows(ada, "Back")

    await unfolds(ada, "Something went wrong")
    await tabs_to(ada, ada.page.get_by_label("What happened?"))
    await ada.page.keyboard.type("Something")
    await tabs_to(ada, ada.page.get_by_label("In your words"))
    await ada.page.keyboard.type("The charger is not in the case.")
    await presses(ada, "Open an incident")
    await expect(ben.page.locator(".incident")).to_contain_text("The charger is not in the case.")
    await unfolds(ben, "Propose how to settle it")
    await tabs_to(ben, ben.page.get_by_label("What do you propose?"))
    await ben.page.keyboard.type("I bring it tonight.")
    await presses(ben, "Propose it")
    await expect(ada.page.locator(".incident-offer")).to_contain_text("I bring it tonight.")
    await presses(ada, "Accept")
    await expect(ada.page.locator(".incident-result")).to_contain_text("I bring it tonight.")
    await expect(ben.page.locator(".incident-result")).to_contain_text("I bring it tonight.")
    await is_somewhere(ben)


async def test_cy_waits_and_accepts_by_keyboard_and_has_read_the_notice(
    street: Street, desk: Desk
) -> None:
    drill = await street.ada.lists(DRILL)
    loan = await street.ben.asks_for(drill, street.today, street.day(5))
    later = await street.ben.asks_for(drill, street.day(6), street.day(12))
    for one, noun in ((loan, "approval"), (later, "approval"), (loan, "handover")):
        await street.ada.acts(one, noun)
    cy = await desk.window_of(street.cy)
    await cy.opens_live(f"{cy.home}/tools/{drill}")
    await unfolds(cy, "Taken when you need it?")
    await tabs_to(cy, cy.page.get_by_label("Or any days"))
    await cy.page.keyboard.type("2 days")
    await presses(cy, "Wait for any days")
    await expect(cy.page.locator(".waitlist")).to_contain_text("any 2 days")
    await tabs_to(cy, cy.page.locator(".waitlist summary", has_text="Wait no more"))
    await cy.is_live()
    await street.ada.acts(loan, "return")
    await expect(cy.page.locator(".waitlist")).to_contain_text("It is kept for you")
    await is_somewhere(cy)
    # What the bell tells stands on this very page: looked at for a moment, it has been seen.
    await enters(cy, cy.page.get_by_role("button", name="Yes, I want it"))
    await expect(cy.page.get_by_text("Waiting for Ada").first).to_be_visible()
    await enters(cy, cy.page.get_by_role("link", name="Notices"))
    await expect(cy.page.locator("#notices")).to_contain_text("is free for you")
    await cy.counts_in_bell(0)
    await expect(cy.page.locator("#notices .notice.is-unseen")).to_have_count(0)


async def test_all_of_it_works_without_javascript(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists(DRILL, parts="Case\nCharger")
    loan = await street.ben.asks_for(drill, street.today)
    room = f"{street.here.path}/loans/{loan}"
    await street.ada.acts(loan, "approval")
    ada = await desk.window_of(street.ada, java_script_enabled=False)
    ben = await desk.window_of(street.ben, java_script_enabled=False)
    await ben.opens(f"{street.here.path}/notices")
    await expect(ben.page.locator("#notices .notice.is-unseen")).to_have_count(1)
    await ben.press("Mark all as seen")
    await expect(ben.page.locator("#notices .notice.is-unseen")).to_have_count(0)
    await ben.counts_in_bell(0)

    await ben.opens(room)
    await ben.page.get_by_role("link", name="Change the dates").click()
    await ben.press("One day longer")
    await ada.opens(room)
    await ada.page.locator(".proposed").get_by_role("button", name="Agree").click()
    await expect(ada.page.locator(".proposed")).to_have_count(0)
    await ada.press("Hand over on two phones")
    digits = await ada.page.locator(".two-phones .code").inner_text()
    await ben.opens(room)
    await ben.page.get_by_label("The 4 digits").fill(digits)
    await ben.press("I have it now")
    await shows(ben, "Out until")
    await ada.opens(room)
    await ada.press("It is back")
    await ada.page.locator("summary", has_text=SHEET).click()
    await ada.page.get_by_role("link", name="photos, when it came back").click()
    await ada.page.get_by_label("Charger").uncheck()
    await ada.page.get_by_label("Worn").check()
    await ada.press("Keep this")
    await ada.page.locator("summary", has_text="Something went wrong").click()
    await ada.page.get_by_label("What happened?").select_option("damage")
    await ada.page.get_by_label("In your words").fill("The charger is not there.")
    await ada.press("Open an incident")
    await ben.opens(room)
    await ben.page.locator("summary", has_text="Propose how to settle it").click()
    await ben.page.get_by_label("What do you propose?").fill("I bring it tonight.")
    await ben.press("Propose it")
    await ada.opens(room)
    await ada.press("Accept")
    await expect(ada.page.locator(".incident-result")).to_contain_text("I bring it tonight.")
