"""One community's things are not there for anybody else: 404 on pages, silence on sockets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app import clock, db, topic
from app.errors import NotFound
from app.loans import commands as loans
from app.loans.models import Loan
from app.main import app
from app.tools import commands as tools
from tests.neighbours import Street, browser, found_street
from tests.workers import Worker

# Pages that stand outside any community; each is covered by the tests of people.
OUTSIDE = (
    "/",
    "/communities",
    "/sign-in",
    "/sign-up",
    "/sign-out",
    "/join",
    "/profile",
    "/forgotten",
    "/confirm",
    "/unsubscribe",
    "/push",
    "/demo",
    "/offline",
    "/sw.js",
    "/manifest",
    "/reset",
    "/set-up",
    "/theme",
    "/health",
    "/metrics",
    "/live",
    "/feeds",
    "/static",
    "/docs",
    "/api",
)


def every_route(routes: Iterable[Any] = app.routes) -> Iterator[Any]:
    """Also those of the routers that were included."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from every_route(inner.routes)


def routes_of_a_community() -> list[tuple[str, str]]:
    found = []
    for route in every_route():
        path, methods = getattr(route, "path", ""), getattr(route, "methods", None) or ()
        if path.startswith("/c/{slug}"):
            found += [(method, path) for method in methods if method != "HEAD"]
    assert len(found) > 20, "the walk has lost its way"
    return sorted(found)


def test_every_route_is_inside_a_community_or_known() -> None:
    for route in every_route():
        path = route.path
        inside = path.startswith("/c/{slug}")
        assert inside or path == "/" or path.startswith(OUTSIDE[1:]), f"who may open {path}?"


@pytest.fixture
async def story(street: Street) -> dict[str, int]:
    """A tool of ada's that ben has borrowed, with a room."""
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today, street.day(1))
    await street.ada.acts(loan, "approval")
    async with db.snapshot() as tx:
        found = await tx.get(Loan, (street.here.id, loan))
        assert found is not None
        return {"tool_id": drill, "loan_id": loan, "room_id": found.conversation_id}


def filled(path: str, street: Street, story: dict[str, int]) -> str:
    values = {
        "slug": street.here.slug,
        "person_id": street.ben.id,
        "link_id": 1,
        "job_id": 1,
        "blackout_id": 1,
        "change_id": 1,
        "incident_id": 1,
        "amount_id": 1,
        "category_id": 1,
        "message_id": 1,
        "report_id": 1,
        "line_id": 1,
        "feed_id": 1,
        "wanted_id": 1,
        "answer_id": 1,
        "watch_id": 1,
        "import_id": 1,
        "photo_id": 1,
        "district_id": 1,
        "step": "paid",
        "name": "0" * 32,
        "width": 480,
        "ending": "webp",
        "direction": "out",
        **story,
    }
    for name, value in values.items():
        path = path.replace("{" + name + "}", str(value))
    assert "{" not in path, f"no value for {path}"
    return path


async def test_a_member_of_another_community_finds_nothing(
    street: Street, story: dict[str, int], workers: tuple[Worker, Worker]
) -> None:
    async with found_street(workers) as other:
        for stranger in (other.cora, other.ben):
            for method, path in routes_of_a_community():
                answer = await stranger.client.request(method, filled(path, street, story))
                assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
                assert "Cordless" not in answer.text
                assert "Ada Moreno" not in answer.text


async def test_the_own_slug_opens_nothing_of_another_community(
    street: Street, story: dict[str, int], workers: tuple[Worker, Worker]
) -> None:
    """Ids are guessed under the slug of a community that one does belong to."""
    async with found_street(workers) as other:
        for method, path in routes_of_a_community():
            if not any(one in path for one in ("{tool_id}", "{loan_id}", "{room_id}")):
                continue
            mine = filled(path, other, story)
            answer = await other.ben.client.request(method, mine)
            assert answer.status_code in (404, 422), f"{method} {path}: {answer.status_code}"
            assert "Cordless" not in answer.text


async def test_a_member_who_is_no_party_finds_no_room(
    street: Street, story: dict[str, int]
) -> None:
    for third in (street.cy, street.cora):
        path = f"{street.here.path}/loans/{story['loan_id']}"
        assert (await third.client.get(path)).status_code == 404
        assert (await third.posts(f"{path}/messages", body="Hello")).status_code == 404
        room = f"{street.here.path}/rooms/{story['room_id']}"
        assert (await third.posts(f"{room}/seen", up_to=1)).status_code == 404
    assert (await street.cy.posts(f"{path}/approval")).status_code == 404


async def test_nobody_signed_in_sees_only_the_door(street: Street, story: dict[str, int]) -> None:
    async with browser(street.workers[0]) as visitor:
        for method, path in routes_of_a_community():
            answer = await visitor.request(method, filled(path, street, story))
            assert answer.status_code in (303, 404, 422), f"{method} {path}: {answer.status_code}"
            assert "Cordless" not in answer.text
            if answer.status_code == 303:
                assert answer.headers["location"].startswith("/sign-in")


async def test_nobody_is_blocked_across_the_wall_between_communities(
    street: Street, story: dict[str, int], workers: tuple[Worker, Worker]
) -> None:
    async with found_street(workers) as other:
        for slug, whom in ((other.here.slug, street.ben.id), (street.here.slug, other.cy.id)):
            answer = await other.ben.posts(f"/c/{slug}/people/{whom}/block")
            assert answer.status_code == 404
            assert "Okafor" not in answer.text.replace("Signed in as Ben Okafor", "")


