"""Identical tools on one hook: on the page, on the wire, opened, page by page."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock, db, topic
from app.board import alike, wall
from app.board.availability import PAUSED, Now, of_all
from app.board.search import Search
from app.tools import commands as tools
from app.tools.commands import ToolText
from tests.api.conftest import programs_of
from tests.board.test_wall import on_the_page, on_the_wire
from tests.neighbours import Street

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
FREE = Now("free", "Free now", free_now=True)
ASKED = Now("asked", "Asked for", "3 May", free_now=True)
OUT = Now("out", "Out", "until Sun", JUNE, next_free=JUNE)
LATE = Now("overdue", "Overdue", "by a day")


@given(st.sets(st.integers(1, 2**40), min_size=2, max_size=alike.MOST))
def test_a_key_names_its_tools_and_fits_a_topic(ids: set[int]) -> None:
    key = alike.key(sorted(ids))
    assert alike.ids_of(key) == tuple(sorted(ids))
    assert len(topic.alike(2**62, key)) <= 1000


@given(st.text(max_size=20) | st.from_regex(r"[0-9a-z-]{1,60}", fullmatch=True))
def test_no_guessed_key_breaks_anything(key: str) -> None:
    ids = alike.ids_of(key)
    assert ids is None or (alike.key(ids) == key and 1 < len(ids) <= alike.MOST)


def test_many_of_one_sort_hang_on_several_hooks() -> None:
    found = alike.hooks([(n, ("chair",)) for n in range(alike.MOST + 3)] + [(999, ("table",))])
    assert [len(ids) for ids in found] == [alike.MOST, 3]


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ((FREE, OUT, FREE), "2 of 3 free now"),
        ((ASKED, LATE), "1 of 2 free now"),
        ((LATE, OUT, PAUSED), "None of 3 free, out until Sun"),
        ((LATE, PAUSED), "None of 2 free, overdue by a day"),
        ((PAUSED, PAUSED), "Paused"),
    ],
)
def test_what_a_hook_says(states: tuple[Now, ...], says: str) -> None:
    told = of_all(states)
    assert ", ".join(filter(None, (told.words, told.when))) == says


async def three_ladders(street: Street) -> tuple[list[int], list[int]]:
    """Three of ada's that are alike; and others that differ in what one chooses by."""
    ada, names = street.ada, ("Long ladder", "long LADDER", "Long  ladder")
    same = [await ada.lists(name, "ladders", description=f"{name}!") for name in names]
    others = [
        await ada.lists("Long ladder", "ladders", price="2"),
        await ada.lists("Long ladder", "ladders", brand="Elm"),
        await ada.lists("Long ladder", "garden"),
        await ada.lists("Long ladder", "ladders", skill="expert"),
        await street.ben.lists("Long ladder", "ladders"),
        await street.cora.lists("Long ladder", "ladders", of_all=1),
    ]
    return same, others


