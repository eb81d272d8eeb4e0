"""I can hand over now: for a while, on one's free tools, ended by the clock, without a trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app import clock, db, topic
from app.board import queries, wall
from app.board.search import Search
from app.errors import Refusal
from app.jobs import time_passed
from app.members import commands as members
from app.people.models import Person
from app.tools import commands as tools
from app.tools import handing_over
from app.tools.commands import ToolText
from tests.loans.living import HOUR, Elm, elm_street
from tests.neighbours import Street
from tests.people.living import NOW

GB = "en-GB"


async def hanging(
    elm: Elm, apart: tuple[int, ...] = (), search: Search = Search()
) -> list[tuple[str, bool]]:
    """The wall as somebody sees it; each place says the same as its card."""
    found = await wall.hanging(elm.tx, elm.here, search, NOW)
    shown = wall.arrange(found, search, apart).hung
    tools = await wall.tools_of(elm.tx, elm.here, shown)
    cards = await queries.seen(elm.tx, elm.here, tools, NOW, GB)
    seen = queries.as_seen_by(cards, apart)
    assert [one.hands_over for one in seen] == [one.at_once for one in shown]
    return [(one.tool.name, one.hands_over) for one in seen]


@pytest.mark.parametrize(
    ("utc", "length", "hours"),
    [
        ((9, 0), "1", 1.0),
        ((9, 0), "2", 2.0),
        ((9, 0), "evening", None),  # it would be more than four hours
        ((17, 0), "evening", 4.0),  # 18:00 in London: until 22:00
        ((18, 30), "evening", 2.5),
        ((19, 0), "evening", None),  # two hours say the same
        ((21, 30), "evening", None),
        ((9, 0), "12", None),
        ((9, 0), "", None),
    ],
)
async def test_for_how_long_one_can_say_so(
    tx: db.Tx, utc: tuple[int, int], length: str, hours: float | None
) -> None:
    elm = await elm_street(tx)
    now = datetime(2026, 5, 1, *utc, tzinfo=UTC)
    offered = [value for value, _ in handing_over.choices(elm.here, now)]
    if hours is None:
        assert length not in offered
        with pytest.raises(Refusal):
            await handing_over.begin(tx, length, elm.ada, now)
    else:
        assert length in offered
        assert await handing_over.begin(tx, length, elm.ada, now) == now + hours * HOUR
        assert hours * HOUR <= handing_over.LONGEST


async def test_free_tools_come_first_and_say_so_but_not_what_is_out_or_veiled(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    for name, who in (("Axe", elm.cy), ("Zither", elm.ada)):
        await tools.list_tool(tx, ToolText(name=name, category="saws"), who, NOW)
    await elm.out(elm.ben, 0)  # the drill
    await handing_over.begin(tx, "1", elm.ada, NOW)
    assert await hanging(elm) == [("Zither", True), ("Axe", False), ("Drill", False)]
    assert await hanging(elm, search=Search(q="saw")) == [("Zither", True), ("Axe", False)]
    veiled = await hanging(elm, (elm.ada.person_id,))
    assert ("Zither", False) in veiled
    assert veiled[0] == ("Axe", False)


async def test_what_is_the_communitys_hangs_there_whoever_can_hand_over(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    for name, of_all in (("Axe", False), ("Barrow", True)):
        text = ToolText(name=name, category="saws", of_all=of_all)
        await tools.list_tool(tx, text, elm.cora, NOW)
    await handing_over.begin(tx, "1", elm.ada, NOW)
    others = [("Axe", False), ("Barrow", False)]
    assert await hanging(elm) == [("Drill", True), *others]
    assert await hanging(elm, search=Search(q="saw")) == others
    await handing_over.begin(tx, "1", elm.cora, NOW)
    assert await hanging(elm) == [("Axe", True), ("Barrow", True), ("Drill", True)]


async def test_the_clock_ends_it_and_keeps_nothing(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await handing_over.begin(tx, "1", elm.ada, NOW)
    me = elm.ada.person_id
    assert await handing_over.ready(tx, elm.here.id, NOW + HOUR - timedelta(seconds=1)) == {me}
    assert await handing_over.ready(tx, elm.here.id, NOW + HOUR) == frozenset()
    await handing_over.pass_by(tx, NOW + HOUR)
    person = await tx.get_one(Person, me, populate_existing=True)
    assert person.hands_over_until is None


async def test_a_suspension_ends_it(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await handing_over.begin(tx, "1", elm.ada, NOW)
    await members.suspend(tx, elm.ada.person_id, elm.cora, NOW)
    assert await handing_over.until_when(tx, elm.ada.person_id, NOW) is None


async def test_neighbours_see_it_begin_and_end_while_they_look(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    card, mine = topic.tool(street.here.id, drill), topic.things(street.ada.id)
    async with street.ben.watches(card) as bens, street.ada.watches(mine) as adas:
        await street.ada.does(f"{street.ada.home}/handing-over", length="1")
        await bens.shows(card, "Can hand over now")
        await adas.shows(mine, "You can hand over now")
        version = bens.version[card]
        async with db.begin() as tx:
            now = clock.now()
            await time_passed(tx, now, now + 2 * HOUR)
        await bens.rises_above(card, version)
        assert "Can hand over now" not in (bens.html[card] or "")
        await adas.shows(mine, "Are you at home?")
    assert (await street.ada.posts(f"{street.ada.home}/handing-over")).status_code == 422
