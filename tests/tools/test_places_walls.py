"""Nobody reads an address or a point that is not theirs to read: not on any page, in any region, by
guessing ids, or by comparing what comes before and after it changes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from app import db, topic
from app.loans.models import Loan
from app.main import app, registry
from app.tools import grid
from app.tools.grid import Point
from tests.api.conftest import Program, Programs, programs_of
from tests.api.test_walls import filled as filled_api
from tests.neighbours import Neighbour, Street, found_street
from tests.test_walls import filled, routes_of_a_community
from tests.workers import Worker

SECRET = re.compile(r"Secret|second bell|\b52\.51\d|\b13\.41\d|Hidden|\b52\.50\d")
HERE = {"address": "Secret Lane 7\nsecond bell", "point": "52.512345, 13.412345"}
# In the same square: all that others may know of it stays as it is.
CENTRE = grid.centre_of(grid.cell_of(Point(52.512345, 13.412345)))
THERE = {"address": "Hidden Row 12345, the green door", "point": f"{CENTRE.lat}, {CENTRE.lon}"}
# What differs between two loads of any page: keys of forms, the time, which access it is.
FLEETING = re.compile(
    r'data-(?:access|now)="[\d.]+"|name="(?:idempotency_key|client_id)" value="[^"]*"'
    r"|<time .*?</time>|\b([0-9a-f]{32}|[0-9a-f]{16})\b|[0-9a-f-]{36}"
)


@dataclass
class Scene:
    """Ben has Ada's drill promised for today; Cy has asked for it, too, and has lost."""

    street: Street
    programs: Programs
    ids: dict[str, int]

    def strangers(self) -> list[tuple[Neighbour, Program]]:
        return [(self.street.cy, self.programs.cy), (self.street.cora, self.programs.cora)]


@pytest.fixture
async def scene(street: Street) -> AsyncIterator[Scene]:
    ada, ben = street.ada, street.ben
    drill = await ada.lists("Cordless drill")
    await ada.does(f"{ada.home}/place", **HERE)
    loan = await ben.asks_for(drill, street.today)
    await street.cy.asks_for(drill, street.today)
    await ada.acts(loan, "approval")
    async with db.snapshot() as tx:
        room = (await tx.get_one(Loan, (street.here.id, loan))).conversation_id
    async with programs_of(street) as programs:
        yield Scene(street, programs, {"tool_id": drill, "loan_id": loan, "room_id": room})


async def everything(scene: Scene, who: Neighbour, program: Program) -> dict[str, str]:
    """All that somebody can get: pages, JSON, regions; by its path, without what is fleeting."""
    street, found = scene.street, {}
    for method, route in routes_of_a_community():
        if method == "GET":
            path = filled(route, street, scene.ids)
            answer = await who.client.get(path)
            found[path] = f"{answer.status_code} {FLEETING.sub('', answer.text)}"
    for route, operations in app.openapi()["paths"].items():
        if "get" in operations and "{slug}" in route:
            path = filled_api(route, street.here.slug, scene.ids["tool_id"], scene.ids["loan_id"])
            answer = await program.call("GET", path)
            found[path] = f"{answer.status_code} {FLEETING.sub('', answer.text)}"
    for kind in registry().kinds:
        for key in ("", *{str(one) for one in scene.ids.values()}):
            for scope in (topic.community(street.here.id), f"u{who.id}", f"u{street.ada.id}"):
                name = f"{scope}/{kind}" + (f"/{key}" if key else "")
                answer = await who.client.get("/live", params={"topic": name})
                found[name] = f"{answer.status_code} {FLEETING.sub('', answer.text)}"
    return found


async def test_no_stranger_reads_a_place_nor_sees_that_it_changed(
    scene: Scene, workers: tuple[Worker, Worker]
) -> None:
    street, place = scene.street, f"{scene.street.here.path}/place"
    own = f"/loans/{scene.ids['loan_id']}/place"
    assert "second bell" in await street.ben.opens(f"{place[:-6]}{own[:-6]}")
    assert (await scene.programs.ben.gets(own))["point"] == HERE["point"]
    before = [await everything(scene, *one) for one in scene.strangers()]
    await street.ada.does(place, **THERE)
    assert (await scene.programs.ben.gets(own))["address"] == THERE["address"]
    for one, was in zip(scene.strangers(), before, strict=True):
        now = await everything(scene, *one)
        assert len(now) > 150, "the walk has lost its way"
        for at, answer in now.items():
            assert not SECRET.search(answer), at
            assert not SECRET.search(was[at]), at
            # To the byte, but for how long a loan's clock and how often all jobs have run.
            if not any(part in at for part in ("/help", "/facts/", "/jobs")):
                assert answer == was[at], at
    async with found_street(workers) as other, programs_of(other) as theirs:
        for at, answer in (await everything(scene, other.cora, theirs.cora)).items():
            assert not SECRET.search(answer), at
        assert (await theirs.cora.call("GET", own)).status_code == 404


async def test_a_block_and_the_end_of_the_loan_close_it_on_open_screens(scene: Scene) -> None:
    street = scene.street
    ada, ben, loan = street.ada, street.ben, scene.ids["loan_id"]
    region, own = topic.loan(street.here.id, loan), f"/loans/{loan}/place"
    async with ben.watches(region) as screen:
        await screen.shows(region, "second bell")
        await ada.does(f"{ada.home}/place", **THERE)
        await screen.shows(region, "the green door")
        await ada.does(f"{ada.home}/people/{ben.id}/block")
        await screen.until(lambda: "green door" not in (screen.html[region] or ""))
        assert (await scene.programs.ben.call("GET", own)).status_code == 404
        await ada.does(f"/profile/blocks/{ben.id}/end")
        await screen.shows(region, "the green door")
        await ada.acts(loan, "handover")
        await screen.shows(region, "Out until")
        assert "green door" in (screen.html[region] or "")
        await ada.acts(loan, "return")
        await screen.until(lambda: "green door" not in (screen.html[region] or ""))
    assert "green door" not in await ben.opens(f"{ben.home}/loans/{loan}")
    assert (await scene.programs.ben.call("GET", own)).status_code == 404
