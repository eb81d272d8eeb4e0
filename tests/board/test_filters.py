"""Filters of the wall, one by one and together, and a wall of more cards than one page has."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app import db, topic
from app.board import wall
from app.board.search import Search
from app.db import Tx
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.board.test_wall import on_the_page, on_the_wire
from tests.loans.living import TODAY, Elm, elm_street
from tests.neighbours import Street
from tests.people.living import NOW

DAYS = (TODAY, TODAY + timedelta(days=1))


async def furnished(tx: Tx) -> Elm:
    """Ada's drill costs nothing and is out; her saws cost 2.50 and 8; ben has a rake for all."""
    elm = await elm_street(tx)
    for name, category, owner, price, skill in (
        ("Hand saw", "saws", elm.ada, 250, "some practice"),
        ("Chainsaw", "saws", elm.ada, 800, "expert"),
        ("Rake", "garden", elm.ben, 0, "anyone"),
    ):
        text = ToolText(name=name, category=category, price_cents=price, skill=skill)
        await tools.list_tool(tx, text, owner, NOW)
    await elm.out(elm.cy, 0, 1)
    return elm


async def names(elm: Elm, search: Search) -> list[str]:
    found = await wall.hanging(elm.tx, elm.here, search, NOW)
    hung = wall.arrange(found, search, ()).hung
    listed = await wall.listed(elm.tx, elm.here, search, NOW, limit=50)
    shown = [tool.name for tool in await wall.tools_of(elm.tx, elm.here, hung)]
    assert sorted(shown) == sorted(tool.name for tool in listed), "the API finds the same"
    return shown


async def test_each_filter_and_all_of_them_together(tx: Tx) -> None:
    elm = await furnished(tx)
    ada = elm.ada.person_id
    for search, wanted in (
        (Search(), ["Chainsaw", "Hand saw", "Rake", "Drill"]),
        (Search(price=0), ["Rake", "Drill"]),
        (Search(price=250), ["Hand saw", "Rake", "Drill"]),
        (Search(skill="anyone"), ["Rake", "Drill"]),
        (Search(skill="some practice"), ["Hand saw", "Rake", "Drill"]),
        (Search(lender=ada), ["Chainsaw", "Hand saw", "Drill"]),
        (Search(lender=2**62 - 1), []),
        (Search(free=True), ["Chainsaw", "Hand saw", "Rake"]),
        (Search(days=DAYS), ["Chainsaw", "Hand saw", "Rake"]),
        (Search(category="saws"), ["Chainsaw", "Hand saw"]),
        (Search(category="spaceships"), []),
        (
            Search(q="saw", category="saws", free=True, days=DAYS, price=250, lender=ada),
            ["Hand saw"],
        ),
        (Search(q="saw", category="saws", skill="anyone"), []),
    ):
        assert await names(elm, search) == wanted, search


async def test_what_a_form_cannot_mean_is_said_and_kept(street: Street) -> None:
    await street.ada.lists("Hand saw", "saws", price="2.50", skill="some practice")
    page = await street.cy.opens(f"{street.cy.home}?q=saw&price_to=cheap&pages=3")
    assert "That is not a price. Write it like 2.50" in page
    assert 'value="cheap"' in page
    assert 'value="saw"' in page
    odd = await street.cy.opens(f"{street.cy.home}?skill=wizard&lender=99999999999999999999")
    assert "Hand saw" in odd
    refused = await street.ada.posts(
        f"{street.ada.home}/tools", name="Saw", category="saws", skill="wizard"
    )
    assert "Choose who can use it." in refused.text
    tool = re.search(r"/tools/(\d+)", page)
    assert tool
    assert "Needs some practice." in await street.cy.opens(f"{street.cy.home}/tools/{tool[1]}")


async def test_a_filter_follows_what_is_filtered_by(street: Street) -> None:
    """A price, a skill level, a description that change are a change of what hangs there."""
    saw = await street.ada.lists("Hand saw", "saws", price="2.50")
    searches = (Search(price=0), Search(skill="anyone"), Search(q="rusty"))
    names_ = [topic.listing(street.here.id, search.key) for search in searches]
    fields = {"name": "Hand saw", "category": "saws"}
    async with street.ben.watches(*names_) as screen:
        for change, lists in (
            ({"price": "", "skill": "anyone"}, ([saw], [saw], [])),
            ({"price": "3", "skill": "expert"}, ([], [], [])),
            ({"price": "3", "skill": "anyone", "description": "Rusty."}, ([], [saw], [saw])),
        ):
            before = [screen.version[name] for name in names_]
            await street.ada.does(f"{street.ada.home}/tools/{saw}/edit", **fields, **change)
            for name, version, tools_ in zip(names_, before, lists, strict=True):
                await screen.rises_above(name, version)
                wanted = [topic.tool(street.here.id, one) for one in tools_]
                assert await on_the_wire(street.cy, name) == wanted, (name, change)


@pytest.fixture
async def crowded(street: Street) -> Street:
    """A wall of one page and three cards more."""
    async with db.begin() as tx:
        for n in range(wall.PAGE + 3):
            text = ToolText(name=f"Chair {n:03}", category="party")
            await tools.list_tool(tx, text, street.ada.viewer, NOW)
    return street


async def test_a_wall_shows_its_first_cards_and_the_rest_when_asked(crowded: Street) -> None:
    cy = crowded.cy
    for pages, shown in ((1, wall.PAGE), (2, wall.PAGE + 3)):
        name = topic.listing(crowded.here.id, Search(pages=pages).key)
        cards = await on_the_page(cy, {"pages": pages})
        assert len(cards) == shown
        assert cards == await on_the_wire(cy, name)
        frame = (await cy.client.get("/live", params={"topic": name})).json()
        assert frame["counts"]["+"] == (pages == 1)
    first = await cy.opens(cy.home)
    more = re.search(r'id="show-more" href="([^"#]+)#tool-(\d+)"', first)
    assert more
    assert more[1] == f"{cy.home}?pages=2"
    assert f'id="tool-{more[2]}"' in first
    assert "data-more hidden" not in first
    assert "data-more hidden" in await cy.opens(more[1])


async def test_a_page_stays_full_for_whom_some_of_it_is_veiled(crowded: Street) -> None:
    """Ada's chairs look paused to cy, and hang behind what others lend."""
    shelf = await crowded.cora.lists("Shelf")
    await crowded.ada.does(f"{crowded.ada.home}/people/{crowded.cy.id}/block")
    assert topic.tool(crowded.here.id, shelf) not in await on_the_page(crowded.ben, {})
    cards = await on_the_page(crowded.cy, {})
    assert cards[0] == topic.tool(crowded.here.id, shelf)
    assert len(cards) == wall.PAGE
    assert len(await on_the_page(crowded.cy, {"free": 1})) == 1
