"""Who gets in: every route of a community, as strangers of every kind."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import update

from app import db
from app.loans.handing_api import TINY
from app.main import app
from app.people import sessions
from app.people.models import Membership, Status
from tests.api.conftest import Json, Programs

ROUTES = sorted(
    (method.upper(), path)
    for path, operations in app.openapi()["paths"].items()
    if "{slug}" in path
    for method in operations
)
AMENDS: dict[str, Json] = {
    "/report": {"reason": "Look at it."},
    "/removal": {"reason": "This is no tool."},
    "/answers": {"words": "I have one."},
    "/reports/{report_id}/settlement": {"reason": "We have talked."},
    "/correction": {"state": "closed", "reason": "So it was."},
    "/unsafe": {"reason": "The cable is bare."},
    "/doorstep": {"place": "Behind the door"},
    "/incidents": {"kind": "damage", "words": "It is bent."},
    "/evidence": {"words": "Look at it."},
    "/proposal": {"words": "Never mind."},
    "/result": {"words": "Never mind."},
    "/mediator": {"mediator": 1},
    "/amounts": {"cents": 100},
}
OF_THE_LOAN = re.compile(r"/loans/\{loan_id\}")


def filled(path: str, slug: str, tool: int, loan: int) -> str:
    ids = {"tool_id": tool, "loan_id": loan, "person_id": 2**60}
    ids |= dict.fromkeys(
        ("blackout_id", "change_id", "incident_id", "amount_id", "feed_id", "line_id", "photo_id"),
        1,
    )
    ids |= {"import_id": 1}
    ids |= dict.fromkeys(("room_id", "message_id", "report_id"), 2**60)
    ids |= dict.fromkeys(("wanted_id", "answer_id", "watch_id"), 2**60)
    path = path.format(slug=slug, direction="out", step="paid", name="0" * 32, **ids)
    if path.endswith(f"/{slug}/messages"):
        return f"{path}?q=drill"
    return f"{path}?start=2026-05-01&end=2026-05-01" if path.endswith("/quote") else path


def body_for(method: str, path: str, here: Programs) -> Json | None:
    """One that would be taken from the right person."""
    day = f"{here.street.day(2)}"
    if path.endswith("/code/use"):
        return {"digits": "0000"}
    if path.endswith(
        ("/taking", "/bringing", "/rooms/{room_id}/photos", "/tools/{tool_id}/photos")
    ):
        return {"photo": TINY}
    if path.endswith("/inventory/imports"):
        return {"table": "name,category\nDrill,drills"}
    if path.endswith("/photos/order"):
        return {"ids": [1]}
    if path.endswith("/photos/{photo_id}"):
        return {"alt": "The case"}
    if path.endswith("/lending"):
        return {"name": "Grete"}
    if path.endswith(("/key-box", "/handovers/{direction}")):
        return {}
    for noun, body in AMENDS.items():
        if path.endswith(noun):
            return body
    if path.endswith("/seen"):
        return {"up_to": 1}
    if path.endswith(("/messages", "/messages/{message_id}", "/questions")):
        return {"body": "Hi"}
    if path.endswith(("/tools/{tool_id}/loans", "/hold", "/blackouts")):
        return {"start": day, "end": day}
    if path.endswith("/changes"):
        return {"end": day}
    if path.endswith("/waitlist"):
        return {"days": 2}
    if path.endswith("/waitlist/order"):
        return {"person": here.ben.who.id, "place": 1, "reason": "Because"}
    if path.endswith("/handing-over"):
        return {"length": "1"}
    if path.endswith("/maintenance/end"):
        return {}
    if path.endswith("/maintenance"):
        return {"kind": "broken"}
    if path.endswith("/repairs"):
        return {"words": "New cable", "day": f"{here.street.today}"}
    if path.endswith("/feeds"):
        return {"kind": "loans"}
    if path.endswith("/place"):
        return {"address": "Elm Street 4"}
    if path.endswith("/watches"):
        return {"q": "drill"}
    if path.endswith("/wanted"):
        return {"words": "A tile cutter"}
    if path.endswith("/tools"):
        return {"name": "Drill", "category": "drills"}
    return {} if method == "PATCH" else None


async def test_the_walk_knows_the_routes() -> None:
    assert len(ROUTES) == 136
    assert sum(bool(OF_THE_LOAN.search(path)) for _, path in ROUTES) == 45


async def test_a_member_of_another_community_finds_nothing(
    here: Programs, elsewhere: Programs
) -> None:
    tool = await here.ada.lists()
    loan = await here.ben.asks_for(tool, here.street.day(1))
    theirs = await elsewhere.ada.lists()
    for method, path in ROUTES:
        body = body_for(method, path, here) if method != "GET" else None
        for slug in (here.street.here.slug, elsewhere.street.here.slug):
            if slug == elsewhere.street.here.slug and "_id}" not in path:
                continue  # their own board
            address = filled(path, slug, tool, loan)
            answer = await elsewhere.ada.call(method, address, json=body)
            assert answer.status_code == 404, address
    assert (await elsewhere.ada.gets("/loans"))["items"] == []
    assert [each["id"] for each in (await elsewhere.ada.gets("/tools"))["items"]] == [theirs]
    assert (await here.ben.gets(f"/loans/{loan}"))["state"] == "requested"


async def test_a_neighbour_without_a_part_finds_no_loan(here: Programs) -> None:
    tool = await here.ada.lists()
    loan = await here.ben.asks_for(tool, here.street.day(1))
    unknown = loan + 10_000
    for method, path in ROUTES:
        if not OF_THE_LOAN.search(path):
            continue
        body = body_for(method, path, here) if method != "GET" else None
        slug, answers = here.street.here.slug, []
        for number in (loan, unknown):
            answer = await here.cy.call(method, filled(path, slug, tool, number), json=body)
            assert answer.status_code == 404, path
            answers.append(answer.json() | {"request_id": ""})
        assert answers[0] == answers[1], "what is hidden looks like what is not there"
    assert (await here.cy.gets("/loans"))["items"] == []


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer no-such-token", "Basic YWRhOmE="])
async def test_without_a_token_nothing_opens(here: Programs, authorization: str) -> None:
    tool = await here.ada.lists()
    loan = await here.ben.asks_for(tool, here.street.day(1))
    headers = {"Authorization": authorization} if authorization else {}
    async with httpx.AsyncClient(base_url=here.ada.who.at.url, headers=headers) as nobody:
        for method, path in ROUTES:
            answer = await nobody.request(method, filled(path, here.street.here.slug, tool, loan))
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_cookie_opens_no_api(here: Programs) -> None:
    answer = await here.ada.who.client.get(f"{here.ada.base}/tools")
    assert answer.status_code == 401


async def test_who_still_waits_is_told_so(here: Programs) -> None:
    await _put(here, Status.PENDING)
    for path in ("/tools", "/loans", "/categories"):
        answer = await here.ben.call("GET", path)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-yet")


async def test_who_is_suspended_reads_and_gives_back_only(here: Programs) -> None:
    drill = await here.ada.lists()
    loan = await here.ben.asks_for(drill, here.street.today)
    await here.ada.acts(loan, "approval")
    await here.ada.acts(loan, "handover")
    await _put(here, Status.SUSPENDED)
    for path in ("/tools", "/categories"):
        answer = await here.ben.call("GET", path)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/suspended")
    days = {"start": f"{here.street.day(3)}", "end": f"{here.street.day(3)}"}
    await here.ben.posts(f"/tools/{drill}/loans", days, expect=403)
    assert (await here.ben.gets(f"/loans/{loan}"))["state"] == "out"
    await here.ben.posts(f"/loans/{loan}/messages", {"body": "I bring it now."}, expect=201)
    assert (await here.ben.acts(loan, "return-claim"))["state"] == "return_claimed"


async def test_an_ended_token_opens_nothing(here: Programs) -> None:
    async with db.begin() as tx:
        await sessions.end_tokens_of(tx, here.ben.who.id)
    assert (await here.ben.call("GET", "/loans")).status_code == 401


async def _put(here: Programs, status: Status) -> None:
    async with db.begin() as tx:
        await tx.execute(
            update(Membership)
            .where(
                Membership.community_id == here.street.here.id,
                Membership.person_id == here.ben.who.id,
            )
            .values(status=status)
        )
