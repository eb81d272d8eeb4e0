"""How far a tool is: what one finds, in what order, and what the pages and programs say of it."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from app import topic
from app.board import wall
from app.board.search import Search, distance_from
from app.db import Tx
from app.errors import Refusal
from app.tools import commands as tools
from app.tools import districts, grid, places, where
from app.tools.commands import ToolText
from app.tools.grid import Point
from app.tools.places import PlaceText
from tests.api.conftest import programs_of
from tests.board.test_filters import names
from tests.board.test_wall import on_the_page, on_the_wire
from tests.loans.living import Elm, elm_street
from tests.neighbours import Street, said
from tests.people.living import NOW

HOME = Point(52.52, 13.405)
NEAR = grid.cell_of(HOME)


def north(cells: int) -> str:
    middle = grid.centre_of(NEAR)
    return f"{middle.lat + cells * grid.STEP:.6f}, {middle.lon:.6f}"


async def furnished(tx: Tx) -> Elm:
    """Saws at Ada's three cells away (one of them out), Ben's next door, Cy's nowhere known."""
    elm = await elm_street(tx)
    mill = await districts.add(tx, "Mill", north(8), elm.cora)
    for name, owner in (
        *(("Axe saw", elm.cy), ("Best saw", elm.ada), ("Chain saw", elm.ben)),
        ("Zig saw", elm.ben),
    ):
        await tools.list_tool(tx, ToolText(name=name, category="saws"), owner, NOW)
    await places.keep(tx, PlaceText(point=north(3)), elm.ada, NOW)
    await places.keep(tx, PlaceText("Elm Street 1", point=north(1)), elm.ben, NOW)
    await places.keep(tx, PlaceText(district=mill.id), elm.cora, NOW)
    await tools.list_tool(tx, ToolText(name="Rake", category="garden"), elm.cora, NOW)
    await elm.out(elm.cy, 0, 1)  # the drill
    return elm


async def test_what_is_near_comes_before_names_and_after_what_one_can_have(tx: Tx) -> None:
    elm = await furnished(tx)
    (mill,) = await where.districts(tx, elm.here.id)
    by_name = ["Axe saw", "Best saw", "Chain saw", "Rake", "Zig saw", "Drill"]
    by_far = ["Chain saw", "Zig saw", "Axe saw", "Best saw", "Rake", "Drill"]
    there = grid.cell_of(Point(*map(float, north(3).split(", "))))
    for search, wanted in (
        (Search(), by_name),
        (Search(near=NEAR), by_far),
        (Search(near=there), ["Best saw", "Chain saw", "Zig saw", "Axe saw", "Rake", "Drill"]),
        (Search(near=grid.cell_of(Point(-33, 151))), by_name),
        (Search(q="saw", near=NEAR), ["Chain saw", "Zig saw", "Axe saw", "Best saw"]),
        (Search(near=NEAR, distance=600), ["Chain saw", "Zig saw"]),
        (Search(near=NEAR, distance=2000), ["Chain saw", "Zig saw", "Best saw", "Drill"]),
        (Search(near=NEAR, distance=2000, free=True), ["Chain saw", "Zig saw", "Best saw"]),
        (Search(near=NEAR, distance=5000, category="garden"), ["Rake"]),
        (Search(district=mill.id), ["Rake"]),
        (Search(district=2**62 - 1), []),
        (Search(near=there, distance=10_000, q="zig"), ["Zig saw"]),
    ):
        assert await names(elm, search) == wanted, search
    # What a block makes look paused hangs at the end of its like, however near it is.
    found = await wall.hanging(tx, elm.here, Search(near=NEAR), NOW)
    hung = wall.arrange(found, Search(near=NEAR), {elm.ben.person_id}).hung
    seen = [tool.name for tool in await wall.tools_of(tx, elm.here, hung)]
    assert seen == ["Axe saw", "Best saw", "Rake", "Chain saw", "Zig saw", "Drill"]


@pytest.mark.parametrize("typed", ["1", "601", "-600", "near", "600.0", "99999999999999999999"])
def test_no_distance_but_those_of_the_list(typed: str) -> None:
    with pytest.raises(Refusal):
        distance_from(typed, NEAR)
    assert distance_from("600", NEAR) == 600
    with pytest.raises(Refusal) as refused:
        distance_from("600", None)
    assert refused.value.way_out
    assert Search.typed("", "", False, distance=600).key == ""
    assert not Search.typed("", "", False, near=NEAR).narrowed


def far_of(page: str) -> dict[str, str]:
    """cell → words, as the page tells its viewer."""
    found = re.search(r'data-far="([^"]*)"', page)
    told: dict[str, str] = json.loads(unescape(found[1])) if found else {}
    return told


