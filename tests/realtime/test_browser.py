"""live.js in a real browser, under a strict policy: what a neighbour's page does by itself."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from playwright.async_api import Browser, Page, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncSession

from app.realtime import Engine, touch, versions
from app.realtime.topics import snapshot, stamp
from tests.realtime.world import Worker, World, put, thing

STATIC = Path(__file__).parents[2] / "web/static"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
SCRIPTS = ("vendor/htmx.min.js", "drafts.js", "live.js", "newcomers.js")
ROOM = "t1/room/1"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"),
    reason="needs Chromium: install the system's package `chromium`",
)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM, "CI needs Chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], headless=True
        )
        yield browser
        await browser.close()


@pytest.fixture
async def worker(world: World) -> Worker:
    register_form(world)
    world.pages.append(lambda app, engine: serve_pages(world, app, engine))
    return await world.worker(beat_every=0.5)


@pytest.fixture
async def page(browser: Browser, worker: Worker) -> AsyncIterator[Page]:
    context = await browser.new_context()
    await context.add_cookies([{"name": "person", "value": "1", "url": worker.address}])
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if is_fault(said) else None)
    yield page
    await context.close()
    assert faults == []


def is_fault(said: Any) -> bool:
    return said.type == "error" and "WebSocket connection" not in said.text


def register_form(world: World) -> None:
    @world.topics.shared("form")
    async def form(tx: AsyncSession, community: Any, key: str, locale: str) -> str:
        words = await tx.scalar(sa.select(thing.c.words).where(thing.c.key == key)) or ""
        return (
            f'<section id="form-{key}" data-announce="It is {words}"><h2>{words}</h2>'
            f'<details id="more"><summary>More</summary>{words}</details>'
            f'<form id="f"><input type="text" id="reason" name="reason" value="{words}">'
            f'<textarea id="note" name="note"></textarea></form></section>'
        )


def serve_pages(world: World, app: FastAPI, engine: Engine) -> None:
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.get("/favicon.ico", status_code=204)
    async def icon() -> None: ...

    @app.get("/page")
    async def regions(request: Request, topics: str = "") -> HTMLResponse:
        async with snapshot(world.sessions) as tx:
            listener = await engine.listener_of(tx, request)
            if listener is None:
                return HTMLResponse("<h1>Sign in</h1>")
            html = [await one(tx, engine, listener, topic) for topic in topics.split()]
            return await framed(tx, listener.person_id, "".join(html))

    async def one(tx: AsyncSession, engine: Engine, listener: Any, topic: str) -> str:
        if topic == "wall":
            return await wall(tx)
        drawn = await engine.draw(tx, listener, topic)
        if topic == ROOM:
            return (
                f'<ol id="room-1" data-topic="{ROOM}" data-version="{drawn.version}">'
                f'{drawn.html or ""}</ol><textarea id="composer"></textarea>'
            )
        return drawn.html or f'<p id="x" data-topic="{topic}" data-version="{drawn.version}"></p>'


async def wall(tx: AsyncSession) -> str:
    things = (await tx.execute(sa.select(thing).order_by(thing.c.key))).all()
    reading = await versions.read(tx, ["t1/shelf", *(f"t1/x/{row.key}" for row in things)])
    cards = (
        stamp(f'<p id="x-{row.key}">{row.words}</p>', name, reading.version(name))
        for row in things
        if (name := f"t1/x/{row.key}") and row.words
    )
    version = reading.version("t1/shelf")
    return (
        '<input type="search" id="search"><button id="newcomers" hidden></button>'
        f'<div id="wall" data-topic="t1/shelf" data-version="{version}">{"".join(cards)}</div>'
    )


async def framed(tx: AsyncSession, person: int, html: str) -> HTMLResponse:
    reading = await versions.read(tx, [f"u{person}/access"])
    scripts = "".join(f'<script src="/static/{name}" defer></script>' for name in SCRIPTS)
    config = '{"includeIndicatorCSS": false, "morphIgnore": ["data-htmx-powered", "open"]}'
    return HTMLResponse(
        f"<!doctype html><html lang=en><head><meta name=htmx-config content='{config}'>{scripts}"
        f'</head><body data-person="{person}" data-access="{reading.version(f"u{person}/access")}"'
        f' data-epoch="{reading.epoch}"><p id="liveness" data-state="still" data-text-live="Live"'
        ' data-text-catching="Catching up" data-text-offline="Offline, last true at {time}">As of'
        ' now</p><p id="announcer" aria-live="polite"></p><button data-live-pause>Pause</button>'
        f"<h1 id=top>Page</h1>{html}</body></html>",
        headers={"Content-Security-Policy": POLICY},
    )


async def opened(page: Page, worker: Worker, topics: str) -> None:
    await page.goto(f"{worker.address}/page?topics={topics}")
    await expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    await page.evaluate("window.untouched = true")  # gone if the page reloads


async def reloaded(page: Page) -> bool:
    return not await page.evaluate("window.untouched === true")


async def list_it(world: World, key: str, words: str) -> None:
    async with world.act() as tx:
        await put(tx, key, words)
        touch(tx, f"t1/x/{key}", "t1/shelf")


async def test_a_change_shows_without_reloading(world: World, worker: Worker, page: Page) -> None:
    await world.write("1", "free")
    await opened(page, worker, "t1/x/1")
    await expect(page.locator("#liveness")).to_have_text("Live")
    await page.evaluate("window.same = document.getElementById('x-1')")
    await world.write("1", "out")
    await expect(page.locator("#x-1")).to_have_text("out")
    await expect(page.locator("#x-1")).to_have_attribute("data-version", "2")
    assert await page.evaluate("window.same === document.getElementById('x-1')")
    assert not await reloaded(page)


async def test_what_goes_disappears_and_may_come_back(
    world: World, worker: Worker, page: Page
) -> None:
    await world.write("1", "here")
    await opened(page, worker, "t1/x/1")
    await world.write("1", None)
    await expect(page.locator("#x-1")).to_be_hidden()
    await world.write("1", "here again")
    await expect(page.locator("#x-1")).to_be_visible()
    await expect(page.locator("#x-1")).to_have_text("here again")


async def test_half_typed_words_focus_and_an_open_fold_stay(
    world: World, worker: Worker, page: Page
) -> None:
    await world.write("1", "one")
    await opened(page, worker, "t1/form/1")
    await page.locator("summary").click()
    await page.locator("#reason").fill("my reason")
    await page.locator("#note").press_sequentially("half a sen")
    async with world.act() as tx:
        await put(tx, "1", "two")
        touch(tx, "t1/form/1")
    await expect(page.locator("h2")).to_have_text("two")
    await page.keyboard.type("tence")
    await expect(page.locator("#note")).to_have_value("half a sentence")
    await expect(page.locator("#reason")).to_have_value("my reason")
    assert await page.evaluate("document.getElementById('more').open")
    await expect(page.locator("#announcer")).to_have_text("It is two")


async def test_messages_arrive_once_while_one_types(
    world: World, worker: Worker, page: Page
) -> None:
    await world.sit("1", 1)
    await world.say("1", "first")
    await opened(page, worker, ROOM)
    await page.locator("#composer").press_sequentially("my ans")
    for n in range(20):
        await world.say("1", f"m{n}")
    await expect(page.locator("li")).to_have_text(["first", *(f"m{n}" for n in range(20))])
    await page.keyboard.type("wer")
    await expect(page.locator("#composer")).to_have_value("my answer")


async def test_after_a_gap_the_page_heals_by_itself(
    world: World, worker: Worker, page: Page
) -> None:
    await world.sit("1", 1)
    await world.say("1", "before")
    await world.write("1", "free")
    await opened(page, worker, f"t1/x/1 {ROOM}")
    port = worker.port
    await worker.stop()
    await expect(page.locator("#liveness")).to_have_attribute("data-state", "offline")
    text = await page.locator("#liveness").text_content()
    assert re.fullmatch(r"Offline, last true at \d\d:\d\d( [AP]M)?", text or "")
    await world.say("1", "meanwhile")
    await world.write("1", "out")
    await worker.start(port)
    await expect(page.locator("#x-1")).to_have_text("out", timeout=20_000)
    await expect(page.locator("li")).to_have_text(["before", "meanwhile"])
    await expect(page.locator("#liveness")).to_have_text("Live")
    assert not await reloaded(page)


async def test_an_older_answer_does_not_stay(world: World, worker: Worker, page: Page) -> None:
    """An htmx answer drawn before a push, arriving after it, puts an older region on the page."""
    await world.write("1", "old")
    await opened(page, worker, "t1/x/1")
    old = await page.evaluate("document.getElementById('x-1').outerHTML")
    await world.write("1", "new")
    await expect(page.locator("#x-1")).to_have_text("new")
    await page.evaluate("html => { document.getElementById('x-1').outerHTML = html }", old)
    await expect(page.locator("#x-1")).to_have_text("new")
    await expect(page.locator("#x-1")).to_have_attribute("data-version", "2")


async def test_a_region_that_left_the_page_is_not_watched_any_more(
    world: World, worker: Worker, page: Page
) -> None:
    from tests.realtime.world import until

    await opened(page, worker, "t1/x/1 t1/x/2")
    await page.evaluate("document.querySelector('[data-topic]').remove()")
    await until(lambda: "t1/x/1" not in worker.engine.hub.topics)
    assert "t1/x/2" in worker.engine.hub.topics


async def test_a_newcomer_slides_in_where_nobody_points(
    world: World, worker: Worker, page: Page
) -> None:
    await list_it(world, "a", "saw")
    await opened(page, worker, "wall")
    await list_it(world, "b", "drill")
    await expect(page.locator("#wall p:visible")).to_have_text(["saw", "drill"])
    await world.write("b", "drill, out")  # and is live from then on
    await expect(page.locator("#x-b")).to_have_text("drill, out")
    assert not await reloaded(page)


async def test_a_newcomer_waits_where_somebody_points(
    world: World, worker: Worker, page: Page
) -> None:
    await list_it(world, "a", "saw")
    await opened(page, worker, "wall")
    await page.locator("#x-a").hover()
    await list_it(world, "b", "drill")
    button = page.locator("#newcomers")
    await expect(button).to_have_text("1 new")
    await expect(page.locator("#wall p:visible")).to_have_text(["saw"])
    await button.click()
    await expect(page.locator("#wall p:visible")).to_have_text(["saw", "drill"])
    await expect(button).to_be_hidden()


async def test_what_left_goes_and_what_stays_is_the_same_element(
    world: World, worker: Worker, page: Page
) -> None:
    for key, words in (("a", "saw"), ("b", "drill"), ("c", "ladder")):
        await list_it(world, key, words)
    await opened(page, worker, "wall")
    await page.evaluate("window.kept = document.getElementById('x-c')")
    async with world.act() as tx:
        await tx.execute(thing.delete().where(thing.c.key == "b"))
        touch(tx, "t1/x/b", "t1/shelf")
    await expect(page.locator("#wall p:visible")).to_have_text(["saw", "ladder"])
    assert await page.evaluate("window.kept === document.getElementById('x-c')")


async def test_nothing_moves_under_a_pointer_or_a_half_typed_search(
    world: World, worker: Worker, page: Page
) -> None:
    await list_it(world, "b", "saw")
    await opened(page, worker, "wall")
    await page.locator("#search").press_sequentially("dri")
    await list_it(world, "a", "drill")
    await expect(page.locator("#newcomers")).to_have_text("1 new")
    await expect(page.locator("#wall p:visible")).to_have_text(["saw"])
    await page.keyboard.type("ll")
    await expect(page.locator("#search")).to_have_value("drill")
    await page.locator("#newcomers").click()
    await expect(page.locator("#wall p:visible")).to_have_text(["drill", "saw"])


async def test_what_goes_beside_a_pointer_keeps_its_place_until_the_pointer_goes(
    world: World, worker: Worker, page: Page
) -> None:
    for key, words in (("a", "saw"), ("b", "drill"), ("c", "ladder")):
        await list_it(world, key, words)
    await opened(page, worker, "wall")
    await page.locator("#x-b").hover()
    before = await page.locator("#x-b").bounding_box()
    async with world.act() as tx:
        await tx.execute(thing.delete().where(thing.c.key == "a"))
        touch(tx, "t1/x/a", "t1/shelf")
    await expect(page.locator("#x-a")).to_have_text("")
    await expect(page.locator("#newcomers")).to_have_text("The wall has changed")
    assert await page.locator("#x-b").bounding_box() == before
    await page.mouse.move(0, 0)
    await expect(page.locator("#x-a")).to_have_attribute("hidden", "")
    await page.locator("#newcomers").click()
    await expect(page.locator("#wall p")).to_have_text(["drill", "ladder"])


async def test_who_cannot_see_the_button_hears_of_newcomers(
    world: World, worker: Worker, page: Page
) -> None:
    await list_it(world, "a", "saw")
    await opened(page, worker, "wall")
    await page.locator("#x-a").hover()
    await list_it(world, "b", "drill")
    await expect(page.locator("#announcer")).to_have_text("1 new")


async def test_of_too_many_regions_those_in_sight_are_watched(
    world: World, worker: Worker, page: Page
) -> None:
    async with world.act() as tx:
        for n in range(1000, 2000):
            await put(tx, str(n), f"tool {n}")
        touch(tx, "t1/shelf")
    await opened(page, worker, "wall t1/form/9")
    assert "t1/x/1000" in worker.engine.hub.topics
    assert "t1/form/9" in worker.engine.hub.topics, "what is in no list is watched, wherever it is"
    await world.write("1999", "out of sight")
    await page.locator("#x-1999").scroll_into_view_if_needed()
    await expect(page.locator("#x-1999")).to_have_text("out of sight")
    await list_it(world, "999", "newcomer")
    await page.locator("#x-1000").scroll_into_view_if_needed()
    await expect(page.locator("#x-999")).to_have_text("newcomer")
    assert len([one for one in worker.engine.hub.topics if one.startswith("t1/x/")]) <= 500


async def test_a_list_is_behind_like_anything_else_after_a_gap(
    world: World, worker: Worker, page: Page
) -> None:
    await list_it(world, "a", "saw")
    await opened(page, worker, "wall")
    port = worker.port
    await worker.stop()
    await list_it(world, "b", "drill")
    await worker.start(port)
    await expect(page.locator("#wall p:visible")).to_have_text(["saw", "drill"], timeout=20_000)


async def test_paused_means_paused_and_catches_up_afterwards(
    world: World, worker: Worker, page: Page
) -> None:
    from tests.realtime.world import until

    await world.write("1", "before")
    await opened(page, worker, "t1/x/1")
    pause = page.locator("[data-live-pause]")
    await pause.click()
    await expect(pause).to_have_attribute("aria-pressed", "true")
    await until(lambda: not worker.engine.sockets)
    await world.write("1", "after")
    await expect(page.locator("#x-1")).to_have_text("before")
    await pause.click()
    await expect(page.locator("#x-1")).to_have_text("after")


async def test_another_database_reloads_the_page_and_keeps_what_was_typed(
    world: World, worker: Worker, page: Page
) -> None:
    await world.sit("1", 1)
    await opened(page, worker, ROOM)
    await page.locator("#composer").fill("do not lose me")
    async with page.expect_navigation(), world.act() as tx:
        await versions.renew_epoch(tx)
    await expect(page.locator("#liveness")).to_have_text("Live", timeout=20_000)
    assert await reloaded(page)
    await expect(page.locator("#composer")).to_have_value("do not lose me")


async def test_who_signs_out_elsewhere_sees_the_way_in(
    world: World, worker: Worker, page: Page
) -> None:
    await opened(page, worker, "t1/x/1")
    await world.allow(1)
    await expect(page.locator("h1")).to_have_text("Sign in")
