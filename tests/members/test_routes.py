"""The coordinators' pages: members, invitations, posters; and who must not get there."""

from __future__ import annotations

import re

import httpx
import pytest

from app import db, topic
from app.people import queries
from app.people.models import Role, Status
from tests.neighbours import Neighbour, Street, browser, found_street
from tests.workers import Worker


async def status_of(who: Neighbour) -> str:
    async with db.snapshot() as tx:
        standing = await queries.standing(tx, who.viewer.community_id, who.id)
        assert standing is not None
        return standing.status


def doors_of(street: Street, link: int = 1) -> list[tuple[str, str]]:
    """Every page and button that only coordinators have."""
    home, ben = street.here.path, street.ben.id
    nouns = ("admission", "refusal", "suspension", "suspension/end", "removal", "role")
    return [
        ("GET", f"{home}/members"),
        ("GET", f"{home}/poster/{link}"),
        ("GET", f"{home}/poster/{link}.svg"),
        ("POST", f"{home}/join-links"),
        ("POST", f"{home}/join-links/{link}/end"),
        ("POST", f"{home}/members/{ben}/reset-link"),
        *(("POST", f"{home}/members/{ben}/{noun}") for noun in nouns),
    ]


async def test_cora_invites_prints_the_poster_and_ends_the_invitation(street: Street) -> None:
    cora = street.cora
    await cora.does(f"{cora.home}/join-links")
    page = await cora.opens(f"{cora.home}/members")
    found = re.search(r"/poster/(\d+)", page)
    assert found is not None
    poster = await cora.opens(f"{cora.home}{found[0]}")
    address = re.search(r"/join/([A-Z2-7]{4}-){2}[A-Z2-7]{4}", poster)
    assert address is not None
    assert address[0] in page
    code = await cora.client.get(f"{cora.home}{found[0]}.svg")
    assert code.headers["content-type"].startswith("image/svg+xml")
    assert b"<svg" in code.content
    async with browser(street.workers[1]) as stranger:
        assert (await stranger.get(address[0])).status_code == 200
        await cora.does(f"{cora.home}/join-links/{found[1]}/end")
        assert (await stranger.get(address[0])).status_code == 422
    assert address[0] not in await cora.opens(f"{cora.home}/members")


async def test_cora_sees_everybody_and_what_she_may_do(street: Street) -> None:
    page = await street.cora.opens(f"{street.cora.home}/members")
    for one in street.people:
        assert one.name in page
    assert f'action="{street.here.path}/members/{street.ben.id}/suspension"' in page
    assert f'action="{street.here.path}/members/{street.cora.id}/suspension"' not in page


async def test_a_suspension_reaches_open_screens_and_its_end_too(street: Street) -> None:
    cora, ben = street.cora, street.ben
    board = topic.board(street.here.id)
    await street.ada.lists("Drill")
    async with ben.watches(board) as screen:
        assert screen.html[board]
        await cora.does(f"{cora.home}/members/{ben.id}/suspension")
        await screen.until(lambda: screen.html[board] is None)
    assert (await ben.client.get(ben.home)).headers["location"] == f"{ben.home}/waiting"
    assert "on a break" in await ben.opens(f"{ben.home}/waiting")
    assert (await ben.client.get(f"{ben.home}/things")).status_code == 200
    await cora.does(f"{cora.home}/members/{ben.id}/suspension")
    await cora.does(f"{cora.home}/members/{ben.id}/suspension/end")
    assert (await ben.client.get(ben.home)).status_code == 200


