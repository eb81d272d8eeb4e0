"""The whole of it, in three browsers on two workers: a drill is listed, lent and brought back."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.async_api import expect

from tests.neighbours import Street
from tests.stories.windows import PHONE, PICTURE, Desk, Window

pytestmark = pytest.mark.browser

DRILL = "Cordless drill"


async def hangs_up_the_drill(ada: Window) -> None:
    await ada.page.get_by_role("link", name="List a tool").first.click()
    await ada.page.get_by_label("What is it?").fill(DRILL)
    await ada.page.get_by_label("Where does it hang?").select_option(label="Drills and drivers")
    await ada.page.get_by_label("Photos if you like").set_input_files(PICTURE)
    await ada.page.get_by_label("What should people know?").fill("With two batteries.")
    await ada.press("Hang it on the wall")
    await expect(ada.page.get_by_role("heading", name=DRILL)).to_be_visible()
    await ada.opens_live()


async def asks_for_it(ben: Window, first: date, last: date) -> None:
    await ben.card(DRILL).get_by_role("link").click()
    await ben.page.get_by_label("First day").fill(first.isoformat())
    await ben.page.get_by_label("Last day").fill(last.isoformat())
    await ben.page.get_by_label("A word to Ada").fill("A shelf for the hall. May I?")
    await ben.press("Ask Ada for it")
    await expect(ben.page.get_by_text("Waiting for Ada").first).to_be_visible()
    await ben.is_live()
    await ben.page.evaluate("window.untouched = true")


async def finds_the_request_first(ada: Window) -> None:
    await ada.counts("My things", 1)
    await ada.counts("Rooms", 1)
    await ada.was_never_reloaded()
    await ada.tab("My things").click()
    first = ada.page.locator("main h2").first
    await expect(first).to_contain_text("Waiting for you")
    row = ada.page.locator(".is-waiting li").first
    await expect(row).to_contain_text("to Ben Okafor")
    await row.get_by_role("link", name=DRILL).click()
    await expect(ada.page.locator("#timeline")).to_contain_text("May I?")
    await ada.is_live()
    await ada.page.evaluate("window.untouched = true")
    await ada.counts("Rooms", 0)


async def says_once(here: Window, there: Window, words: str) -> None:
    """Both have it, and have it once."""
    for one in (here, there):
        await expect(one.page.locator("#timeline .body", has_text=words)).to_have_count(1)


async def talk(ada: Window, ben: Window) -> None:
    hers, his = ada.page.locator("#body"), ben.page.locator("#body")
    await hers.press_sequentially("Of course. It is in the")
    await his.fill("Or is the weekend better?")
    await ben.press("Send")
    await says_once(ben, ada, "Or is the weekend better?")
    await expect(his).to_have_value("")
    await expect(hers).to_have_value("Of course. It is in the")
    await expect(hers).to_be_focused()
    await hers.press_sequentially(" shed.")
    await hers.press("Enter")
    await says_once(ada, ben, "Of course. It is in the shed.")
    await expect(hers).to_have_value("")
    await hers.press_sequentially("One line,")
    await hers.press("Shift+Enter")
    await hers.press_sequentially("and another")
    await hers.press("Enter")
    await says_once(ada, ben, "and another")
    await says_once(ben, ada, "Or is the weekend better?")
    await says_once(ada, ben, "Of course. It is in the shed.")


async def acts(who: Window, button: str, other: Window, then: str) -> None:
    """A button of the room; the other's room shows what came of it, with a line in the timeline."""
    await who.press(button)
    for one in (who, other):
        await expect(one.page.locator(".loan .state")).to_contain_text(then)


async def test_ben_borrows_adas_drill_and_every_open_board_knows(
    signed_up: Street, desk: Desk
) -> None:
    street = signed_up
    ada = await desk.window(street.ada.at, street.ada.home)
    ben = await desk.window(street.ben.at, street.ben.home, **PHONE)
    cy = await desk.window(street.cy.at, street.cy.home)
    for window, who in ((ada, street.ada), (ben, street.ben), (cy, street.cy)):
        await window.signs_in(who.email)
        await window.opens_live()
    hers = await desk.second_window(ada)
    await hers.opens_live()
    boards = (cy, hers)

    async def walls_show(state: str) -> None:
        for board in boards:
            await board.shows_on_the_wall(DRILL, state)

    await hangs_up_the_drill(ada)
    await walls_show("Free now")
    await ben.shows_on_the_wall(DRILL, "Free now")
    await expect(ben.card(DRILL).locator("img.photo")).to_have_js_property("complete", True)
    await ben.was_never_reloaded()

    await asks_for_it(ben, street.today, street.day(1))
    await walls_show("Asked for")
    await finds_the_request_first(ada)
    await talk(ada, ben)

    await acts(ada, "Approve", ben, "Approved")
    await walls_show("Reserved")
    await acts(ada, "I handed it over", ben, "Out until")
    await walls_show("Out")
    await acts(ben, "I brought it back", ada, "Brought back, not confirmed yet")
    await hers.counts("My things", 1)
    await walls_show("On its way back")
    await acts(ada, "It is back", ben, "Back")
    await walls_show("Free now")
    await hers.counts("My things", 0)
    for window in (ada, ben, *boards):
        await window.was_never_reloaded()


async def test_an_unread_count_comes_and_goes(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists(DRILL)
    loan = await street.ben.asks_for(drill, street.day(1))
    ada = await desk.window_of(street.ada)
    await ada.opens_live()
    await ada.counts("Rooms", 0)
    await street.ben.says(loan, "Is the charger with it?")
    await ada.counts("Rooms", 1)
    await street.ben.says(loan, "And the long bits?")
    await ada.counts("Rooms", 2)
    await ada.was_never_reloaded()
    ben = await desk.window_of(street.ben)
    await ben.opens_live(f"{street.here.path}/loans/{loan}")
    reading = await desk.second_window(ada)
    await reading.opens_live(f"{street.here.path}/loans/{loan}")
    await expect(reading.page.locator("#timeline .body")).to_have_count(2)
    await reading.counts("Rooms", 0)
    await ada.counts("Rooms", 0)


async def test_newcomers_wait_where_somebody_points(street: Street, desk: Desk) -> None:
    await street.ada.lists("Long ladder", "ladders")
    cy = await desk.window_of(street.cy)
    await cy.opens_live()
    await cy.card("Long ladder").hover()
    await street.ada.lists(DRILL)
    await cy.press("1 new")
    await cy.shows_on_the_wall(DRILL, "Free now")
    await cy.was_never_reloaded()


async def test_a_filtered_wall_stays_what_it_is_filtered_by(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists(DRILL)
    await street.ada.lists("Long ladder", "ladders")
    cy = await desk.window_of(street.cy)
    await cy.opens_live(f"{cy.home}?free=1")
    await cy.page.mouse.move(0, 0)
    await cy.shows_on_the_wall(DRILL, "Free now")
    loan = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    await expect(cy.card(DRILL)).to_have_count(0)
    await cy.shows_on_the_wall("Long ladder", "Free now")
    await cy.was_never_reloaded()