async def test_page_and_wire_agree_for_every_search_and_viewer(street: Street) -> None:
    same, others = await three_ladders(street)
    here, hook = street.here.id, topic.alike(street.here.id, alike.key(same))
    for who, days in ((street.ben, 0), (street.cora, 3)):
        loan = await who.asks_for(same[1 if days else 0], street.day(days))
        await street.ada.acts(loan, "approval")
    await street.ada.does(f"{street.ada.home}/people/{street.cy.id}/block")
    then = street.day(3)
    searches: dict[str, tuple[dict[str, object], Search]] = {
        "all": ({}, Search()),
        "words": ({"q": "ladder"}, Search.typed("ladder", "", False)),
        "free": ({"free": 1}, Search.typed("", "", True)),
        "then": ({"free_from": then}, Search.typed("", "", False, (then, then))),
        "one": ({"alike": same[0]}, Search.typed("", "", False, alike=same[0])),
    }
    found: dict[tuple[str, str], list[str]] = {}
    for who in (street.ada, street.ben, street.cy):
        for name, (filters, search) in searches.items():
            page = await on_the_page(who, filters)
            assert page == await on_the_wire(who, topic.listing(here, search.key)), (who, name)
            found[who.name.split()[0], name] = page
    singles = {topic.tool(here, one) for one in others}
    assert set(found["Ben", "all"]) == {hook} | singles == set(found["Ben", "words"])
    free = topic.alike(here, alike.key(same[1:]))
    assert set(found["Ben", "free"]) == {free} | singles, "only what is free is counted"
    assert topic.alike(here, alike.key([same[0], same[2]])) in found["Ben", "then"]
    assert sorted(found["Ben", "one"]) == sorted(topic.tool(here, one) for one in same)
    assert hook in found["Cy", "all"]
    assert free not in found["Cy", "free"]
    hers, his = [await who.opens(who.home) for who in (street.cy, street.ben)]
    card = rf'<article data-topic="{hook}".*?</article>'
    assert "2 of 3 free now" in re.findall(card, his, re.S)[0]
    assert "Paused" in re.findall(card, hers, re.S)[0], "she sees nothing of it"
    assert "2 of 3" not in re.findall(card, hers, re.S)[0]
    opened = await street.ben.opens(f"{street.ben.home}?alike={same[0]}&free=1")
    assert "All that are like" in opened
    assert f'href="{street.ben.home}?free=1"' in opened
    async with programs_of(street) as programs:
        flat = await programs.ben.gets("/tools", limit=50)
    assert [one["id"] for one in flat["items"]] == [*same, *others], "programs read each by itself"


async def test_a_hook_follows_each_tool_on_it_without_a_reload(street: Street) -> None:
    (one, two, three), _ = await three_ladders(street)
    here, ada = street.here.id, street.ada
    wall_of_all = topic.listing(here)
    hook, pair = (topic.alike(here, alike.key(ids)) for ids in ((one, two, three), (two, three)))
    async with street.cy.watches(wall_of_all, hook) as screen:
        assert "3 of 3 free now" in (screen.html[hook] or "")
        loan = await street.ben.asks_for(two, street.today)
        await ada.acts(loan, "approval")
        await screen.shows(hook, "2 of 3 free now")
        version = screen.version[wall_of_all]
        await ada.does(f"{ada.home}/tools/{one}/archive")
        await screen.rises_above(wall_of_all, version)
        await screen.watch(pair)
        assert "1 of 2 free now" in (screen.html[pair] or "")
        items = next(f["items"] for f in reversed(screen.frames) if "items" in f)
        assert pair in items
        assert hook not in items
        version = screen.version[wall_of_all]
        await ada.does(
            f"{ada.home}/tools/{two}/edit", name="Long ladder", category="ladders", price="3"
        )
        await screen.rises_above(wall_of_all, version)
    assert topic.tool(here, three) in await on_the_page(street.cy, {})


async def test_page_by_page_nothing_comes_twice_or_is_passed_over(street: Street) -> None:
    """Also while there are more on one hook than a page has cards."""
    async with db.begin() as tx:
        for n in range(wall.PAGE * 5 + 20):
            many = n < wall.PAGE * 4 + 10
            text = ToolText(name="Chair" if many else f"Stool {n:03}", category="party")
            await tools.list_tool(tx, text, street.ada.viewer, clock.now())
    cy, here = street.cy, street.here.id
    first, second = [await on_the_page(cy, {"pages": pages}) for pages in (1, 2)]
    assert len(first) == wall.PAGE
    assert second[: wall.PAGE] == first
    ids: list[int] = []
    for name in second:
        kind, key = name.split("/")[1:]
        ids += [int(key)] if kind == "tool" else alike.ids_of(key) or ()
    assert len(set(ids)) == len(ids) == wall.PAGE * 5 + 20
    listing = topic.listing(here, Search(pages=2).key)
    assert await on_the_wire(cy, listing) == second
    # What changes in between moves nothing of the rest.
    await street.ada.does(f"{street.ada.home}/tools/{ids[-1]}/pause")
    assert (await on_the_page(cy, {"pages": 2}))[: wall.PAGE] == first
