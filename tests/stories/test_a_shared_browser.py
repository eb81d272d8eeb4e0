"""One browser, two people: nothing of the one is left for the other."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from app import db
from app.notices.deliveries import PushSubscription
from app.people.doors import cookie_name
from tests.neighbours import Neighbour, Street
from tests.notices.pushservice import Device
from tests.stories.windows import Desk, Window

pytestmark = pytest.mark.browser

WORDS = """[...Object.entries(localStorage), ...Object.entries(sessionStorage)]
    .filter(([name]) => name !== "person" && name !== "rings").map(([, value]) => value).join()"""
PHONE = Device("http://127.0.0.1:9/phone").described
# The push service is not ours: this one knows a first subscription, for a key of long ago.
PUSH = """(() => {
  const plain = (text) => atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = (text) => Uint8Array.from(plain(text), (letter) => letter.charCodeAt(0));
  const made = (key, n) => ({
    options: { applicationServerKey: bytes(key).buffer },
    toJSON: () => ({ endpoint: `ENDPOINT-${n}`, keys: { p256dh: "P256DH", auth: "AUTH" } }),
    unsubscribe: async () => sessionStorage.removeItem("fake"),
  });
  const kept = () => JSON.parse(sessionStorage.getItem("fake"));
  PushManager.prototype.getSubscription = async () => kept() && made(...kept());
  PushManager.prototype.subscribe = async ({ applicationServerKey: key }) => {
    sessionStorage.setItem("fake", JSON.stringify([key, 2]));
    return made(key, 2);
  };
  if (!sessionStorage.getItem("began")) sessionStorage.setItem("fake", JSON.stringify(["AAAA", 1]));
  sessionStorage.setItem("began", "1");
})()"""


async def test_who_signs_in_next_finds_nothing_of_the_one_before(
    street: Street, desk: Desk
) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    window = await desk.window_of(street.ben)
    window.forgiven = ("net::ERR_", "Failed to load resource")
    page = window.page
    await window.opens_live(f"{street.here.path}/loans/{loan}")
    await page.route("**/messages", lambda route: route.abort())
    box = page.get_by_label("Your message to")
    await box.fill("Sent, but not arrived")
    await box.press("Enter")
    await expect(page.locator("#outbox")).to_contain_text("Sent, but")
    await box.fill("Half typed")
    assert "Half typed" in await page.evaluate(WORDS)

    await page.context.add_cookies(
        [{"name": cookie_name(), "value": street.ada.cookie, "url": window.at.url}]
    )
    await window.opens(f"{street.here.path}/loans/{loan}")
    await expect(page.get_by_label("Your message to")).to_have_value("")
    assert await page.evaluate(WORDS) == ""
    assert await page.evaluate("localStorage.person") == str(street.ada.id)

    await window.opens("/profile")
    await page.locator("[data-live-pause]").click()
    await page.locator(".who").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("E-mail")).to_be_visible()
    cookies = {one["name"]: one["value"] for one in await page.context.cookies()}
    assert cookies["live-paused"] == "1", "it is this device's"


async def test_a_half_typed_tool_waits_for_its_writer_alone(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists("Cordless drill")
    window = await desk.window_of(street.ben)
    new, name = f"{street.here.path}/tools/new", window.page.locator("#name")
    await window.opens(new)
    await name.fill("Wheelbarrow")
    await window.opens()  # left by mistake
    await window.opens(new)
    await expect(name).to_have_value("Wheelbarrow")
    await window.opens(f"{street.here.path}/tools/{drill}/like")
    await expect(name).to_have_value("Cordless drill")

    await window.page.context.add_cookies(
        [{"name": cookie_name(), "value": street.ada.cookie, "url": window.at.url}]
    )
    await window.opens(new)
    await expect(name).to_have_value("")


@pytest.fixture
async def ringing(street: Street, desk: Desk) -> Window:
    """A window of ada's on a device that was switched on long ago."""
    script = PUSH.replace("ENDPOINT", PHONE["endpoint"])
    script = script.replace("P256DH", PHONE["public_key"]).replace("AUTH", PHONE["auth"])
    window = await desk.window_of(street.ada)
    await window.page.add_init_script(script)
    return window


async def rings(window: Window, who: Neighbour) -> list[str]:
    """What the server knows of the devices, once the page has said that this one rings."""
    await window.opens("/profile/notices")
    await expect(window.page.locator("#push-state")).to_contain_text("This device rings.")
    async with db.snapshot() as tx:
        rows = select(PushSubscription.endpoint).where(PushSubscription.person_id == who.id)
        return list(await tx.scalars(rows))


async def test_a_subscription_for_another_key_is_made_anew_and_told(
    street: Street, ringing: Window
) -> None:
    assert await rings(ringing, street.ada) == [f"{PHONE['endpoint']}-2"]


async def test_a_device_that_the_server_cannot_hear_of_now_is_told_of_later(
    street: Street, ringing: Window
) -> None:
    there = "**/push/subscription"
    ringing.forgiven = ("503",)
    await ringing.page.route(there, lambda route: route.fulfill(status=503))
    assert await rings(ringing, street.ada) == []
    await ringing.page.unroute(there)
    assert await rings(ringing, street.ada) == [f"{PHONE['endpoint']}-2"]
