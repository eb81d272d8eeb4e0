"""Two browsers in one room: what is sent arrives once and in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route, expect

from tests.neighbours import Street
from tests.scripts import TRIES
from tests.stories.windows import PICTURE, Desk, Window

pytestmark = pytest.mark.browser

OFFLINE = ("net::ERR_", "WebSocket connection to", "Failed to fetch", "Failed to load resource")
KEPT = "Object.keys(localStorage).filter((key) => key.startsWith('outbox-')).length"


@pytest.fixture
async def room(street: Street) -> str:
    """Ada's drill, ben's request: the path of their room."""
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    return f"{street.here.path}/loans/{loan}"


async def says(who: Window, words: str) -> None:
    box = who.page.get_by_label("Your message to")
    await box.fill(words)
    await box.press("Enter")
    await expect(box).to_have_value("")


async def shows(who: Window, *words: str) -> None:
    """These lines, in this order, each once, and none that waits."""
    await expect(who.page.locator("#timeline .messages:not(.unsent) .body")).to_have_text(
        list(words)
    )
    await expect(who.page.locator("#outbox > li")).to_have_count(0)


async def waits(who: Window, *words: str) -> None:
    await expect(who.page.locator("#outbox .body")).to_have_text(list(words))


async def test_once_and_in_order_over_offline_reload_and_a_lost_answer(
    street: Street, room: str, desk: Desk
) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    ben.forgiven = OFFLINE
    await ada.opens_live(room)
    await ben.opens_live(room)
    await says(ben, "Hello")
    await shows(ada, "Hello")
    await shows(ben, "Hello")  # the line itself: what ada sees may reach ben a little later

    # Offline: all wait, are seen to wait, and go out by themselves.
    await ben.page.context.set_offline(True)
    await says(ben, "one")
    await says(ben, "two")
    await waits(ben, "one", "two")
    await expect(ben.page.locator("#outbox .is-unsent").first).to_contain_text("Not sent")
    await ben.page.context.set_offline(False)
    await shows(ben, "Hello", "one", "two")
    await shows(ada, "Hello", "one", "two")

    # Nothing gets through while the page is loaded anew; what has waited is still there.
    async def lost(route: Route) -> None:
        await route.abort()

    await ben.page.route("**/messages", lost)
    await says(ben, "three")
    await says(ben, "four")
    await waits(ben, "three", "four")
    await ben.page.reload()
    await waits(ben, "three", "four")
    await ben.is_live()

    # The server takes it, but the answer is lost: it is sent again, and is the same message.
    async def unanswered(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await ben.page.route("**/messages", unanswered, times=1)
    await ben.page.unroute("**/messages", lost)
    again = ben.page.locator("#outbox").get_by_role("button", name="Try again").first
    with suppress(PlaywrightError):  # unless it has just been tried by itself
        await again.click(timeout=2000)
    await shows(ben, "Hello", "one", "two", "three", "four")
    await shows(ada, "Hello", "one", "two", "three", "four")
    assert await ben.page.evaluate(KEPT) == 0

    # The answer never comes, but the line does: nothing waits for the answer any more.
    done = asyncio.Event()

    async def late(route: Route) -> None:
        await route.fetch()
        await done.wait()
        await route.abort()

    await ben.page.route("**/messages", late, times=1)
    more = ("five", "six")
    for words in more:
        await says(ben, words)
    await shows(ben, "Hello", "one", "two", "three", "four", *more)
    done.set()

    # Two tabs of one browser send what waits only once.
    await ben.page.route("**/messages", lost)
    await says(ben, "seven")
    await waits(ben, "seven")
    tab = await desk.second_window(ben)
    await tab.opens_live(room)
    await ben.page.unroute("**/messages")
    await shows(tab, "Hello", "one", "two", "three", "four", *more, "seven")
    await shows(ben, "Hello", "one", "two", "three", "four", *more, "seven")
    await shows(ada, "Hello", "one", "two", "three", "four", *more, "seven")
    await ada.was_never_reloaded()


async def test_what_is_refused_stays_and_says_why_and_goes_with_its_writer(
    street: Street, room: str, desk: Desk
) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    ben.forgiven = OFFLINE
    await ben.opens_live(room)
    await ben.page.route("**/messages", lambda route: route.abort())
    await says(ben, "Are you there?")
    await waits(ben, "Are you there?")
    await street.ada.does(f"{street.ada.home}/people/{street.ben.id}/block")
    await ben.page.unroute("**/messages")
    waiting = ben.page.locator("#outbox .is-unsent")
    await expect(waiting).to_contain_text("Nobody can write in this room at the moment.")
    await ben.page.reload()
    await expect(waiting).to_contain_text("Are you there?")
    await expect(waiting).to_contain_text("Nobody can write")
    await ada.opens_live(room)
    await expect(ada.page.locator("#timeline")).not_to_contain_text("Are you there?")
    await ben.opens("/profile")
    await ben.page.locator(".who").get_by_role("button", name="Sign out").click()
    await expect(ben.page.get_by_label("E-mail")).to_be_visible()
    assert await ben.page.evaluate(KEPT) == 0


async def test_a_message_is_answered_changed_and_taken_back_without_leaving_the_room(
    street: Street, room: str, desk: Desk
) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    await ada.opens_live(room)
    await ben.opens_live(room)
    for words in (TRIES[2], "See https://a.example/b.", "At sicks"):
        await says(ben, words)
    await expect(ada.page.locator(".body a")).to_have_attribute("href", "https://a.example/b")
    await expect(ada.page.locator("#timeline img[src=x]")).to_have_count(0)
    line = ada.page.locator(".message", has_text="At sicks")
    await line.get_by_role("link", name="About this message").click()
    await ada.page.get_by_role("link", name="Answer it").click()
    await says(ada, "Six?")
    answer = ben.page.locator(".message", has_text="Six?")
    await expect(answer.locator(".quoted")).to_contain_text("At sicks")
    await expect(ben.page.locator(".seen-line")).to_have_text("Seen by Ada")

    mine = ben.page.locator(".message.mine", has_text="At sicks")
    await mine.get_by_role("link", name="About this message").click()
    over = ben.page.locator("dialog.over-room:not(.is-viewer)")
    await over.get_by_label("Other words").fill("At six")
    await over.get_by_role("button", name="Change it").click()
    await expect(over).to_be_hidden()
    await expect(ada.page.locator(".theirs .body", has_text="At six")).to_have_count(1)
    await expect(ada.page.locator(".message.mine .quoted")).to_contain_text("At six")
    mine = ben.page.locator(".message.mine", has_text="At six")
    await mine.get_by_role("link", name="About this message").click()
    await over.locator("summary").click()
    await over.get_by_role("button", name="Take it back").click()
    await expect(ada.page.locator(".is-removed")).to_have_count(1)
    await expect(ada.page.locator(".message.mine .quoted")).to_contain_text("Taken back")
    await expect(ada.page.locator("#timeline")).not_to_contain_text("At six")
    await ada.was_never_reloaded()
    await ben.was_never_reloaded()


# Some private windows refuse the shelf for photos, some never answer.
NO_SHELF = "IDBFactory.prototype.open = () => ({})"


async def test_nothing_overtakes_a_photo_and_a_quote_goes_with_its_words(
    street: Street, room: str, desk: Desk
) -> None:
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    ben.forgiven = OFFLINE
    await ben.page.add_init_script(NO_SHELF)
    await ada.opens_live(room)
    await ben.opens_live(room)

    # A photo that takes its time: what is written after it comes after it.
    slow = asyncio.Event()

    async def slowly(route: Route) -> None:
        await slow.wait()
        await route.continue_()

    await ben.page.route("**/photos", slowly)
    await ben.page.locator(".attach input").set_input_files(PICTURE)
    await says(ben, "That one")
    await expect(ben.page.locator("#outbox > li")).to_have_count(2)
    slow.set()
    said = ada.page.locator("#timeline .messages:not(.unsent) .message.theirs")
    await expect(said).to_have_count(2)
    await expect(said.first.locator(".shot")).to_have_count(1)
    await expect(said.last).to_contain_text("That one")

    # What is answered stays chosen while it is typed, and goes with the words that wait.
    await says(ada, "Which size?")
    await ben.page.locator(".message", has_text="Which size?").locator(".of-message").click()
    await ben.page.get_by_role("link", name="Answer it").click()
    await ben.page.get_by_label("Your message to").fill("Ten")
    await ben.page.reload()
    await expect(ben.page.locator("#answering")).to_contain_text("Which size?")
    tab = await desk.second_window(ben)
    await tab.opens_live(room)
    await ben.page.route("**/messages", lambda route: route.abort())
    await ben.page.get_by_label("Your message to").press("Enter")
    await expect(ben.page.locator("#answering .quoted")).to_have_count(0)
    # This tab cannot send it; the other one does so by itself.
    answer = ada.page.locator(".message.theirs", has_text="Ten")
    await expect(answer.locator(".quoted")).to_contain_text("Which size?")
    await expect(ben.page.locator("#outbox > li")).to_have_count(0)
    await expect(tab.page.locator("#outbox > li")).to_have_count(0)
