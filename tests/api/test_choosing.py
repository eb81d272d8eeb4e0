"""Rules, quotes, holds, days off and trust, as programs see them."""

from __future__ import annotations

from app.loans import holds
from tests.api.conftest import Programs


async def test_rules_are_set_shown_and_changed_one_by_one(here: Programs) -> None:
    windows = [{"weekday": "sat", "opens": "09:00", "closes": "12:00"}]
    rules = {"longest_days": 3, "buffer_hours": 1, "windows": windows}
    drill = await here.ada.lists(rules=rules)
    shown = (await here.ben.gets(f"/tools/{drill}"))["rules"]
    assert (shown["longest_days"], shown["buffer_hours"]) == (3, 1)
    assert shown["windows"] == [{"weekday": "sat", "opens": "09:00:00", "closes": "12:00:00"}]
    assert (shown["horizon_days"], shown["auto_approve"]) == (90, False), "as is usual"
    changes = {"rules": {"windows": [], "deposit_cents": 2000, "safety": "Sharp."}}
    changed = (await here.ada.call("PATCH", f"/tools/{drill}", json=changes)).json()["rules"]
    assert (changed["longest_days"], changed["windows"]) == (3, [])
    assert (changed["deposit_cents"], changed["safety"]) == (2000, "Sharp.")


async def test_rules_that_make_no_sense_name_their_field(here: Programs) -> None:
    drill = await here.ada.lists()
    early = {"weekday": "sat", "opens": "12:00", "closes": "09:00"}
    for rules in (
        {"longest_days": 0},
        {"longest_days": "3"},
        {"windows": [early]},
        {"windows": [{**early, "weekday": "someday"}]},
        {"windows": [{**early, "opens": "09:00:30"}]},
        {"longest_weeks": 2},
        {"shortest_hours": 48, "longest_days": 1},
    ):
        answer = await here.ada.call("PATCH", f"/tools/{drill}", json={"rules": rules})
        assert answer.status_code == 422, rules
        assert answer.json()["errors"], rules


async def test_a_quote_counts_days_and_says_what_stands_in_the_way(here: Programs) -> None:
    street = here.street
    drill = await here.ada.lists(price_cents=250, rules={"deposit_cents": 2000})
    days = {"start": f"{street.day(1)}", "end": f"{street.day(3)}"}
    quote = await here.ben.gets(f"/tools/{drill}/quote", **days)
    assert (quote["days"], quote["price_cents"], quote["deposit_cents"]) == (3, 750, 2000)
    assert quote["possible"]
    assert not quote["chosen_by_others"]
    await here.cy.posts(f"/tools/{drill}/hold", days)
    assert (await here.ben.gets(f"/tools/{drill}/quote", **days))["chosen_by_others"]
    assert not (await here.cy.gets(f"/tools/{drill}/quote", **days))["chosen_by_others"]
    loan = await here.cy.asks_for(drill, street.day(2))
    await here.ada.acts(loan, "approval")
    taken = await here.ben.gets(f"/tools/{drill}/quote", **days)
    assert not taken["possible"]
    assert taken["sentence"] == "Somebody has the tool in these dates."
    assert taken["free"]
    far = {"start": f"{street.day(1)}", "end": f"{street.day(20)}"}
    assert (await here.ben.gets(f"/tools/{drill}/quote", **far))["sentence"].startswith(
        "A loan may"
    )


async def test_a_hold_is_seen_without_a_name_and_let_go(here: Programs) -> None:
    drill = await here.ada.lists()
    days = {"start": f"{here.street.day(1)}", "end": f"{here.street.day(2)}"}
    held = await here.ben.posts(f"/tools/{drill}/hold", days)
    assert 0 < held["seconds_left"] <= holds.TURN.total_seconds()
    (seen,) = (await here.cy.gets(f"/tools/{drill}/availability"))["choosing"]
    assert (seen["start"], seen["end"], seen["mine"]) == (held["start"], held["end"], False)
    assert set(seen) == {"start", "end", "mine", "seconds_left"}
    assert (await here.ben.gets(f"/tools/{drill}/availability"))["choosing"][0]["mine"]
    assert (await here.cy.gets(f"/tools/{drill}"))["state"]["free_now"], "held is not taken"
    refused = await here.cy.posts(f"/tools/{drill}/hold", days, expect=409)
    assert refused["type"] == "/problems/held"
    assert refused["free"]
    for _ in range(2):
        gone = await here.ben.call("DELETE", f"/tools/{drill}/hold")
        assert gone.status_code == 204
    await here.cy.posts(f"/tools/{drill}/hold", days)


async def test_days_off_are_the_owners_and_taken_for_everybody(here: Programs) -> None:
    street = here.street
    drill = await here.ada.lists()
    days = {"start": f"{street.day(3)}", "end": f"{street.day(4)}"}
    asked = await here.ben.asks_for(drill, street.day(4))
    await here.ben.posts(f"/tools/{drill}/blackouts", days, expect=403)
    made = await here.ada.posts(f"/tools/{drill}/blackouts", days, expect=201, key="once")
    again = await here.ada.posts(f"/tools/{drill}/blackouts", days, expect=201, key="once")
    assert made == again
    loan = await here.ben.gets(f"/loans/{asked}")
    assert (loan["state"], loan["reason"]) == ("declined", "The lender needs it in these days.")
    refused = await here.ben.posts(f"/tools/{drill}/loans", days, expect=409)
    assert refused["free"]
    assert (await here.ada.posts(f"/tools/{drill}/blackouts", days, expect=409))["free"]
    assert (await here.ben.call("GET", f"/tools/{drill}/blackouts")).status_code == 403
    (one,) = made["items"]
    path = f"/tools/{drill}/blackouts/{one['id']}"
    assert (await here.ben.call("DELETE", path)).status_code == 403
    assert (await here.ada.call("DELETE", path)).status_code == 204
    assert (await here.ada.call("DELETE", path)).status_code == 404
    await here.ben.asks_for(drill, street.day(4))


async def test_whom_ada_trusts_has_it_at_once(here: Programs) -> None:
    street, ben = here.street, here.ben
    drill = await here.ada.lists(rules={"auto_approve": True})
    first = await ben.asks_for(drill, street.day(1))
    assert (await ben.gets(f"/loans/{first}"))["state"] == "requested"
    for _ in range(2):
        marked = await here.ada.call("PUT", f"/people/{ben.who.id}/trust")
        assert marked.status_code == 204
    second = await ben.asks_for(drill, street.day(5))
    loan = await ben.gets(f"/loans/{second}")
    assert loan["state"] == "approved"
    await here.cy.asks_for(drill, street.day(11))
    third = await ben.asks_for(drill, street.day(11))
    assert (await ben.gets(f"/loans/{third}"))["state"] == "requested", "two want that day"
    assert (await here.ada.call("DELETE", f"/people/{ben.who.id}/trust")).status_code == 204
    fourth = await ben.asks_for(drill, street.day(8))
    assert (await ben.gets(f"/loans/{fourth}"))["state"] == "requested"
    assert (await here.ada.call("PUT", f"/people/{here.ada.who.id}/trust")).status_code == 409
