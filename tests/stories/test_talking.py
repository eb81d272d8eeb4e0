"""A room in real browsers: photos and their viewer, two devices of one person, who has to go, and a
device that rings."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Route, expect
from sqlalchemy import select

from app import db
from app.notices.deliveries import PushSubscription
from tests.neighbours import Neighbour, Street
from tests.notices.pushservice import Device
from tests.stories.windows import PHONE, PICTURE, Desk, Window

pytestmark = pytest.mark.browser

LOST = ("net::ERR_", "Failed to fetch", "Failed to load resource")


@pytest.fixture
async def loan(street: Street) -> int:
    return await street.ben.asks_for(await street.ada.lists("Cordless drill"), street.today)


async def shows_a_photo(window: Window) -> None:
    await window.page.locator(".attach input").set_input_files(PICTURE)


async def test_a_photo_arrives_once_and_is_looked_at_by_keyboard(
    street: Street, loan: int, desk: Desk
) -> None:
    room = f"{street.here.path}/loans/{loan}"
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben, **PHONE)
    ben.forgiven = LOST
    await ada.opens_live(room)
    await ben.opens_live(room)

    async def lost(route: Route) -> None:
        await route.abort()

    async def unanswered(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await ben.page.route("**/photos", lost, times=1)  # the way there is lost …
    await shows_a_photo(ben)
    await expect(ben.page.locator("#outbox .is-unsent")).to_contain_text("Not sent")
    await expect(ada.page.locator("a.shot")).to_have_count(1)  # it goes again by itself
    await ben.page.route("**/photos", unanswered, times=1)  # … and the way back
    await shows_a_photo(ben)
    await expect(ada.page.locator("a.shot")).to_have_count(2)
    await expect(ben.page.locator("#outbox > li")).to_have_count(0)
    await expect(ben.page.locator("a.shot")).to_have_count(2)
    await expect(ada.page.locator("a.shot")).to_have_count(2)

    first = ada.page.locator("a.shot").first
    await first.focus()
    await first.press("Enter")
    viewer = ada.page.locator("dialog.is-viewer")
    image = viewer.locator("img")
    where = await first.get_attribute("href")
    assert where is not None
    await expect(image).to_have_attribute("src", f"{ada.at.url}{where}")
    await ada.page.keyboard.press("ArrowRight")
    await expect(viewer.get_by_title("The next")).to_be_disabled()
    await ada.page.keyboard.press("ArrowLeft")
    await expect(viewer.get_by_title("The one before")).to_be_disabled()
    await ada.page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    await expect(first).to_be_focused()
    await ada.was_never_reloaded()


async def test_two_devices_of_one_person_agree_on_what_is_unread(
    street: Street, loan: int, desk: Desk
) -> None:
    room = f"{street.here.path}/loans/{loan}"
    laptop, phone = await desk.window_of(street.ada), await desk.window_of(street.ada, **PHONE)
    ben = await desk.window_of(street.ben)
    await ben.opens_live(room)
    for device in (laptop, phone):
        await device.opens_live()
    name = await laptop.page.title()
    for count, words in enumerate(("Is the charger with it?", "And the long bits?"), 1):
        await street.ben.says(loan, words)
        for device in (laptop, phone):
            await device.counts("Rooms", count)
            await expect(device.page).to_have_title(f"({count}) {name}")
    await expect(ben.page.locator(".seen-line")).not_to_contain_text("Seen by")
    reading = await desk.second_window(phone)
    await reading.opens_live(room)
    await expect(ben.page.locator(".seen-line")).to_have_text("Seen by Ada")
    for device in (laptop, phone):
        await device.counts("Rooms", 0)
        await expect(device.page).to_have_title(name)
        await device.was_never_reloaded()


async def test_who_has_left_hears_nothing_more_in_a_room_that_is_open(
    street: Street, loan: int, desk: Desk
) -> None:
    room = f"{street.here.path}/loans/{loan}"
    ada, ben = await desk.window_of(street.ada), await desk.window_of(street.ben)
    ben.forgiven = LOST
    frames: list[str] = []
    ben.page.on(
        "websocket",
        lambda line: line.on("framereceived", lambda frame: frames.append(str(frame))),
    )
    await ada.opens_live(room)
    await ben.opens_live(room)
    await street.ada.says(loan, "Are you still there?")
    await expect(ben.page.locator("#timeline")).to_contain_text("Are you still there?")
    await street.cora.does(f"{street.cora.home}/members/{street.ben.id}/removal")
    await expect(ben.page.locator("body")).not_to_contain_text("Are you still there?")
    await street.ada.says(loan, "The key is under the pot")
    await expect(ada.page.locator("#timeline")).to_contain_text("The key is under the pot")
    assert "under the pot" not in await ben.page.content()
    assert "under the pot" not in "".join(frames)


async def rings(who: Neighbour) -> list[str]:
    async with db.snapshot() as tx:
        rows = select(PushSubscription.endpoint).where(PushSubscription.person_id == who.id)
        return list(await tx.scalars(rows))


# A browser without its maker's push service: what it would answer when it is asked.
SERVICE = """
    const device = DEVICE, { endpoint } = device;
    let kept = null;
    PushManager.prototype.getSubscription = async () => kept;
    PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
        window.given = { userVisibleOnly, applicationServerKey };
        if (window.denied) throw new DOMException("no", "NotAllowedError");
        const unsubscribe = async () => !(kept = null);
        return (kept = { toJSON: () => device, endpoint, unsubscribe });
    };
"""


async def test_a_device_is_asked_before_it_rings_and_stops_when_told(
    street: Street, desk: Desk
) -> None:
    device = Device("http://127.0.0.1:9/ring")
    said = device.described
    told = {"endpoint": said["endpoint"]}
    keys = {"p256dh": said["public_key"], "auth": said["auth"]}
    ada = await desk.window_of(street.ada)
    context = ada.page.context
    await context.grant_permissions(["notifications"], origin=ada.at.url)
    await context.add_init_script(SERVICE.replace("DEVICE", json.dumps(told | {"keys": keys})))
    await ada.opens("/profile/notices")
    state = ada.page.locator("#push-state")
    await expect(ada.page.get_by_role("button", name="Ring here no more")).to_be_hidden()

    await ada.page.evaluate("window.denied = true")
    await ada.press("Ring on this device")
    await expect(state).to_contain_text("That did not work. Please try again in a moment.")
    assert await rings(street.ada) == []

    await ada.page.evaluate("window.denied = false")
    await ada.press("Ring on this device")
    await expect(state).to_contain_text("This device rings.")
    given = await ada.page.evaluate("window.given")
    assert given["userVisibleOnly"]
    assert len(given["applicationServerKey"]) == 87  # a point on the curve, in base64url
    assert await rings(street.ada) == [device.endpoint]

    await ada.press("Ring here no more")
    await expect(state).to_contain_text("This device does not ring any more.")
    await expect(ada.page.get_by_role("button", name="Ring on this device")).to_be_visible()
    assert await rings(street.ada) == []
