"""Windows of a real browser: what a neighbour does and sees in them, and what went wrong there."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    expect,
)

from app import db
from app.people import passwords
from app.people.doors import cookie_name
from app.people.models import Person
from tests.neighbours import Neighbour, Street
from tests.workers import Worker

WITHIN = 30_000  # milliseconds: a deadline on waiting, not a claim about speed
PICTURE = Path(__file__).parents[2] / "web/demo/cordless-drill.webp"
PASSWORD = "three warm words"
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
# On a busy machine Chromium complains of view transitions that came to nothing: nobody's fault.
STILL: dict[str, Any] = {"reduced_motion": "reduce"}


def chromium() -> str:
    """Where the system's Chromium is. Without one the test is skipped; in CI it fails."""
    given = os.environ.get("CHROMIUM")
    for name in (given, "chromium", "chromium-browser", "/usr/bin/chromium"):
        if name and (found := shutil.which(name)):
            return found
    sentence = "needs Chromium: `apt-get install chromium`, or name yours in CHROMIUM"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass
class Window:
    """One window of one person. `faults` is whatever the browser complained about in it."""

    page: Page
    at: Worker
    home: str
    faults: list[str] = field(default_factory=list)
    forgiven: tuple[str, ...] = ()

    def listen(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("console", self._console)
        self.page.on("response", self._answer)

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.faults.append(f"{said.type}: {said.text} ({said.location.get('url')})")

    def _answer(self, answer: Response) -> None:
        if answer.status >= 500:
            self.faults.append(f"{answer.status} from {answer.url}")

    def complaints(self) -> list[str]:
        return [f for f in self.faults if not any(known in f for known in self.forgiven)]

    async def opens(self, path: str = "") -> None:
        """The board, or the page of a path."""
        await self.page.goto(self.at.url + (path or self.home))

    async def opens_live(self, path: str = "") -> None:
        """Opens it, waits until it is live, and marks it: see `was_never_reloaded`."""
        await self.opens(path)
        await self.is_live()
        await self.page.evaluate("window.untouched = true")

    async def is_live(self) -> None:
        await expect(self.page.locator("#liveness")).to_have_attribute("data-state", "live")

    async def was_never_reloaded(self) -> None:
        assert await self.page.evaluate("window.untouched === true"), "the page was loaded anew"

    async def signs_in(self, email: str) -> None:
        """Through the page that strangers see; ends on the board."""
        await self.opens("/")
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.press("Sign in")
        await expect(self.page.get_by_role("heading", name="The tool wall")).to_be_visible()

    async def press(self, name: str) -> None:
        """The button of exactly this name, in the page's own part."""
        await self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    def card(self, name: str) -> Locator:
        """A tool's card on the board."""
        return self.page.locator("article.card", has=self.page.get_by_role("link", name=name))

    async def shows_on_the_wall(self, name: str, state: str) -> None:
        await expect(self.card(name)).to_have_count(1)
        await expect(self.card(name).locator(".state")).to_contain_text(state)

    def tab(self, name: str) -> Locator:
        """An entry of the main navigation, with the count that it may carry."""
        return self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name)

    async def counts(self, tab: str, number: int) -> None:
        """What the navigation says beside "My things" or "Rooms"; nothing for 0."""
        await self._badge(self.tab(tab), number)

    async def counts_in_bell(self, number: int) -> None:
        """What the bell says."""
        await self._badge(self.page.get_by_role("link", name="Notices"), number)

    async def _badge(self, where: Locator, number: int) -> None:
        badge = where.locator(".badge-count")
        if number:
            await expect(badge).to_be_visible()
            await expect(badge).to_contain_text(str(number))
        else:
            await expect(badge).to_be_hidden()


class Desk:
    """All windows of one test."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._windows: list[Window] = []
        self._contexts: list[BrowserContext] = []

    async def window(
        self, at: Worker, home: str = "/", *, who: Neighbour | None = None, **how: Any
    ) -> Window:
        """A browser of its own, at one worker; with `who` it is signed in already."""
        context = await self._browser.new_context(locale="en-GB", **{**DESKTOP, **STILL, **how})
        context.set_default_timeout(WITHIN)
        self._contexts.append(context)
        if who is not None:
            await context.add_cookies(
                [{"name": cookie_name(), "value": who.cookie, "url": at.url, "httpOnly": True}]
            )
        return await self._open(context, at, home)

    async def window_of(self, who: Neighbour, **how: Any) -> Window:
        return await self.window(who.at, who.home, who=who, **how)

    async def second_window(self, first: Window) -> Window:
        """Another tab of the same browser."""
        return await self._open(first.page.context, first.at, first.home)

    async def _open(self, context: BrowserContext, at: Worker, home: str) -> Window:
        window = Window(await context.new_page(), at, home)
        window.listen()
        self._windows.append(window)
        return window

    async def clear(self) -> None:
        """Closes all; fails on whatever a browser complained about."""
        for context in self._contexts:
            await context.close()
        complaints = [one for window in self._windows for one in window.complaints()]
        assert not complaints, "\n".join(complaints)


async def give_passwords(street: Street) -> None:
    async with db.begin() as tx:
        for one in street.people:
            person = await tx.get_one(Person, one.id)
            person.password_hash = await passwords.hashed(PASSWORD)
