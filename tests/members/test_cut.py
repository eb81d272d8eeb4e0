"""Whoever goes or is sent away: every open screen of theirs is cut, on the other worker, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from app import topic
from tests.neighbours import Neighbour, Screen, Street
from tests.workers import Worker

SIGNED_OUT = 4401
Act = Callable[[Street], Awaitable[object]]


def elsewhere(street: Street, who: Neighbour) -> Worker:
    """The worker that does not do this person's acts."""
    return next(worker for worker in street.workers if worker is not who.at)


async def two_tabs(stack: AsyncExitStack, street: Street, *names: str) -> list[Screen]:
    """Of ben's, at the worker that does nothing itself."""
    at = elsewhere(street, street.ben)
    return [await stack.enter_async_context(street.ben.watches(*names, at=at)) for _ in range(2)]


@pytest.mark.parametrize("path", ["/sign-out", "/profile/sessions/end"])
async def test_signing_out_closes_every_screen(street: Street, path: str) -> None:
    board = topic.board(street.here.id)
    async with AsyncExitStack() as stack:
        tabs = await two_tabs(stack, street, board)
        await street.ben.does(path)
        for tab in tabs:
            with pytest.raises(ConnectionClosed) as ended:
                await tab.until(lambda: False)
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == SIGNED_OUT


async def suspended(street: Street) -> None:
    await street.cora.does(f"{street.cora.home}/members/{street.ben.id}/suspension")


async def removed(street: Street) -> None:
    await street.cora.does(f"{street.cora.home}/members/{street.ben.id}/removal")


async def left(street: Street) -> None:
    await street.ben.does(f"{street.ben.home}/leave")


@pytest.mark.parametrize("act", [suspended, removed, left])
async def test_who_is_not_a_member_any_more_hears_no_more_of_it(street: Street, act: Act) -> None:
    card = topic.tool(street.here.id, await street.ada.lists("Cordless drill"))
    names = (topic.board(street.here.id), card, topic.recent(street.here.id))
    async with AsyncExitStack() as stack:
        tabs = await two_tabs(stack, street, *names)
        await act(street)
        for tab in tabs:
            await tab.until(lambda tab=tab: all(tab.html[name] is None for name in names))
            heard = len(tab.frames)
            await street.ada.lists("Long ladder", "ladders")
            await tab.watch(topic.waiting(street.ben.id))  # what was to come has come by now
            assert not any(
                frame.get("html")
                for frame in tab.frames[heard:]
                if "topic" in frame and frame["topic"].startswith(f"c{street.here.id}/")
            )


async def test_a_change_of_role_opens_and_shuts_what_only_coordinators_see(street: Street) -> None:
    members = topic.members(street.here.id)
    change = f"{street.cora.home}/members/{street.ben.id}/role"
    async with AsyncExitStack() as stack:
        tabs = await two_tabs(stack, street, members)
        assert all(tab.html.get(members) is None for tab in tabs)
        await street.cora.does(change, role="coordinator")
        for tab in tabs:
            await tab.shows(members, street.cy.name)
        await street.cora.does(change, role="member")
        for tab in tabs:
            await tab.until(lambda tab=tab: tab.html[members] is None)


async def test_a_laptop_that_slept_through_it_hears_nothing_on_waking(street: Street) -> None:
    card = topic.tool(street.here.id, await street.ada.lists("Cordless drill"))
    at = elsewhere(street, street.ben)
    async with street.ben.watches(card, at=at) as before:
        version = before.version[card]
    await suspended(street)
    await street.ada.lists("Long ladder", "ladders")
    async with street.ben.watches(at=at) as after:
        await after.watch(card, versions={card: version})
        assert after.html.get(card) is None
        assert after.version[card] == version, "not even how much has changed"
