"""Other dates for a loan, and a tool that is late, as programs live it."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import clock
from tests.api.conftest import Programs
from tests.clocks import Clock


async def lent(here: Programs) -> tuple[int, int]:
    """(tool, loan): ben has it today and tomorrow."""
    drill = await here.ada.lists(price_cents=250)
    loan = await here.ben.asks_for(drill, here.street.today, here.street.day(1))
    await here.ada.acts(loan, "approval")
    await here.ada.acts(loan, "handover")
    return drill, loan


async def test_one_proposes_and_the_other_agrees_where_the_href_leads(here: Programs) -> None:
    _, loan = await lent(here)
    body = {"end": f"{here.street.day(2)}", "note": "It rained."}
    made = await here.ben.posts(f"/loans/{loan}/changes", body, expect=201, key="more")
    assert await here.ben.posts(f"/loans/{loan}/changes", body, expect=201, key="more") == made
    assert (made["kind"], made["state"]) == ("extend", "open")
    assert (made["was_price_cents"], made["price_cents"]) == (500, 750)
    assert [each["state"] for each in made["answers"]] == ["withdrawn"]
    (seen,) = (await here.ada.gets(f"/loans/{loan}/changes"))["items"]
    assert [each["state"] for each in seen["answers"]] == ["agreed", "refused"]
    agreed = await here.ada.posts(seen["answers"][0]["href"])
    assert (agreed["state"], agreed["answers"]) == ("agreed", [])
    now = await here.ben.gets(f"/loans/{loan}")
    assert now["price_cents"] == 750
    assert datetime.fromisoformat(now["end"]) == clock.day_start(
        here.street.day(3), here.street.here.zone
    )


async def test_refusals_are_sentences_with_free_dates(here: Programs) -> None:
    drill, loan = await lent(here)
    booked = await here.cy.asks_for(drill, here.street.day(3), here.street.day(4))
    await here.ada.acts(booked, "approval")
    path = f"/loans/{loan}/changes"
    refused = await here.ben.posts(path, {"end": f"{here.street.day(3)}"}, expect=409)
    assert refused["type"] == "/problems/conflict"
    assert refused["detail"].startswith("The next loan begins")
    assert refused["free"]
    for wrong in ({}, {"end": None}, {"end": "soon"}, {"end": f"{here.street.day(-3)}"}):
        await here.ben.posts(path, wrong, expect=422)
    made = await here.ben.posts(path, {"end": f"{here.street.day(2)}"}, expect=201)
    twice = await here.ada.posts(path, {"end": f"{here.street.day(2)}"}, expect=409)
    assert twice["way_out"]
    await here.ben.posts(f"{path}/{made['id']}/acceptance", expect=403)
    await here.ben.posts(f"{path}/{made['id']}/withdrawal")
    await here.ada.posts(f"{path}/{made['id']}/acceptance", expect=409)


async def test_the_next_borrower_of_a_late_tool_is_told_and_waits(
    here: Programs, the_clock: Clock
) -> None:
    drill, late = await lent(here)
    after = await here.cy.asks_for(drill, here.street.day(2))
    await here.ada.acts(after, "approval")
    early = await here.cy.acts(after, "wait", expect=409)
    assert early["detail"] == "The tool is not late any more."
    end = clock.day_start(here.street.day(2), here.street.here.zone)
    the_clock.move_to(end + timedelta(minutes=1))
    seen = await here.cy.gets(f"/loans/{after}")
    assert seen["at_risk"] is True
    assert {each["act"] for each in seen["acts"] if each["allowed"]} == {"cancel", "wait"}
    assert "Ben" not in str(seen)
    assert (await here.cy.acts(after, "wait"))["state"] == "approved"
    await here.ada.acts(late, "return")
    assert (await here.cy.gets(f"/loans/{after}"))["at_risk"] is False
