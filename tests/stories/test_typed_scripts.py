"""A browser opens the pages on which everything typed is a script: none of them runs."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from app import db
from tests import typed
from tests.scripts import TRIES
from tests.stories.place import Place
from tests.stories.test_accessible import PAGES
from tests.stories.windows import Desk
from tests.test_faults import own
from tests.test_typed_words import place

__all__ = ["own", "place"]
pytestmark = pytest.mark.browser

LISTEN = """
    window.ran = [];
    for (const name of ["alert", "confirm", "prompt", "print"]) {
        window[name] = (said) => ran.push(`${name} ${said}`);
    }
    document.addEventListener("securitypolicyviolation", (one) => {
        ran.push(`${one.violatedDirective} ${one.blockedURI}`);
    });
"""
OPENED = (
    *("board", "tool, borrower", "tool, edit", "room, lender", "room, with an incident"),
    *("rooms", "search", "message", "question", "things", "reports", "help", "members", "profile"),
)


async def nothing_ran(page: Page) -> None:
    assert await page.evaluate("window.ran") == [], page.url


async def test_no_script_that_somebody_typed_runs(place: Place, desk: Desk) -> None:
    async with db.begin() as tx:
        await typed.type_everywhere(tx, evil=True)
    windows = {}
    for name in OPENED:
        who = place.who(PAGES[name])
        assert who is not None
        if who.name not in windows:
            windows[who.name] = await desk.window_of(who)
            await windows[who.name].page.context.add_init_script(LISTEN)
        path = place.paths[name].replace("q=course", "q=script")
        await windows[who.name].opens_live(path)
        await expect(windows[who.name].page.locator("main")).to_contain_text("<script>")
        await nothing_ran(windows[who.name].page)
    # What comes in while one looks, and what waits to go out.
    ada, ben = windows[place.street.ada.name], windows[place.street.ben.name]
    path = place.paths["room, lender"]
    await ada.opens_live(path)
    await ben.opens_live(path)
    box = ben.page.get_by_label("Your message to")
    for words in (typed.FIRST, *TRIES[:8]):
        await box.fill(words)
        await box.press("Enter")
        await expect(box).to_have_value("")
    await expect(ada.page.locator(".theirs .body").last).to_have_text(TRIES[7])
    for window in (ada, ben):
        await window.was_never_reloaded()
        await nothing_ran(window.page)
