"""What a name suggests, and a new tool that begins like another."""

from __future__ import annotations

import html
import re

import pytest

from app.tools import suggestions
from app.tools.commands import CATEGORIES
from tests.neighbours import Street

SLUGS = [slug for slug, *_ in CATEGORIES]


@pytest.mark.parametrize(
    ("name", "category", "parts"),
    [
        ("Cordless drill", "drills", ("Charger", "Batteries", "Bits")),
        ("DRILL PRESS, heavy", "drills", ("Chuck key", "Vice")),
        ("Long ladder, 5 m", "ladders", ()),
        ("Husqvarna chainsaw", "saws", ("Chain oil", "Helmet", "Bar cover")),
        ("Lawnmower", "garden", ("Grass box", "Charger")),
        ("Twelve chairs", "party", ()),
    ],
)
def test_a_name_says_where_it_hangs(name: str, category: str, parts: tuple[str, ...]) -> None:
    assert suggestions.suggest(name, SLUGS) == suggestions.Suggestion(category, parts)


@pytest.mark.parametrize("name", ["", "Thing", "Drillbert", "<b>", "x" * 10_000])
def test_a_name_that_says_nothing_suggests_nothing(name: str) -> None:
    assert suggestions.suggest(name, SLUGS) is None


def test_nothing_is_suggested_that_the_community_does_not_have() -> None:
    assert suggestions.suggest("Drill", ["kitchen"]) is None
    assert {category for _, category, _ in suggestions._TABLE} <= set(SLUGS)


async def test_the_form_suggests_and_lists_without_a_script(street: Street) -> None:
    ada = street.ada
    answer = await ada.posts(f"{ada.home}/tools", name="Drill", category="")
    assert answer.status_code == 422
    assert "It sounds like <b>Drills and drivers</b>" in answer.text
    fragment = await ada.opens(f"{ada.home}/tools/suggestion?name=Tent")
    assert 'data-category="party"' in fragment
    assert "<html" not in fragment


async def test_another_like_it_begins_with_what_is_the_same(street: Street) -> None:
    ada, ben = street.ada, street.ben
    own = {"description": "My <own> words.", "price": "2.50", "parts": "Charger\nBits"}
    drill = await ada.lists("Cordless drill", brand="Makita", **own, key_code="0815")
    assert f"/tools/{drill}/like" in await ada.opens(f"{ada.home}/tools/{drill}")

    def value(page: str, name: str) -> str:
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
        assert found, name
        return html.unescape(found[1])

    mine = await ada.opens(f"{ada.home}/tools/{drill}/like")
    assert (value(mine, "name"), value(mine, "brand")) == ("Cordless drill", "Makita")
    assert value(mine, "price") == "2.50"
    assert "My &lt;own&gt; words." in mine
    assert "0815" not in mine
    his = await ben.opens(f"{ben.home}/tools/{drill}/like")
    assert value(his, "name") == "Cordless drill"
    assert "Charger\nBits" in his
    assert "My &lt;own&gt; words." not in his
    assert (await ben.client.get(f"{ben.home}/tools/{drill + 999}/like")).status_code == 404
