"""One Chromium for all stories, and windows of it that report every fault of a page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.neighbours import Street
from tests.stories import windows
from tests.stories.windows import Desk

expect.set_options(timeout=windows.WITHIN)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    found = windows.chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, args=windows.ARGUMENTS, timeout=windows.WITHIN
        )
        yield browser
        await browser.close()


@pytest.fixture
async def desk(chromium: Browser) -> AsyncIterator[Desk]:
    """Opens windows; when the test is over, none of them may have had a fault."""
    opened = Desk(chromium)
    yield opened
    await opened.clear()


@pytest.fixture
async def signed_up(street: Street) -> Street:
    """The street, where everybody has a password to sign in with."""
    await windows.give_passwords(street)
    return street
