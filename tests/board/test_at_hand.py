"""Standing before a tool: its label leads to the page, and what waits for you comes first."""

from __future__ import annotations

import re

import pytest

from app import db
from app.board import at_hand
from app.loans import handover, standing
from app.people.viewer import Viewer
from tests.loans.living import HOUR, Elm, elm_street
from tests.neighbours import Street


async def found(elm: Elm, who: Viewer, *loans: object, at: object) -> tuple[str, str] | None:
    known = await standing.around(elm.tx, loans)  # type: ignore[arg-type]
    one = at_hand.find(loans, known, who, at)  # type: ignore[arg-type]
    return (one.words, one.label) if one else None


async def test_each_of_the_two_sees_the_one_act_that_is_theirs(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    out = await elm.out(elm.ben, 0)
    after = await elm.promised(elm.cy, 1)
    now, both = out.start + HOUR, (after, out)
    assert await found(elm, elm.ada, *both, at=now) == ("Ben has it.", "It is back")
    assert await found(elm, elm.ben, *both, at=now) == (
        "You have it from Ada.",
        "I brought it back",
    )
    assert await found(elm, elm.cora, *both, at=now) is None
    assert await found(elm, elm.cy, *both, at=now) is None, "it is not there yet"
    await handover.take_back(tx, out.id, elm.ada, now)
    assert await found(elm, elm.ada, after, at=after.start) == (
        "It is promised to Cy.",
        "I handed it over",
    )
    words = "It is promised to you. Ada hands it over, or shows you a code."
    assert await found(elm, elm.cy, after, at=after.start) == (words, "Open the room")
    assert await found(elm, elm.cy, after, at=after.start - 47 * HOUR) is None


@pytest.mark.parametrize("scanned", ["", "?label=1"])
async def test_a_scanned_label_puts_it_before_everything_else(street: Street, scanned: str) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    page = await street.ben.opens(f"{street.ben.home}/tools/{drill}{scanned}")
    assert page.count(f'id="mine-{drill}"') == 1
    assert (page.index("I brought it back") < page.index("<h1>")) == bool(scanned)


async def test_labels_are_for_who_lends_and_of_the_community_for_coordinators(
    street: Street,
) -> None:
    drill = await street.ada.lists("Drill <b>strong</b>")
    shared = await street.cora.lists("Tent", category="party", of_all="1")
    adas = await street.ada.opens(f"{street.ada.home}/labels?tool={drill}")
    assert adas.count('class="label-code"') == 1
    assert "Drill &lt;b&gt;strong&lt;/b&gt;" in adas
    assert "Tent" not in adas
    coras = await street.cora.opens(f"{street.cora.home}/labels?tool={shared}")
    assert coras.count('class="label-code"') == 1
    assert 'class="label-code"' not in await street.cora.opens(f"{street.cora.home}/labels")
    for who, tool in ((street.ben, drill), (street.ada, shared), (street.cora, drill)):
        assert (await who.client.get(f"{who.home}/labels?tool={tool}")).status_code == 404
    inside = re.findall(r"<svg[^>]*>", adas.split('class="label-code"')[1])
    assert inside, "the code is in the page itself"
    assert "style=" not in inside[0], "no style of its own: the policy forbids it"
