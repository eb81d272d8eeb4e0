"""What is wanted, from the search in vain to the request, as pages and as JSON."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from app import db, topic
from app.wanted.models import WantedAnswer
from tests.api.conftest import programs_of
from tests.neighbours import Street, said


def first_in(html: str) -> int:
    """The id of the newest."""
    return int(html.split('id="wanted-')[1].split('"')[0])


async def test_from_a_search_in_vain_to_the_request(street: Street) -> None:
    ada, ben, home = street.ada, street.ben, street.here.path
    board = await ben.opens(f"{home}?q=tile+cutter&category=saws")
    assert f'href="{home}/wanted?q=tile+cutter&amp;category=saws"' in board
    form = await ben.opens(f"{home}/wanted?q=tile%20cutter&category=saws")
    assert 'value="tile cutter"' in form
    assert '<option value="saws" selected>' in form
    region = topic.wanted(street.here.id)
    day = street.day(2)
    async with ada.watches(region) as hers, ben.watches(region) as his:
        await ben.does(f"{home}/wanted", words="A tile cutter", category="saws", start=day)
        html = await hers.shows(region, "A tile cutter")
        wanted = first_in(html)
        await ada.does(f"{home}/wanted/{wanted}/answers", words="In the cellar.")
        await his.shows(region, "In the cellar.")
        async with db.snapshot() as tx:
            answer = await tx.scalar(
                select(WantedAnswer.id).where(WantedAnswer.community_id == street.here.id)
            )
        new = await ada.opens(f"{home}/tools/new?answer={answer}")
        assert 'value="Tile cutter"' in new
        assert f'name="answer" value="{answer}"' in new
        tool = await ada.lists("Tile cutter", "saws", answer=answer)
        await his.shows(region, "Ask for the Tile cutter")
    assert "listed the Tile cutter" in await ben.opens(f"{home}/notices")
    there = await ben.client.get(f"{home}/wanted/{wanted}")
    parts = urlsplit(there.headers["location"])
    assert (parts.path, parts.fragment) == (f"{home}/tools/{tool}", "request")
    assert parse_qs(parts.query) == {"start": [f"{day}"], "end": [f"{day}"]}
    assert f'value="{day}"' in await ben.opens(there.headers["location"])
    await ada.does(f"{home}/tools/{tool}/archive")
    there = await ben.client.get(f"{home}/wanted/{wanted}")
    assert there.headers["location"] == f"{home}/wanted#wanted-{wanted}", "the tool is gone"


async def test_what_cannot_be_taken_comes_again_with_the_words(street: Street) -> None:
    ben, home = street.ben, street.here.path
    answer = await ben.posts(f"{home}/wanted", words="A tent", start=street.day(3), end="soon")
    assert (answer.status_code, said(answer.text)) == (
        422,
        "That is not a day. Write it like 2026-05-31.",
    )
    assert 'value="A tent"' in answer.text
    await ben.does(f"{home}/wanted", words="A tent")
    html = await street.ada.opens(f"{home}/wanted")
    path = f"{home}/wanted/{first_in(html)}"
    long = await street.ada.posts(f"{path}/answers", words="x" * 141)
    assert (long.status_code, "x" * 141 in long.text) == (422, True)
    there = await street.ada.does(f"{path}/report", reason="This is no tool.")
    assert "The coordinators are told." in await street.ada.opens(there)
    assert "reported what Ben Okafor looks for" in await street.cora.opens(f"{home}/notices")
    await street.cora.does(f"{path}/removal", reason="Not here.")
    assert "A tent" not in await street.ada.opens(f"{home}/wanted")


async def test_a_category_is_renamed_and_goes_while_something_is_wanted_in_it(
    street: Street,
) -> None:
    ben, cora, home = street.ben, street.cora, street.here.path
    region, mine = topic.wanted(street.here.id), topic.things(ben.id)
    await ben.does(f"{home}/wanted", words="A tent", category="party")
    page = await cora.opens(f"{home}/categories")
    ids = {
        name: one for one, name in re.findall(r'id="category-(\d+)".*?<span>([^<]+)', page, re.S)
    }
    await ben.does(f"{home}/watches", category="party")
    path = f"{home}/categories/{ids['Party and kitchen']}"
    async with ben.watches(region, mine) as screen:
        await screen.shows(region, "Party and kitchen")
        await screen.shows(mine, "Party and kitchen")
        await cora.does(path, name="Feasts")
        await screen.shows(region, "Feasts")
        await screen.shows(mine, "Feasts")
        version = screen.version[region]
        await cora.does(f"{path}/end")
        await screen.rises_above(region, version)
        assert "A tent" in (screen.html[region] or "")
        assert "Feasts" not in (screen.html[region] or "")


async def test_programs_ask_answer_list_and_end(street: Street) -> None:
    async with programs_of(street) as here:
        new = {"words": "A tent", "category": "party", "start": f"{street.day(1)}"}
        made = await here.ben.posts("/wanted", new, expect=201, key="k")
        again = await here.ben.posts("/wanted", new, expect=201, key="k")
        assert made["id"] == again["id"]
        path = f"/wanted/{made['id']}"
        (answer,) = (await here.ada.posts(f"{path}/answers", {}, expect=201))["answers"]
        tool = await here.ada.lists("Tent", category="party", answer=answer["id"])
        (seen,) = (await here.ben.gets("/wanted"))["items"]
        assert (seen["state"], seen["answers"][0]["tool_id"]) == ("answered", tool)
        assert (await here.cy.gets("/wanted"))["items"] == []
        assert (await here.ben.call("POST", f"{path}/end")).status_code == 204
        assert (await here.ben.gets("/wanted"))["items"] == []
        late = await here.cy.posts(f"{path}/answers", {}, expect=409)
        assert late["type"] == "/problems/not-wanted"
        many = [
            (await here.cy.posts("/wanted", {"words": f"Thing {n}"}, expect=201))["id"]
            for n in range(3)
        ]
        first = await here.ben.gets("/wanted", limit=2)
        rest = await here.ben.gets("/wanted", limit=2, cursor=first["next"])
        assert [one["id"] for one in (*first["items"], *rest["items"])] == many[::-1]
