"""A page of somebody's in Chromium, for what only a browser can tell."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, async_playwright

from app.people.doors import cookie_name
from bench.neighbours import Neighbour

MISSING = "not measured: this needs Chromium"


def found() -> str:
    """Its path; "" where there is none."""
    return shutil.which(os.environ.get("CHROMIUM") or "chromium") or ""


@asynccontextmanager
async def page_of(who: Neighbour, at: str, **how: Any) -> AsyncIterator[Page]:
    """`at`: the worker's address; `how`: as a context of the browser is made."""
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found(), args=options)
        page = await browser.new_page(**how)
        await page.context.add_cookies([{"name": cookie_name(), "value": who.cookie, "url": at}])
        yield page
        await browser.close()
