"""What a program says and keeps for its person: handing over now, tools in mind, calendars."""

from __future__ import annotations

import httpx

from tests.api.conftest import Programs


async def test_a_lender_says_that_they_can_hand_over_now_and_no_more(here: Programs) -> None:
    drill = await here.ada.lists()
    there = f"/tools/{drill}/availability"
    assert (await here.ben.gets(there))["hands_over_now"] is False
    answer = await here.ada.call("PUT", "/handing-over", json={"length": "1"})
    assert answer.json()["until"]
    assert (await here.ben.gets(there))["hands_over_now"] is True
    assert (await here.ben.gets("/handing-over"))["until"] is None
    assert (await here.ada.call("DELETE", "/handing-over")).status_code == 204
    assert (await here.ben.gets(there))["hands_over_now"] is False
    wrong = await here.ada.call("PUT", "/handing-over", json={"length": "12"})
    assert wrong.status_code == 422


async def test_tools_in_mind_are_ones_own(here: Programs) -> None:
    drill = await here.ada.lists()
    for _ in range(2):
        assert (await here.ben.call("PUT", f"/saved/{drill}")).status_code == 204
    assert [one["id"] for one in (await here.ben.gets("/saved"))["items"]] == [drill]
    assert (await here.cy.gets("/saved"))["items"] == []
    for _ in range(2):
        assert (await here.ben.call("DELETE", f"/saved/{drill}")).status_code == 204
    assert (await here.ben.gets("/saved"))["items"] == []


async def test_a_calendar_is_made_once_per_key_and_ended(here: Programs) -> None:
    wanted = {"kind": "tool", "tool": await here.ada.lists()}
    made = await here.ben.posts("/feeds", wanted, expect=201, key="one")
    assert await here.ben.posts("/feeds", wanted, expect=201, key="one") == made
    async with httpx.AsyncClient() as program:
        assert (await program.get(made["address"])).text.startswith("BEGIN:VCALENDAR")
        assert (await here.ben.call("DELETE", f"/feeds/{made['id']}")).status_code == 204
        assert (await program.get(made["address"])).status_code == 404
    assert (await here.ben.call("DELETE", f"/feeds/{made['id']}")).status_code == 404
    assert (await here.ben.gets("/feeds"))["items"] == []


async def test_upkeep_is_its_lenders(here: Programs) -> None:
    drill = await here.ada.lists()
    done = {"day": f"{here.street.today}", "words": "New cable", "cost_cents": 1250}
    row = await here.ada.posts(f"/tools/{drill}/repairs", done, expect=201)
    assert (row["kind"], row["cost_cents"]) == ("repair", 1250)
    lines = await here.ada.posts(f"/tools/{drill}/maintenance", {"kind": "broken"})
    assert [one["kind"] for one in lines["items"]] == ["broken", "repair"]
    mended = await here.ada.posts(f"/tools/{drill}/maintenance/end", {"words": "Soldered"})
    assert mended["items"][0]["words"] == "Soldered"
    await here.ada.call("DELETE", f"/tools/{drill}/repairs/{row['id']}")
    left = await here.ada.gets(f"/tools/{drill}/repairs")
    assert [one["kind"] for one in left["items"]] == ["in_order", "broken"]
    assert (await here.ben.call("GET", f"/tools/{drill}/repairs")).status_code == 403