async def test_a_suspended_borrower_still_brings_back_and_talks(street: Street) -> None:
    ada, ben, cora = street.ada, street.ben, street.cora
    drill = await ada.lists("Drill")
    loan = await ben.asks_for(drill, street.today)
    await ada.acts(loan, "approval")
    await ada.acts(loan, "handover")
    shared, own = topic.tool(street.here.id, drill), topic.loan(street.here.id, loan)
    async with ben.watches(shared, own) as screen:
        await cora.does(f"{cora.home}/members/{ben.id}/suspension")
        await screen.until(lambda: screen.html[shared] is None)
        assert 'id="loan-' in await ben.opens(f"{ben.home}/loans/{loan}")
        await ben.says(loan, "It comes back today.")
        await ben.acts(loan, "return-claim")
        await ada.acts(loan, "return")
        await screen.shows(own, "Back")
        assert screen.html[shared] is None


async def test_a_role_is_given_and_opens_the_page(street: Street) -> None:
    cora, ada = street.cora, street.ada
    members = topic.members(street.here.id)
    await cora.does(f"{cora.home}/members/{ada.id}/role", role=Role.COORDINATOR)
    async with ada.watches(members) as screen:
        assert street.ben.name in (screen.html[members] or "")
        refused = await ada.posts(f"{ada.home}/members/{street.ben.id}/role", role=Role.ADMIN)
        assert (refused.status_code, "Only an admin" in refused.text) == (403, True)
        await cora.does(f"{cora.home}/members/{ada.id}/role", role=Role.MEMBER)
        await screen.until(lambda: screen.html[members] is None)
    assert (await ada.client.get(f"{ada.home}/members")).status_code == 404


async def test_a_removed_member_is_out_everywhere_at_once(street: Street) -> None:
    cora, ada = street.cora, street.ada
    drill = await ada.lists("Drill")
    card = topic.tool(street.here.id, drill)
    async with street.ben.watches(card) as bens, ada.watches(card) as adas:
        await cora.does(f"{cora.home}/members/{ada.id}/removal")
        await bens.until(lambda: bens.html[card] is None)
        await adas.until(lambda: adas.html[card] is None)
    assert await status_of(ada) == Status.LEFT
    assert (await ada.client.get(ada.home)).status_code == 404


async def test_members_and_strangers_find_none_of_it(
    street: Street, workers: tuple[Worker, Worker]
) -> None:
    async with found_street(workers) as other, browser(workers[0]) as visitor:
        for method, path in doors_of(street):
            for client in (street.ada.client, other.ada.client, other.cora.client):
                assert (await client.request(method, path)).status_code == 404, path
            answer = await visitor.request(method, path)
            assert answer.headers["location"].startswith("/sign-in"), path
    assert await status_of(street.ben) == Status.ACTIVE


async def test_a_coordinator_reaches_nobody_of_another_community(
    street: Street, workers: tuple[Worker, Worker]
) -> None:
    async with found_street(workers) as other:
        await other.cora.does(f"{other.cora.home}/join-links")
        page = await other.cora.opens(f"{other.cora.home}/members")
        found = re.search(r"/poster/(\d+)", page)
        assert found is not None
        cora, theirs = street.cora, other.ben.id
        nouns = ("admission", "refusal", "suspension", "suspension/end", "removal", "reset-link")
        for path in (
            *(f"{cora.home}/members/{theirs}/{noun}" for noun in nouns),
            f"{cora.home}/join-links/{found[1]}/end",
        ):
            assert (await cora.posts(path)).status_code == 404, path
        for path in (f"{cora.home}{found[0]}", f"{cora.home}{found[0]}.svg"):
            assert (await cora.client.get(path)).status_code == 404, path
        assert await status_of(other.ben) == Status.ACTIVE


async def test_strangers_hear_nothing_of_the_members(street: Street) -> None:
    members = topic.members(street.here.id)
    await street.ada.lists("Drill")
    async with street.ada.watches(members, topic.board(street.here.id)) as screen:
        assert screen.html[members] is None
        assert screen.html[topic.board(street.here.id)]


@pytest.mark.parametrize("person", ["0", "abc", "99999999999999999999", "-1"])
async def test_a_guessed_member_is_not_there(street: Street, person: str) -> None:
    answer: httpx.Response = await street.cora.posts(f"{street.cora.home}/members/{person}/removal")
    assert answer.status_code == 404