async def test_pages_and_programs_say_how_far_it_is_to_each_who_asks(street: Street) -> None:
    ada, ben, cy, home = street.ada, street.ben, street.cy, street.here.path
    drill = await ada.lists("Cordless drill")
    await street.cora.does(f"{home}/districts", name="Old Mill")
    page = await ada.opens(f"{home}/place")
    district = re.search(r'<option value="(\d+)">Old Mill', page)
    assert district
    listing, card = topic.listing(street.here.id), topic.tool(street.here.id, drill)
    async with cy.watches(listing, card) as screen:
        was = screen.version[listing]
        there = {"address": "Elm Street 4", "district": district[1], "point": north(1)}
        await ada.does(f"{home}/place", **there)
        html = await screen.shows(card, "Old Mill")
        await screen.rises_above(listing, was)
    cell = re.search(r'data-cell="(\d+)"', html)
    assert cell
    await ben.does(f"{home}/place", point=north(0))
    board = await ben.opens(home)
    assert far_of(board) == {cell[1]: "5 minutes' walk"}
    assert "Old Mill, 5 minutes&#39; walk" in await ben.opens(f"{home}/tools/{drill}")
    assert far_of(await cy.opens(home)) == {}, "nobody knows where cy is"
    assert 'name="distance"' not in await cy.opens(home)
    # What the page lists is what its topic does, from where the viewer is.
    search = Search(near=NEAR, distance=600, district=int(district[1]))
    asked = {"distance": "600", "district": district[1]}
    listed = await on_the_wire(ben, topic.listing(street.here.id, search.key))
    assert await on_the_page(ben, asked) == listed == [card]
    wrong = await cy.opens(f"{home}?distance=600")
    assert "Say where you are under My things, or choose a district." in wrong
    async with programs_of(street) as here:
        for most, found in ((600, [drill]), (None, [drill])):
            asked_for = {"distance": most} if most else {"district": district[1]}
            told = (await here.ben.gets("/tools", **asked_for))["items"]
            assert [one["id"] for one in told] == found
        assert told[0]["place"] == {"district": "Old Mill", "distance": "5 minutes' walk"}
        (seen,) = (await here.cy.gets("/tools"))["items"]
        assert seen["place"] == {"district": "Old Mill", "distance": None}
        lost = await here.cy.call("GET", "/tools", params={"distance": 600})
        assert (lost.status_code, lost.json()["way_out"]) == (
            422,
            "Say where you are under My things, or choose a district.",
        )
        assert (await here.ben.call("GET", "/tools", params={"distance": 601})).status_code == 422


async def test_what_is_no_place_comes_again_with_the_words(street: Street) -> None:
    ada, home = street.ada, street.here.path
    answer = await ada.posts(f"{home}/place", address="Elm Street 4", point="by the mill")
    assert answer.status_code == 422
    assert "Write it like 52.52, 13.40." in said(answer.text)
    assert "Elm Street 4</textarea>" in answer.text
    assert 'value="by the mill"' in answer.text
    drill = await ada.lists("Cordless drill")
    assert (await ada.posts(f"{home}/tools/{drill}/place")).status_code == 422
    await ada.does(f"{home}/tools/{drill}/place", address="The shed")
    assert "The shed" in await ada.opens(f"{home}/tools/{drill}/place")
    await ada.does(f"{home}/tools/{drill}/place/end")
    assert "The shed" not in await ada.opens(f"{home}/tools/{drill}/place")
    named = await street.cora.posts(f"{home}/districts", name="Mill", point="91, 0")
    assert (named.status_code, "Mill" in named.text) == (422, True)


async def test_what_is_fetched_elsewhere_hangs_on_a_hook_of_its_own(tx: Tx) -> None:
    elm = await furnished(tx)
    rakes = [
        await tools.list_tool(tx, ToolText(name="Iron rake", category="garden"), elm.ben, NOW)
        for _ in range(3)
    ]
    search = Search(q="iron")
    (hook,) = {one.alike for one in await wall.hanging(tx, elm.here, search, NOW)}
    assert hook == tuple(tool.id for tool in rakes)
    await places.keep(tx, PlaceText(point=north(9)), elm.ben, NOW, rakes[1].id)
    hooks = {one.alike for one in await wall.hanging(tx, elm.here, search, NOW)}
    assert hooks == {(rakes[0].id, rakes[2].id), (rakes[1].id,)}
    opened = await wall.hanging(tx, elm.here, Search(alike=rakes[2].id), NOW)
    assert {one.id for one in opened} == {rakes[0].id, rakes[2].id}
