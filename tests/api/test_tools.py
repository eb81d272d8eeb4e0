"""Tools as a program lists, finds and changes them."""

from __future__ import annotations

from datetime import datetime

from app import clock
from tests.api.conftest import Programs
from tests.clocks import Clock


async def test_a_listed_tool_hangs_on_the_board(here: Programs) -> None:
    new = {
        "name": "  Cordless   drill ",
        "category": "drills",
        "description": "Two batteries.",
        "brand": "Makita",
        "price_cents": 250,
    }
    answer = await here.ada.call("POST", "/tools", json=new)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{here.ada.base}/tools/{made['id']}"
    assert made["name"] == "Cordless drill"
    assert made["category"] == {"slug": "drills", "name": "Drills and drivers"}
    assert made["owner"] == {"id": here.ada.who.id, "name": "Ada Moreno"}
    assert made["state"]["kind"] == "free"
    assert await here.ben.gets(f"/tools/{made['id']}") == made | {"state": _state(made)}
    categories = {
        each["slug"]: each["tools"] for each in (await here.ben.gets("/categories"))["items"]
    }
    assert categories["drills"] == 1
    assert categories["saws"] == 0


def _state(made: dict[str, object]) -> object:
    class Same:
        """next_free is the present: it moves."""

        def __eq__(self, other: object) -> bool:
            assert isinstance(other, dict)
            assert isinstance(made["state"], dict)
            return {**other, "next_free": 0} == {**made["state"], "next_free": 0}

        __hash__ = None  # type: ignore[assignment]

    return Same()


async def test_only_its_owner_changes_a_tool(here: Programs) -> None:
    drill = await here.ada.lists(price_cents=250)
    changes = {"price_cents": 0, "description": "Now with a case."}
    changed = (await here.ada.call("PATCH", f"/tools/{drill}", json=changes)).json()
    assert (changed["price_cents"], changed["description"]) == (0, "Now with a case.")
    assert changed["name"] == "Cordless drill"
    assert (await here.ben.call("PATCH", f"/tools/{drill}", json=changes)).status_code == 403
    assert (await here.cora.call("PATCH", f"/tools/{drill}", json=changes)).status_code == 403


async def test_what_cannot_be_taken_about_a_tool_names_its_field(here: Programs) -> None:
    for wrong, field in (
        ({"name": ""}, "name"),
        ({"name": " \u200b\n"[:1]}, "name"),
        ({"name": "x" * 81}, "body.name"),
        ({"category": "spaceships"}, "category"),
        ({"price_cents": -1}, "body.price_cents"),
        ({"price_cents": 10**30}, "body.price_cents"),
        ({"price_cents": 2.5}, "body.price_cents"),
        ({"price_cents": True}, "body.price_cents"),
        ({"colour": "red"}, "body.colour"),
    ):
        body = {"name": "Drill", "category": "drills", **wrong}
        refused = await here.ada.posts("/tools", body, expect=422)
        assert refused["errors"][0]["field"].removeprefix("body.") == field.removeprefix("body.")


async def test_tools_are_found_and_paged(here: Programs) -> None:
    made = [await here.ada.lists(f"Drill {n}") for n in range(5)]
    saw = await here.ben.lists("Jigsaw", category="saws", brand="Bosch")
    first = await here.cy.gets("/tools", limit=4)
    second = await here.cy.gets("/tools", limit=4, cursor=first["next"])
    assert [each["id"] for each in first["items"] + second["items"]] == [*made, saw]
    assert second["next"] is None
    assert [each["id"] for each in (await here.cy.gets("/tools", q="bosch JIG"))["items"]] == [saw]
    assert [e["id"] for e in (await here.cy.gets("/tools", category="saws"))["items"]] == [saw]
    assert (await here.cy.gets("/tools", q="%"))["items"] == []
    assert len((await here.cy.gets("/tools", limit=6))["items"]) == 6
    assert (await here.cy.gets("/tools", limit=6))["next"] is None


async def test_pages_of_the_api_miss_nothing_while_tools_come_and_go(here: Programs) -> None:
    made = [await here.ada.lists(f"Drill {n}") for n in range(5)]
    first = await here.cy.gets("/tools", limit=2, q="dril")
    await here.ada.call("POST", f"/tools/{made[0]}/archive")
    await here.ada.call("PATCH", f"/tools/{made[3]}", json={"name": "A drill"})
    late = await here.ben.lists("Drill that came late")
    rest = await here.cy.gets("/tools", limit=5, q="dril", cursor=first["next"])
    found = [each["id"] for each in first["items"] + rest["items"]]
    assert found == [*made, late]
    cheap = {"max_price_cents": 0, "skill": "anyone", "lender": here.ada.who.id}
    await here.ada.call("PATCH", f"/tools/{made[1]}", json={"skill": "expert"})
    await here.ada.call("PATCH", f"/tools/{made[2]}", json={"price_cents": 100})
    listed = (await here.cy.gets("/tools", **cheap))["items"]
    assert [each["id"] for each in listed] == made[3:]
    assert listed[0]["skill"] == "anyone"