async def test_a_blocked_members_socket_hears_the_veil_and_nothing_through_it(
    street: Street, story: dict[str, int]
) -> None:
    here, cy = street.here.id, street.cy
    card, dates = topic.tool(here, story["tool_id"]), topic.dates(here, story["tool_id"])
    await street.ada.does(f"{street.ada.home}/people/{cy.id}/block")
    async with cy.watches(card, dates, topic.recent(here), topic.listing(here)) as screen:
        await street.ada.acts(story["loan_id"], "handover")
        version = screen.version[card]
        await screen.rises_above(card, version)
        assert "<b>Paused</b>" in (screen.html[card] or "")
        assert not any(word in str(screen.frames) for word in ("Out", "Reserved", "went out"))


async def test_a_strangers_socket_hears_nothing_but_its_own(
    street: Street, story: dict[str, int], workers: tuple[Worker, Worker]
) -> None:
    here = street.here.id
    secret = [
        topic.tool(here, story["tool_id"]),
        topic.dates(here, story["tool_id"]),
        topic.board(here),
        topic.loan(here, story["loan_id"]),
        topic.room(here, story["room_id"]),
        topic.seen(here, story["room_id"]),
        topic.writing(here, story["loan_id"]),
        topic.handover(here, story["loan_id"]),
        topic.similar(here, story["loan_id"]),
        topic.amends(here, story["loan_id"]),
        topic.facts(here, story["loan_id"]),
        topic.help(here),
        topic.reports(here),
        topic.wanted(here),
        topic.things(street.ada.id),
        topic.unread(street.ada.id),
    ]
    async with found_street(workers) as other:
        mine = topic.board(other.here.id)
        async with other.ben.watches(*secret, mine, at=workers[0]) as screen:
            await street.ada.says(story["loan_id"], "The key is under the pot")
            await street.ada.acts(story["loan_id"], "handover")
            await other.ada.lists("Long ladder", "ladders")
            await screen.shows(mine, "<b>1</b> free")  # so the socket does hear
            assert not any(screen.html.get(name) for name in secret)
            assert "under the pot" not in str(screen.frames)


async def test_a_third_members_socket_hears_the_card_but_not_the_room(
    street: Street, story: dict[str, int]
) -> None:
    here = street.here.id
    card = topic.tool(here, story["tool_id"])
    room, loan = topic.room(here, story["room_id"]), topic.loan(here, story["loan_id"])
    amends, facts = topic.amends(here, story["loan_id"]), topic.facts(here, story["loan_id"])
    seen = topic.seen(here, story["room_id"])
    watched = (card, room, seen, loan, amends, facts, topic.help(here), topic.reports(here))
    async with street.cy.watches(*watched) as screen:
        await street.ada.says(story["loan_id"], "The key is under the pot")
        await street.ada.acts(story["loan_id"], "handover")
        await screen.shows(card, "Out")
        assert not screen.html.get(room)
        assert not any(screen.html.get(name) for name in watched[1:])
        assert "under the pot" not in str(screen.frames)
        assert "Ben" not in str(screen.frames), "a shared card names no borrower"


async def test_the_database_refuses_a_loan_across_communities(
    street: Street, story: dict[str, int], workers: tuple[Worker, Worker]
) -> None:
    now = clock.now()
    async with found_street(workers) as other, db.sessions() as tx:
        found = await tx.get(Loan, (street.here.id, story["loan_id"]))
        assert found is not None
        row = {
            "community_id": other.here.id,
            "tool_id": story["tool_id"],
            "borrower_id": other.ben.id,
            "lender_id": other.ada.id,
            "conversation_id": found.conversation_id,
            "period": Range(found.start, found.end),
            "price_cents": 0,
            "state": "requested",
            "version": 1,
            "reason": "",
            "place": "",
            "requested_at": now,
            "expires_at": now,
        }
        with pytest.raises(IntegrityError) as refused:
            await tx.execute(insert(Loan).values(row))
        assert getattr(refused.value.orig, "sqlstate", "") == "23503"


async def test_a_name_made_to_look_like_markup_does_not_silence_its_card(street: Street) -> None:
    """Topic and version stand on the card's root, whatever the tool is called."""
    drill = await street.ada.lists('Drill data-topic=x <b> "quoted"')
    card = topic.tool(street.here.id, drill)
    async with street.ben.watches(card) as screen:
        await street.ben.asks_for(drill, street.day(1))
        html = await screen.shows(card, "Asked for")
        assert f'data-topic="{card}"' in html
        assert "<b> " not in html
        assert html in await street.ben.opens(street.ben.home)


async def test_who_was_removed_meanwhile_lists_and_asks_for_nothing(street: Street) -> None:
    """The right is asked again inside the transaction, not only at the door."""
    drill = await street.ada.lists("Cordless drill")
    await street.cora.does(f"{street.cora.home}/members/{street.cy.id}/removal")
    start, end = clock.days(street.day(1), street.day(1), street.here.zone)
    with pytest.raises(NotFound):
        async with db.begin() as tx:
            await loans.request(tx, drill, start, end, street.cy.viewer, clock.now())
    text = tools.ToolText(name="Ghost saw", category="saws")
    with pytest.raises(NotFound):
        async with db.begin() as tx:
            await tools.list_tool(tx, text, street.cy.viewer, clock.now())
