"""A browser that slept, or was out of reach: awake again it is right, or out, and heard nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import CDPSession, WebSocket, expect

from tests.neighbours import Street
from tests.stories.windows import WITHIN, Desk, Window

pytestmark = pytest.mark.browser

DRILL, LADDER = "Cordless drill", "Long ladder"
BACK_WITHIN = 2 * WITHIN


class Sleep:
    """What the system does to a page in the background: nothing in it runs any more."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    @classmethod
    async def over(cls, window: Window) -> Sleep:
        return cls(await window.page.context.new_cdp_session(window.page))

    async def begins(self) -> None:
        await self._session.send("Page.setWebLifecycleState", {"state": "frozen"})

    async def ends(self) -> None:
        await self._session.send("Page.setWebLifecycleState", {"state": "active"})


def overheard(window: Window) -> list[str]:
    """Every frame that reaches this browser from now on."""
    frames: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: frames.append(str(data)))

    window.page.on("websocket", listen)
    return frames


async def sign_out_everywhere(street: Street) -> None:
    """Ben does it on his telephone, having left his laptop somewhere."""
    await street.ben.does("/profile/sessions/end")


async def is_out(window: Window) -> None:
    await expect(window.page.get_by_label("Password", exact=True)).to_be_visible(
        timeout=BACK_WITHIN
    )
    await expect(window.page.locator("body")).not_to_contain_text(LADDER)


async def test_a_page_that_slept_is_right_when_it_wakes(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists(DRILL)
    window = await desk.window_of(street.ben)
    await window.opens_live()
    sleep = await Sleep.over(window)
    await sleep.begins()
    loan = await street.cora.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    await street.ada.lists(LADDER, "ladders")
    await sleep.ends()
    await window.shows_on_the_wall(DRILL, "Out until")
    await window.shows_on_the_wall(LADDER, "Free now")
    await window.is_live()
    await window.was_never_reloaded()


async def test_a_page_that_slept_through_a_sign_out_heard_nothing_and_is_out(
    street: Street, desk: Desk
) -> None:
    await street.ada.lists(DRILL)
    window = await desk.window_of(street.ben)
    frames = overheard(window)
    await window.opens_live()
    sleep = await Sleep.over(window)
    await sleep.begins()
    await sign_out_everywhere(street)
    await street.ada.lists(LADDER, "ladders")
    await sleep.ends()
    await is_out(window)
    assert frames
    assert not [frame for frame in frames if LADDER in frame]


async def test_a_page_out_of_reach_during_a_sign_out_is_out_when_it_is_back(
    street: Street, desk: Desk
) -> None:
    drill = await street.ada.lists(DRILL)
    window = await desk.window_of(street.ben)
    window.forgiven = ("WebSocket connection to", "net::ERR_")
    frames = overheard(window)
    await window.opens_live()
    await window.page.context.set_offline(True)
    line = window.page.locator("#liveness")
    await expect(line).to_have_attribute("data-state", "offline")
    before = len(frames)
    await street.ada.does(f"{street.ada.home}/tools/{drill}/pause")
    await window.shows_on_the_wall(DRILL, "Free now")  # and the line says that it may be wrong
    await sign_out_everywhere(street)
    await street.ada.lists(LADDER, "ladders")
    await window.page.context.set_offline(False)
    await is_out(window)
    assert not [frame for frame in frames[before:] if "tool/" in frame]


async def test_a_page_out_of_reach_heals_when_it_is_back(street: Street, desk: Desk) -> None:
    drill = await street.ada.lists(DRILL)
    window = await desk.window_of(street.ben)
    window.forgiven = ("WebSocket connection to", "net::ERR_")
    await window.opens_live()
    await window.page.context.set_offline(True)
    line = window.page.locator("#liveness")
    await expect(line).to_have_attribute("data-state", "offline")
    await street.ada.does(f"{street.ada.home}/tools/{drill}/pause")
    await street.ada.lists(LADDER, "ladders")
    await window.page.context.set_offline(False)
    await expect(line).to_have_attribute("data-state", "live", timeout=BACK_WITHIN)
    await window.shows_on_the_wall(DRILL, "Paused")
    await window.shows_on_the_wall(LADDER, "Free now")
    await window.was_never_reloaded()
