"""Whom a block keeps from the owner sees what *paused* shows, to the letter; nobody else does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from app import topic
from tests.api.conftest import Json, Programs, programs_of
from tests.neighbours import Neighbour, Street

# What differs between two loads of any page: versions, keys of forms, the time of the load.
FLEETING = re.compile(
    r'data-(?:version|access|now)="\d+"|name="idempotency_key" value="[^"]*"|<time .*?</time>'
)
PAUSED = "<b>Paused</b>"


@dataclass
class Wall:
    """A drill and a ladder of Ada's, a saw of Ben's; the drill is asked for and promised."""

    street: Street
    programs: Programs
    drill: int
    ladder: int
    saw: int

    @property
    def home(self) -> str:
        return self.street.here.path

    async def is_busy(self) -> None:
        """Cy has the drill, and wants it again: all that a veil has to hide."""
        street = self.street
        loan = await street.cy.asks_for(self.drill, street.today)
        await street.ada.acts(loan, "approval")
        await street.ada.acts(loan, "handover")
        await street.cy.asks_for(self.drill, street.day(3), street.day(4))

    async def pauses(self, *, end: bool = False) -> None:
        noun = "pause/end" if end else "pause"
        await self.street.ada.does(f"{self.home}/tools/{self.drill}/{noun}")

    async def blocks(self, who: Neighbour, whom: Neighbour) -> None:
        await who.does(f"{self.home}/people/{whom.id}/block")


@pytest.fixture
async def wall(street: Street) -> AsyncIterator[Wall]:
    drill = await street.ada.lists("Cordless drill", price="2.50", description="Two batteries.")
    ladder = await street.ada.lists("Long ladder", "ladders")
    saw = await street.ben.lists("Hand saw", "saws")
    async with programs_of(street) as programs:
        yield Wall(street, programs, drill, ladder, saw)


async def seen_by(wall: Wall, who: Neighbour) -> dict[str, str]:
    """Everything that shows the drill, without what differs at each load."""
    page = await who.opens(f"{wall.home}/tools/{wall.drill}")
    board = await who.opens(wall.home)
    card = re.search(rf'<article [^>]* id="tool-{wall.drill}".*?</article>', board, re.S)
    assert card is not None
    shown = {"page": page, "card": card[0]}
    for name in (topic.tool, topic.dates):
        answer = await who.client.get(
            "/live", params={"topic": name(wall.street.here.id, wall.drill)}
        )
        shown[name.__name__] = answer.json()["html"]
    days = {"start": f"{wall.street.day(1)}", "end": f"{wall.street.day(1)}"}
    asked = await who.posts(f"{wall.home}/tools/{wall.drill}/loans", **days)
    assert asked.status_code == 409
    shown["asking"] = asked.text
    return {place: FLEETING.sub("", html) for place, html in shown.items()}


async def told_to(wall: Wall, name: str) -> dict[str, Json]:
    """The same for a program."""
    program = getattr(wall.programs, name)
    days = {"start": f"{wall.street.day(1)}", "end": f"{wall.street.day(1)}"}
    refusal = await program.posts(f"/tools/{wall.drill}/loans", days, expect=409)
    return {
        "tool": await program.gets(f"/tools/{wall.drill}"),
        "in the list": next(
            one for one in (await program.gets("/tools"))["items"] if one["id"] == wall.drill
        ),
        "availability": await program.gets(f"/tools/{wall.drill}/availability"),
        "asking": refusal | {"request_id": ""},
    }


async def test_a_veiled_tool_is_a_paused_one_to_the_letter(wall: Wall) -> None:
    ben = wall.street.ben
    await wall.pauses()
    paused, paused_api = await seen_by(wall, ben), await told_to(wall, "ben")
    await wall.pauses(end=True)
    await wall.is_busy()
    await wall.blocks(wall.street.ada, ben)
    assert await seen_by(wall, ben) == paused
    assert await told_to(wall, "ben") == paused_api
    assert PAUSED in paused["card"]
    assert "is-free" not in paused["page"]


async def test_everybody_else_sees_the_tool_as_it_is(wall: Wall) -> None:
    await wall.is_busy()
    await wall.blocks(wall.street.ada, wall.street.ben)
    for who in (wall.street.ada, wall.street.cy, wall.street.cora):
        assert "<b>Out</b>" in await who.opens(wall.home)
        assert "<b>Out</b>" in await who.opens(f"{wall.home}/tools/{wall.drill}")
    for who in (wall.street.cy, wall.street.cora):
        assert PAUSED not in await who.opens(wall.home)
    assert (await wall.programs.cy.gets(f"/tools/{wall.drill}"))["state"]["kind"] == "out"


async def test_a_block_veils_both_ways_and_only_the_blocker_is_told_why(wall: Wall) -> None:
    ada, ben = wall.street.ada, wall.street.ben
    await wall.blocks(ada, ben)
    hers = await ada.opens(f"{wall.home}/tools/{wall.saw}")
    assert PAUSED in hers
    assert "You blocked Ben. End the block in your profile to ask." in hers
    assert "End the block" in hers
    his = await ben.opens(f"{wall.home}/tools/{wall.drill}")
    assert PAUSED in his
    assert "This tool is not lent at the moment." in his
    assert "blocked" not in his
    assert "Block Ada" in his
    saw = await wall.programs.ada.gets(f"/tools/{wall.saw}")
    assert (saw["status"], saw["state"]["kind"]) == ("paused", "paused")


async def test_what_is_free_now_is_free_for_who_looks(wall: Wall) -> None:
    ben = wall.street.ben
    await wall.blocks(wall.street.ada, ben)
    free = await ben.opens(f"{wall.home}?free=1")
    assert "Hand saw" in free
    assert "Long ladder" not in free
    assert "Long ladder" in await ben.opens(f"{wall.home}?q=ladder"), "as a paused one is found"
    whole = await ben.opens(wall.home)
    assert whole.index("Hand saw</a>") < whole.index("Cordless drill</a>"), "the free hangs first"
    listed = (await wall.programs.ben.gets("/tools", free="true"))["items"]
    assert [one["name"] for one in listed] == ["Hand saw"]
    others = (await wall.programs.cy.gets("/tools", free="true"))["items"]
    assert len(others) == 3


async def test_the_counters_are_the_same_for_all_and_the_news_gives_nothing_away(
    wall: Wall,
) -> None:
    street = wall.street
    await wall.blocks(street.ada, street.ben)
    await wall.is_busy()
    counters, recent = topic.board(street.here.id), topic.recent(street.here.id)
    told = set()
    for who in (street.ben, street.cy):
        for name in (counters, recent):
            answer = await who.client.get("/live", params={"topic": name})
            told.add(answer.json()["html"])
            assert answer.json()["html"] in await who.opens(wall.home)
    assert len(told) == 2
    news = next(html for html in told if "Lately" in html)
    assert "New: Hand saw" in news
    assert "drill" not in news, "no paused tool is asked for"


async def test_with_the_end_of_the_block_the_veil_is_gone(wall: Wall) -> None:
    ada, ben = wall.street.ada, wall.street.ben
    await wall.blocks(ada, ben)
    await ada.does(f"/profile/blocks/{ben.id}/end")
    assert PAUSED not in await ben.opens(wall.home)
    assert (await wall.programs.ben.gets(f"/tools/{wall.drill}"))["state"]["kind"] == "free"
    await ben.asks_for(wall.drill, wall.street.day(1))
    assert "was asked for" in await ben.opens(wall.home)
