"""Waiting for a tool, as a program."""

from __future__ import annotations

from app import topic
from tests.api.conftest import Json, Program, Programs


async def waitlist(who: Program, tool: int) -> Json:
    return await who.gets(f"/tools/{tool}/waitlist")


async def offered(who: Program, tool: int) -> Json:
    """Waits until the job has offered something."""
    line = topic.waitlist(who.who.viewer.community_id, tool)
    async with who.who.watches(line) as screen:
        await screen.shows(line, "It is kept for you")
    found: Json = (await waitlist(who, tool))["mine"]["offer"]
    return found


async def lent(here: Programs, first: int = 1, last: int = 3) -> tuple[int, int]:
    drill = await here.ada.lists()
    loan = await here.ben.asks_for(drill, here.street.day(first), here.street.day(last))
    await here.ada.acts(loan, "approval")
    return drill, loan


async def test_a_wish_becomes_an_offer_and_a_loan(here: Programs) -> None:
    drill, loan = await lent(here)
    days = {"start": f"{here.street.day(1)}", "end": f"{here.street.day(2)}"}
    path = f"/tools/{drill}/waitlist"
    joined = await here.cy.posts(path, days, expect=201, key="wait")
    assert joined == await here.cy.posts(path, days, expect=201, key="wait")
    assert (joined["mine"]["place"], joined["length"], joined["line"]) == (1, 1, None)
    assert joined["mine"]["probably_from"] is None
    assert "Nobody can say" in joined["mine"]["sentence"]
    (hers,) = (await waitlist(here.ada, drill))["line"]
    assert hers["person"]["name"] == "Cy Tanaka"
    assert (await waitlist(here.ben, drill)) == {"length": 1, "mine": None, "line": None}
    await here.ben.acts(loan, "cancellation")
    offer = await offered(here.cy, drill)
    assert offer["start"].startswith(days["start"])
    assert 0 < offer["seconds_left"] <= 12 * 3600
    (mine,) = (await here.cy.gets("/waitlist"))["items"]
    assert mine["tool"]["id"] == drill
    taken = await here.cy.posts(f"{path}/offer/acceptance", key="yes")
    assert taken == await here.cy.posts(f"{path}/offer/acceptance", key="yes")
    assert taken["state"] == "requested"
    approved = await here.ada.acts(taken["id"], "approval")
    assert approved["state"] == "approved"


async def test_what_cannot_be_waited_for_is_said_with_free_dates(here: Programs) -> None:
    drill = await here.ada.lists()
    free = await here.cy.posts(f"/tools/{drill}/waitlist", {"days": 2}, expect=409)
    assert free["detail"] == "You need not wait: it is free."
    assert free["free"]
    for body in ({}, {"days": 2, "like": 1}, {"start": f"{here.street.day(1)}"}, {"days": 0}):
        await here.cy.posts(f"/tools/{drill}/waitlist", body, expect=422)
    await here.cy.posts(f"/tools/{drill}/waitlist/offer/acceptance", expect=409)
    await here.ada.posts(f"/tools/{drill}/waitlist", {"days": 2}, expect=409)


async def test_a_place_is_left_declined_and_moved(here: Programs) -> None:
    drill, loan = await lent(here)
    await here.ben.asks_for(drill, here.street.day(4), here.street.day(9))
    days = {"start": f"{here.street.day(1)}", "end": f"{here.street.day(2)}"}
    path = f"/tools/{drill}/waitlist"
    await here.cy.posts(path, days, expect=201)
    moved = {"person": here.cy.who.id, "place": 1, "reason": "A broken pipe."}
    line = (await here.cora.posts(f"{path}/order", moved))["line"]
    assert [one["place"] for one in line] == [1]
    await here.cy.posts(f"{path}/order", moved, expect=403)
    await here.ben.acts(loan, "cancellation")
    await offered(here.cy, drill)
    assert (await here.cy.posts(f"{path}/offer/refusal"))["mine"] is None
    assert (await here.cy.posts(f"{path}/end"))["length"] == 0
