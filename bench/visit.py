"""What the first visit of the board costs somebody's phone, and the second: requests and bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, ViewportSize

from bench import chromium, neighbours
from bench.ground import Ground, say
from bench.live.table import Column, Table
from bench.size import Size

PHONE = ViewportSize(width=390, height=844)
KINDS = {
    "Document": "the page itself",
    "Stylesheet": "how it looks",
    "Script": "what it can do",
    "Image": "pictures in sight",
}
KB = 1024


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Table, Callable[[], Awaitable[None]]]]:
    table = Table(
        "The board on a phone, until it is live (in the first round only)",
        (Column("requests", "A"), Column("kB", "A")),
        notes=["kB as they come over the wire, compressed, with their headers"],
        enough=1,
    )
    if not chromium.found():
        table.notes.append(chromium.MISSING)

    async def round_once() -> None:
        if chromium.found() and not table.rows:
            say("Visiting the board")
            await _visit(ground, table)

    yield table, round_once


async def _visit(ground: Ground, table: Table) -> None:
    ada = await neighbours.of_elm("ada")
    at = f"http://{ground.workers[0].host}"
    # Without a service worker: what it asks for is the same, and is not told here.
    async with chromium.page_of(ada, at, viewport=PHONE, service_workers="block") as page:
        first = await _fetched(page, f"{at}{ada.home}")
        table.add("the first visit", *_sum(first, None))
        for kind, name in KINDS.items():
            table.add(f"  {name}", *_sum(first, kind))
        table.add("the second visit", *_sum(await _fetched(page, f"{at}{ada.home}"), None))


async def _fetched(page: Page, address: str) -> list[tuple[str, float]]:
    """(kind, bytes) of each request that went out; what the browser has kept is none."""
    devtools = await page.context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    kept: set[str] = set()
    sizes: dict[str, float] = {}

    def answered(told: dict[str, Any]) -> None:
        kinds[told["requestId"]] = told["type"]
        if told["response"].get("fromDiskCache") or told["response"].get("fromServiceWorker"):
            kept.add(told["requestId"])

    devtools.on("Network.responseReceived", answered)
    devtools.on("Network.requestServedFromCache", lambda told: kept.add(told["requestId"]))
    devtools.on(
        "Network.loadingFinished",
        lambda told: sizes.update({told["requestId"]: told["encodedDataLength"]}),
    )
    await devtools.send("Network.enable")
    await page.goto(address, wait_until="networkidle")
    await page.wait_for_selector("#liveness[data-state=live]", state="attached")
    await devtools.detach()
    return [(kinds.get(one, ""), size) for one, size in sizes.items() if one not in kept]


def _sum(fetched: list[tuple[str, float]], kind: str | None) -> tuple[float, float]:
    """How many requests, how many kB; None: of all kinds."""
    sizes = [size for what, size in fetched if kind in (None, what)]
    return len(sizes), sum(sizes) / KB
