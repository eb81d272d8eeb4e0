"""The life of a loan as a program lives it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.loans.shapes import NewLoan
from tests.api.conftest import Json, Programs
from tests.clocks import Clock


def acts(loan: Json) -> dict[str, bool]:
    return {each["act"]: each["allowed"] for each in loan["acts"]}


async def test_a_drill_is_asked_for_approved_handed_over_and_brought_back(here: Programs) -> None:
    drill = await here.ada.lists(price_cents=250)
    today, day_after = here.street.today, here.street.day(2)
    days = {"start": f"{today}", "end": f"{day_after}", "message": "For a shelf. May I?"}
    asked = await here.ben.call("POST", f"/tools/{drill}/loans", json=days)
    loan = asked.json()
    assert asked.status_code == 201
    assert asked.headers["location"] == f"{here.ben.base}/loans/{loan['id']}"
    assert (await here.ben.call("GET", asked.headers["location"])).json() == loan
    assert loan["state"] == "requested"
    assert loan["price_cents"] == 750
    assert loan["currency"] == "EUR"
    assert (loan["first_day"], loan["last_day"]) == (f"{today}", f"{day_after}")
    assert loan["borrower"]["name"] == "Ben Okafor"
    assert loan["lender"]["name"] == "Ada Moreno"
    assert loan["tool"] == {"id": drill, "name": "Cordless drill"}
    assert acts(loan) == {"withdraw": True}

    path = loan["id"]
    seen = await here.ada.gets(f"/loans/{path}")
    assert acts(seen) == {"approve": True, "decline": True}
    approved = await here.ada.acts(path, "approval", {"version": seen["version"]})
    assert approved["state"] == "approved"
    assert acts(approved) == {
        "cancel": True,
        "hand_over": True,
        "no_show": False,  # he may come all day
    }
    out = await here.ada.acts(path, "handover")
    assert out["state"] == "out"
    assert out["out_at"] is not None
    assert out["overdue"] is False

    claimed = await here.ben.acts(path, "return-claim", {"place": "Behind the blue door"})
    assert (claimed["state"], claimed["place"]) == ("return_claimed", "Behind the blue door")
    assert acts(claimed) == {}
    again = await here.ada.acts(path, "return-claim/end")
    assert (again["state"], again["place"]) == ("out", "")
    await here.ben.acts(path, "return-claim")
    back = await here.ada.acts(path, "return")
    assert back["state"] == "returned"
    assert back["back_at"] is not None
    assert (await here.ben.gets(f"/tools/{drill}/availability"))["free_now"] is True


async def test_an_act_leads_where_its_href_says(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(3))
    (approve,) = (
        each for each in (await here.ada.gets(f"/loans/{loan}"))["acts"] if each["act"] == "approve"
    )
    assert (await here.ada.posts(approve["href"]))["state"] == "approved"
    hand_over = (await here.ada.gets(f"/loans/{loan}"))["acts"][1]
    assert hand_over["act"] == "hand_over"
    assert hand_over["allowed"] is False
    assert hand_over["sentence"] == "It is too early to hand it over."
    refused = await here.ada.posts(hand_over["href"], expect=409)
    assert refused["detail"] == hand_over["sentence"]


@pytest.mark.parametrize(
    ("noun", "who", "state"),
    [("refusal", "ada", "declined"), ("withdrawal", "ben", "withdrawn")],
)
async def test_a_request_ends_without_a_loan(
    here: Programs, noun: str, who: str, state: str
) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    body = {"reason": "It is broken."} if noun == "refusal" else None
    ended = await getattr(here, who).acts(loan, noun, body)
    assert ended["state"] == state
    assert ended["reason"] == ("It is broken." if body else "")
    assert ended["acts"] == []


async def test_a_lender_cancels_with_a_reason_only(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    await here.ada.acts(loan, "approval")
    refused = await here.ada.acts(loan, "cancellation", expect=422)
    assert refused["errors"][0]["field"] == "reason"
    cancelled = await here.ada.acts(loan, "cancellation", {"reason": "I need it myself."})
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "I need it myself.")


async def test_nobody_came(here: Programs, the_clock: Clock) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    await here.ada.acts(loan, "approval")
    assert (await here.ada.acts(loan, "no-show", expect=409))["detail"]
    over = clock.day_start(here.street.day(2), here.street.here.zone)
    the_clock.move_to(over + timedelta(hours=2, minutes=1))
    assert (await here.ada.acts(loan, "no-show"))["state"] == "no_show"


async def test_a_loan_is_overdue_from_its_end_on(here: Programs, the_clock: Clock) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.today)
    await here.ada.acts(loan, "approval")
    await here.ada.acts(loan, "handover")
    the_clock.move_to(clock.day_start(here.street.day(1), here.street.here.zone))
    assert (await here.ben.gets(f"/loans/{loan}"))["overdue"] is True


async def test_two_date_times_are_taken_to_the_minute(here: Programs) -> None:
    drill, zone = await here.ada.lists(), here.street.here.zone
    start = datetime.combine(here.street.day(2), time(9, 30), tzinfo=ZoneInfo("Asia/Tokyo"))
    end = start + timedelta(hours=5)
    body = {"start": start.isoformat(), "end": end.astimezone(UTC).isoformat()}
    loan = await here.ben.posts(f"/tools/{drill}/loans", body, expect=201)
    assert datetime.fromisoformat(loan["start"]) == start
    assert datetime.fromisoformat(loan["end"]) == end
    assert datetime.fromisoformat(loan["start"]).utcoffset() == start.astimezone(zone).utcoffset()
    assert loan["first_day"] is None
    assert loan["last_day"] is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("year", [2027, 2028])
async def test_two_dates_are_local_days_in_the_nights_when_clocks_change(
    zone: str, year: int
) -> None:
    for month, days in ((3, 31), (10, 31), (11, 30)):
        for day in range(1, days + 1):
            one = f"{year}-{month:02}-{day:02}"
            start, end = NewLoan(start=one, end=one).period(ZoneInfo(zone))
            local = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
            assert [each.time() for each in local] == [time(), time()]
            assert (local[1].date() - local[0].date()).days == 1


async def test_periods_that_cannot_be_taken_are_422(here: Programs) -> None:
    drill, day = await here.ada.lists(), here.street.day
    at = f"{day(1)}T10:00:00"
    wrong: list[tuple[Any, Any]] = [
        (f"{day(1)}", f"{at}Z"),  # one of each
        (f"{at}+01:00", f"{day(2)}"),
        (at, f"{day(1)}T12:00:00"),  # without an offset
        (f"{at}Z", at),
        (f"{day(2)}", f"{day(1)}"),  # backwards
        (f"{at}Z", f"{at}Z"),
        (f"{day(-1)}", f"{day(-1)}"),  # passed
        (f"{day(1)}", f"{day(30)}"),  # too long
        (f"{day(200)}", f"{day(200)}"),  # too far
        ("0001-01-01", "9999-12-31"),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
        ("2026-02-30", "2026-02-30"),
        ("2026-05-03T24:00:00Z", "2026-05-04T24:00:00Z"),
        ("2026-05-03T10:00:00+99:00", "2026-05-03T12:00:00+99:00"),
        ("２０２６-05-03", "2026-05-03"),
        (1780000000, 1780000001),
        (None, None),
        ({}, []),
        ("", ""),
        (f"{day(1)}T00:00:00", f"{day(1)}T00:00:00"),
    ]
    for start, end in wrong:
        body = {"start": start, "end": end}
        refused = await here.ben.posts(f"/tools/{drill}/loans", body, expect=422)
        assert refused["errors"], body
    assert (await here.ben.gets("/loans"))["items"] == []


async def test_taken_dates_are_refused_with_the_nearest_free_ones(here: Programs) -> None:
    drill, day = await here.ada.lists(), here.street.day
    loan = await here.ben.asks_for(drill, day(3), day(5))
    await here.ada.acts(loan, "approval")
    wanted = {"start": f"{day(4)}", "end": f"{day(4)}"}
    refused = await here.cy.posts(f"/tools/{drill}/loans", wanted, expect=409)
    assert refused["type"] == "/problems/conflict"
    zone = here.street.here.zone
    free = [
        {name: datetime.fromisoformat(at) for name, at in each.items()} for each in refused["free"]
    ]
    assert free[0]["end"] == clock.day_start(day(3), zone)
    assert free[1]["start"] == clock.day_start(day(6), zone)


async def test_whoever_loses_the_dates_hears_which_are_free(here: Programs) -> None:
    drill, day = await here.ada.lists(), here.street.day
    first = await here.ben.asks_for(drill, day(3), day(4))
    second = await here.cy.asks_for(drill, day(4), day(5))
    await here.ada.acts(first, "approval")
    lost = await here.ada.acts(second, "approval", expect=409)
    assert lost["detail"] == "Somebody else got these dates."
    assert len(lost["free"]) == 2
    assert (await here.cy.gets(f"/loans/{second}"))["state"] == "superseded"


async def test_an_outdated_version_is_refused(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    version = (await here.ada.gets(f"/loans/{loan}"))["version"]
    await here.ada.acts(loan, "approval", {"version": version})
    refused = await here.ben.acts(loan, "cancellation", {"version": version}, expect=409)
    assert refused["type"] == "/problems/state"


async def test_only_who_may_act_acts(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    refused = await here.ben.acts(loan, "approval", expect=403)
    assert refused["lifted_by"] == "the lender or a coordinator"
    await here.ada.acts(loan, "withdrawal", expect=403)
    await here.ada.acts(loan, "return", expect=409)


async def test_a_coordinator_reads_the_facts_and_may_answer(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    seen = await here.cora.gets(f"/loans/{loan}")
    assert acts(seen) == {"approve": True, "decline": True}
    assert (await here.cora.call("GET", f"/loans/{loan}/messages")).status_code == 404
    assert (await here.cora.acts(loan, "refusal", {"reason": "It was recalled."}))["state"] == (
        "declined"
    )
    assert (await here.cora.gets("/loans"))["items"] == []


async def test_my_loans_are_listed_page_by_page(here: Programs) -> None:
    drill, saw = await here.ada.lists(), await here.ada.lists("Jigsaw", category="saws")
    made = [await here.ben.asks_for(drill, here.street.day(n)) for n in range(1, 6)]
    other = await here.cy.asks_for(saw, here.street.day(1))
    await here.ben.acts(made[0], "withdrawal")

    found, cursor, pages = [], None, 0
    while True:
        page = await here.ben.gets("/loans", limit=2, **({"cursor": cursor} if cursor else {}))
        found += [each["id"] for each in page["items"]]
        cursor, pages = page["next"], pages + 1
        if cursor is None:
            break
    assert found == sorted(made, reverse=True)
    assert pages == 3
    assert [each["id"] for each in (await here.ada.gets("/loans", tool=saw))["items"]] == [other]
    withdrawn = await here.ada.gets("/loans", state="withdrawn")
    assert [each["id"] for each in withdrawn["items"]] == [made[0]]
    both = await here.ada.gets("/loans", state=["withdrawn", "requested"])
    assert len(both["items"]) == 6
