"""A room with much in it: opens where one stopped reading, loads without moving, stays short."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from playwright.async_api import expect

from app import clock, db
from app.chat import commands
from app.chat.models import ConversationId
from app.loans.models import Loan
from tests.neighbours import Street
from tests.stories.windows import Desk

pytestmark = pytest.mark.browser

ROWS = "document.querySelectorAll('[data-room] > .message').length"
AT = "id => document.getElementById(id).getBoundingClientRect().top"


async def test_a_long_talk_is_read_up_and_down(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan_id = await street.ben.asks_for(drill, street.today)
    room = f"{street.here.path}/loans/{loan_id}"
    async with db.begin() as tx:
        loan = await tx.get_one(Loan, (street.here.id, loan_id))
        id, then = ConversationId(loan.conversation_id), clock.now() - timedelta(minutes=5)
        lines = [
            await commands.say(
                tx, street.here.id, id, street.ben.id, f"line {n}", uuid.uuid4(), then
            )
            for n in range(400)
        ]
        await commands.mark_seen(tx, street.here.id, id, street.ada.id, lines[199].revision)
    ada = await desk.window_of(street.ada)
    page = ada.page
    await ada.opens_live(room)
    await expect(page).to_have_title(f"(99+) Cordless drill with Ben Okafor · {street.here.name}")
    await expect(page.locator("#first-unread")).to_be_in_viewport()
    await expect(page.get_by_text("line 200", exact=True)).to_be_in_viewport()
    await expect(page.locator("#to-newest button")).to_be_visible()

    # News below what is loaded is counted, and moves nothing.
    first = f"message-{lines[200].id}"
    before = await page.evaluate(AT, first)
    await street.ben.says(loan_id, "the newest")
    await expect(page.locator("#to-newest")).to_contain_text("1 new")
    assert await page.evaluate(AT, first) == pytest.approx(before, abs=1)

    # Upwards, page by page: what is read stays where it is.
    await page.locator(f"#message-{lines[191].id}").scroll_into_view_if_needed()
    await expect(page.locator(f"#message-{lines[150].id}")).to_be_attached()
    await page.locator(f"#message-{lines[150].id}").scroll_into_view_if_needed()
    await expect(page.locator(f"#message-{lines[100].id}")).to_be_attached()
    assert await page.evaluate(ROWS) <= 300

    # And to the newest, from where news come in again by themselves.
    await page.locator("#to-newest button").click()
    await expect(page.get_by_text("the newest", exact=True)).to_be_in_viewport()
    await expect(page.locator("#to-newest button")).to_be_hidden()
    await ada.counts("Rooms", 0)
    for n in range(3):
        await street.ben.says(loan_id, f"and more {n}")
    await expect(page.get_by_text("and more 2", exact=True)).to_be_in_viewport()

    # The list stays short, however long the page is open.
    async with db.begin() as tx:
        for n in range(150):
            await commands.say(
                tx, street.here.id, id, street.ben.id, f"burst {n}", uuid.uuid4(), clock.now()
            )
    await expect(page.get_by_text("burst 149", exact=True)).to_be_in_viewport()
    async with db.begin() as tx:
        for n in range(150, 300):
            await commands.say(
                tx, street.here.id, id, street.ben.id, f"burst {n}", uuid.uuid4(), clock.now()
            )
    await expect(page.get_by_text("burst 299", exact=True)).to_be_in_viewport()
    assert await page.evaluate(ROWS) <= 300
    await ada.was_never_reloaded()


async def test_the_pages_of_a_talk_are_links_without_javascript(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan_id = await street.ben.asks_for(drill, street.today)
    async with db.begin() as tx:
        loan = await tx.get_one(Loan, (street.here.id, loan_id))
        room = ConversationId(loan.conversation_id)
        for n in range(120):
            await commands.say(
                tx, street.here.id, room, street.ben.id, f"line {n}", uuid.uuid4(), clock.now()
            )
    ben = await desk.window_of(street.ben, java_script_enabled=False)
    await ben.opens(f"{street.here.path}/loans/{loan_id}")
    await expect(ben.page.get_by_text("line 119", exact=True)).to_be_in_viewport()
    await ben.page.get_by_role("link", name="Earlier messages").click()
    await expect(ben.page.get_by_text("line 69", exact=True)).to_be_visible()
    await ben.page.get_by_role("link", name="The newest").click()
    await expect(ben.page.get_by_text("line 119", exact=True)).to_be_visible()
    line = ben.page.locator(".message", has_text="line 119")
    await line.get_by_role("link", name="About this message").click()
    await ben.page.get_by_label("Other words").fill("the last line")
    await ben.press("Change it")
    await expect(ben.page.get_by_text("the last line", exact=True)).to_be_visible()
    await ben.page.locator(".message", has_text="line 118").get_by_role("link").click()
    await ben.page.get_by_role("link", name="Answer it").click()
    await ben.page.get_by_label("Your message to").fill("That one")
    await ben.press("Send")
    await expect(
        ben.page.locator(".message", has_text="That one").locator(".quoted")
    ).to_contain_text("line 118")
