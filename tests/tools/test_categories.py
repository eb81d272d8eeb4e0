"""Categories in two levels: what coordinators do with them, and what is found in them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest

from app import db, topic
from app.board import queries as board
from app.board import wall
from app.board.search import Search
from app.db import Tx
from app.errors import NotFound, Refusal
from app.tools import categories, queries
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.models import Category
from tests.loans.living import Elm, elm_street
from tests.neighbours import Street
from tests.people.living import NOW


async def shelf(elm: Elm, slug: str) -> Category:
    found = await queries.category(elm.tx, elm.here.id, slug)
    assert found is not None, slug
    return found


async def hangs(elm: Elm, category: str = "", q: str = "") -> Sequence[str]:
    found = await wall.hanging(elm.tx, elm.here, Search(q=q, category=category), NOW)
    return [tool.name for tool in await wall.tools_of(elm.tx, elm.here, found)]


async def test_who_chooses_a_category_finds_what_hangs_below_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    garden = await shelf(elm, "garden")
    made = await categories.add(tx, "  Hedges & trees ", garden.id, elm.cora)
    assert (made.slug, made.name, made.icon) == ("hedges-trees", "Hedges & trees", "sprout")
    for name, category in (("Rake", "garden"), ("Lopper", made.slug)):
        await tools.list_tool(tx, ToolText(name=name, category=category), elm.ada, NOW)
    assert await hangs(elm, "garden") == ["Lopper", "Rake"]
    assert await hangs(elm, made.slug) == ["Lopper"]
    assert await hangs(elm, q="garden") == ["Lopper", "Rake"], "by the word, too"
    counted = await board.category_counts(tx, elm.here)
    at = [one.slug for one, _ in counted].index("garden")
    assert [(one.slug, n) for one, n in counted[at : at + 2]] == [("garden", 2), (made.slug, 1)]


async def test_a_category_is_renamed_moved_merged_and_removed(tx: Tx) -> None:
    elm = await elm_street(tx)
    drills, saws, party = [await shelf(elm, one) for one in ("drills", "saws", "party")]
    await categories.change(tx, saws.id, "Cutting", drills.id, elm.cora)
    assert (saws.slug, saws.name, saws.parent_id) == ("saws", "Cutting", drills.id)
    assert await hangs(elm, q="cutting") == []
    await categories.change(tx, saws.id, "Cutting", None, elm.cora)
    await categories.remove(tx, drills.id, saws.id, elm.cora)
    assert await hangs(elm, "saws") == ["Drill"], "merged"
    assert await queries.category(tx, elm.here.id, "drills") is None
    await categories.remove(tx, party.id, None, elm.cora)
    assert await queries.category(tx, elm.here.id, "party") is None


async def test_what_would_leave_something_nowhere_is_refused(tx: Tx) -> None:
    elm = await elm_street(tx)
    oak = await elm_street(tx)
    drills, garden = await shelf(elm, "drills"), await shelf(elm, "garden")
    inner = await categories.add(tx, "Hedges", garden.id, elm.cora)
    cases = (
        (categories.remove(tx, drills.id, None, elm.cora), "There is 1 tool in Drills"),
        (categories.remove(tx, drills.id, drills.id, elm.cora), "Choose another category"),
        (categories.remove(tx, garden.id, drills.id, elm.cora), "Other categories stand below"),
        (categories.change(tx, garden.id, "Garden", drills.id, elm.cora), "stand below it"),
        (categories.change(tx, drills.id, "Drills", inner.id, elm.cora), "stands below another"),
        (categories.change(tx, drills.id, "Drills", drills.id, elm.cora), "below itself"),
        (categories.change(tx, drills.id, "hedges!", None, elm.cora), "a category hedges! already"),
        (categories.add(tx, "  ", None, elm.cora), "has a name"),
        (categories.add(tx, "x" * 41, None, elm.cora), "has a name"),
        (categories.add(tx, "More", None, elm.ada), "Only a coordinator"),
    )
    for act, sentence in cases:
        with pytest.raises(Refusal, match=re.escape(sentence)):
            await act
    with pytest.raises(NotFound):
        await categories.remove(tx, drills.id, (await shelf(oak, "saws")).id, elm.cora)
    assert await hangs(elm, "drills") == ["Drill"], "nothing is half done"


async def test_names_without_plain_letters_get_addresses_too(tx: Tx) -> None:
    elm = await elm_street(tx)
    made = [await categories.add(tx, name, None, elm.cora) for name in ("Küche", "КУХНЯ", "庭")]
    assert [one.slug for one in made] == ["kuche", "more", "more-2"]


async def test_a_coordinator_arranges_them_on_a_page_and_walls_follow(street: Street) -> None:
    cora, drill = street.cora, await street.ada.lists("Cordless drill")
    path = f"{cora.home}/categories"
    assert (await street.ben.client.get(path)).status_code == 404
    await cora.does(path, name="Batteries", parent="")
    page = await cora.opens(path)
    ids = dict(re.findall(r'id="category-(\d+)".*?<span>([^<]+)</span>', page, re.S))
    by_name = {name: one for one, name in ids.items()}
    drills, batteries = by_name["Drills and drivers"], by_name["Batteries"]
    named = topic.listing(street.here.id, Search(category="batteries").key)
    async with street.ben.watches(named) as screen:
        before = screen.version[named]
        refused = await cora.posts(f"{path}/{drills}/end", into="")
        assert "There is 1 tool in Drills and drivers. Choose the category" in refused.text
        await cora.does(f"{path}/{drills}/end", into=batteries)
        await screen.rises_above(named, before)
        assert screen.frames[-1]["items"] == [topic.tool(street.here.id, drill)]
    await cora.does(f"{path}/{batteries}", name="Batteries & more", parent=by_name["Saws"])
    chips = await street.ben.opens(street.ben.home)
    assert re.search(r'class="chip is-below">.*?Batteries &amp; more', chips, re.S)
    assert "– Batteries" in await street.ada.opens(f"{street.ada.home}/tools/new")


async def test_what_is_looked_for_goes_where_the_tools_of_its_category_go(street: Street) -> None:
    ben, cora, home = street.ben, street.cora, street.here.path
    await ben.does(f"{home}/wanted", words="A tile cutter", category="saws")
    await ben.does(f"{home}/wanted", words="A tent", category="party")
    await street.ada.lists("Jigsaw", "saws")
    async with db.snapshot() as tx:
        ids = {one.slug: one.id for one in await queries.categories(tx, street.here.id)}
    path, name = f"{home}/categories", topic.wanted(street.here.id)
    async with street.ada.watches(name) as screen:
        missing = await cora.posts(f"{path}/{ids['saws']}/end", into=max(ids.values()) + 1000)
        assert missing.status_code == 404
        await cora.does(f"{path}/{ids['saws']}/end", into=ids["drills"])
        await screen.shows(name, "Drills and drivers")
    await cora.does(f"{path}/{ids['party']}/end", into="")
    assert "A tent" in await ben.opens(f"{home}/wanted")


async def test_a_button_that_is_tapped_four_times_adds_one(street: Street) -> None:
    async def add() -> str:
        try:
            async with db.begin() as tx:
                await categories.add(tx, "Kilns", None, street.cora.viewer)
        except Refusal as refusal:
            return refusal.sentence
        return ""

    said = await asyncio.gather(*(add() for _ in range(4)))
    assert sorted(said) == ["", *["There is a category Kilns already."] * 3]