async def test_only_what_is_free_is_paged(here: Programs) -> None:
    made = [await here.ada.lists(f"Drill {n}") for n in range(5)]
    for tool in made[::2]:
        loan = await here.ben.asks_for(tool, here.street.today)
        await here.ada.acts(loan, "approval")
        await here.ada.acts(loan, "handover")
    first = await here.cy.gets("/tools", free="true", limit=1)
    second = await here.cy.gets("/tools", free="true", limit=1, cursor=first["next"])
    assert [each["id"] for each in first["items"] + second["items"]] == [made[1], made[3]]
    assert second["next"] is None


async def test_availability_tells_busy_and_free_to_the_horizon(here: Programs) -> None:
    drill, day, zone = await here.ada.lists(), here.street.day, here.street.here.zone
    loan = await here.ben.asks_for(drill, day(3), day(5))
    await here.ada.acts(loan, "approval")
    when = await here.cy.gets(f"/tools/{drill}/availability")
    assert when["kind"] == "reserved"
    assert when["words"].startswith("Reserved from ")
    assert when["free_now"] is True
    assert [_instants(each) for each in when["busy"]] == [
        (clock.day_start(day(3), zone), clock.day_start(day(6), zone))
    ]
    before, after = (_instants(each) for each in when["free"])
    assert before[1] == clock.day_start(day(3), zone)
    assert after == (clock.day_start(day(6), zone), clock.day_start(day(91), zone))
    assert "Ben" not in str(when)


async def test_nobody_knows_when_an_overdue_tool_is_free(here: Programs, the_clock: Clock) -> None:
    drill = await here.ada.lists()
    loan = await here.ben.asks_for(drill, here.street.today)
    await here.ada.acts(loan, "approval")
    await here.ada.acts(loan, "handover")
    the_clock.move_to(clock.day_start(here.street.day(1), here.street.here.zone))
    when = await here.cy.gets(f"/tools/{drill}/availability")
    assert (when["kind"], when["free_now"], when["next_free"]) == ("overdue", False, None)


async def test_a_paused_tool_tells_nothing_of_its_dates(here: Programs) -> None:
    drill = await here.ada.lists()
    waiting = await here.ben.asks_for(drill, here.street.day(1))
    promised = await here.ben.asks_for(drill, here.street.day(3))
    await here.ada.acts(promised, "approval")
    assert (await here.ada.posts(f"/tools/{drill}/pause"))["status"] == "paused"
    when = await here.cy.gets(f"/tools/{drill}/availability")
    assert (when["kind"], when["busy"], when["free"]) == ("paused", [], [])
    assert (await here.ben.gets(f"/loans/{waiting}"))["state"] == "declined"
    assert (await here.ben.gets(f"/loans/{promised}"))["state"] == "approved"
    assert (await here.ada.posts(f"/tools/{drill}/pause", expect=409))["detail"]
    assert (await here.ada.posts(f"/tools/{drill}/pause/end"))["status"] == "listed"


async def test_an_archived_tool_is_gone_for_others(here: Programs) -> None:
    drill = await here.ada.lists()
    await here.ben.posts(f"/tools/{drill}/archive", expect=403)
    assert (await here.ada.posts(f"/tools/{drill}/archive"))["status"] == "archived"
    assert (await here.ben.call("GET", f"/tools/{drill}")).status_code == 404
    assert (await here.ben.call("GET", f"/tools/{drill}/availability")).status_code == 404
    assert (await here.ada.gets(f"/tools/{drill}"))["state"]["words"] == "Archived"
    assert (await here.ben.gets("/tools"))["items"] == []
    assert (await here.ada.posts(f"/tools/{drill}/archive/end"))["status"] == "listed"


def _instants(period: dict[str, str]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(period["start"]), datetime.fromisoformat(period["end"])


async def test_what_is_free_on_certain_days(here: Programs) -> None:
    day = here.street.day
    drill, saw = await here.ada.lists(), await here.ada.lists("Hand saw")
    loan = await here.ben.asks_for(drill, day(2), day(4))
    await here.ada.acts(loan, "approval")

    async def free(**days: object) -> list[int]:
        asked = {name: str(value) for name, value in days.items()}
        return [one["id"] for one in (await here.cy.gets("/tools", **asked))["items"]]

    assert await free(free_from=day(4), free_to=day(6)) == [saw]
    assert await free(free_from=day(5), free_to=day(6)) == [drill, saw]
    assert await free(free_from=day(3)) == [saw]
    assert await free(free_from=day(-3)) == []
    wrong = await here.cy.call(
        "GET", "/tools", params={"free_from": str(day(4)), "free_to": str(day(3))}
    )
    assert wrong.status_code == 422
