"""Keeping somebody away, as a program does it."""

from __future__ import annotations

import uuid

import httpx

from tests.api.conftest import Programs

BLOCKS = "/api/v1/blocks"


async def test_a_program_blocks_lists_and_ends(here: Programs) -> None:
    ada, ben, cy = here.ada, here.ben.who, here.cy.who
    made = await ada.posts(BLOCKS, {"person": ben.id}, expect=201)
    assert made["person"] == {"id": ben.id, "name": "Ben Okafor"}
    assert await ada.posts(BLOCKS, {"person": ben.id}, expect=201) == made
    await ada.posts(BLOCKS, {"person": cy.id}, expect=201)
    first = await ada.gets(BLOCKS, limit=1)
    assert first["items"] == [made]
    second = await ada.gets(BLOCKS, limit=1, cursor=first["next"])
    assert [one["person"]["id"] for one in second["items"]] == [cy.id]
    assert second["next"] is None
    assert (await here.ben.gets(BLOCKS))["items"] == [], "whom ben has blocked, not who blocked him"
    for _ in range(2):
        ended = await ada.call("POST", f"{BLOCKS}/{ben.id}/end")
        assert (ended.status_code, ended.content) == (204, b"")
    assert len((await ada.gets(BLOCKS))["items"]) == 1


async def test_requests_end_and_neither_asks_or_writes(here: Programs) -> None:
    drill, rake = await here.ada.lists(), await here.ada.lists("Rake", category="garden")
    loan = await here.ben.asks_for(drill, here.street.today)
    await here.ada.acts(loan, "approval")
    asked = await here.ben.asks_for(rake, here.street.day(1))
    await here.ada.posts(BLOCKS, {"person": here.ben.who.id}, expect=201)
    ended = await here.ben.gets(f"/loans/{asked}")
    assert (ended["state"], ended["reason"]) == ("declined", "The tool is paused.")
    day = f"{here.street.day(3)}"
    refused = await here.ben.posts(f"/tools/{rake}/loans", {"start": day, "end": day}, expect=409)
    assert refused["detail"] == "This tool is not lent at the moment."
    said = f"/loans/{loan}/messages"
    his = await here.ben.posts(said, {"body": "Hello?"}, expect=403)
    hers = await here.ada.posts(said, {"body": "Hello?"}, expect=403)
    assert (his["type"], hers["type"]) == ("/problems/refused", "/problems/blocked")
    assert hers["detail"] == "You blocked Ben."
    assert (await here.ben.gets(said))["items"], "what was said is still to be read"
    assert (await here.ada.acts(loan, "handover"))["state"] == "out"
    assert (await here.ben.acts(loan, "return-claim"))["state"] == "return_claimed"


async def test_a_message_that_had_arrived_before_is_not_refused_afterwards(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    new = {"body": "May I?", "client_id": f"{uuid.uuid4()}"}
    said = await here.ben.posts(f"/loans/{loan}/messages", new, expect=201)
    await here.ada.posts(BLOCKS, {"person": here.ben.who.id}, expect=201)
    assert await here.ben.posts(f"/loans/{loan}/messages", new, expect=201) == said


async def test_a_command_with_a_key_is_done_once(here: Programs) -> None:
    ben = {"person": here.ben.who.id}
    made = await here.ada.posts(BLOCKS, ben, expect=201, key="away")
    await here.ada.call("POST", f"{BLOCKS}/{here.ben.who.id}/end")
    assert await here.ada.posts(BLOCKS, ben, expect=201, key="away") == made
    assert (await here.ada.gets(BLOCKS))["items"] == []
    await here.ada.posts(BLOCKS, {"person": here.cy.who.id}, expect=422, key="away")


async def test_strangers_and_nobody_look_the_same(here: Programs, elsewhere: Programs) -> None:
    answers = []
    for person in (elsewhere.ben.who.id, 2**61):
        answer = await here.ada.posts(BLOCKS, {"person": person}, expect=404)
        answers.append(answer | {"request_id": ""})
    assert answers[0] == answers[1]
    ended = await here.ada.call("POST", f"{BLOCKS}/{elsewhere.ben.who.id}/end")
    assert ended.status_code == 204
    assert (await here.ada.call("POST", f"{BLOCKS}/0/end")).status_code == 404


async def test_what_cannot_be_taken_is_said(here: Programs) -> None:
    oneself = await here.ada.posts(BLOCKS, {"person": here.ada.who.id}, expect=422)
    assert oneself["errors"][0]["field"] == "person"
    for body in ({}, {"person": "ben"}, {"person": 0}, {"person": None}, {"people": 1}):
        await here.ada.posts(BLOCKS, body, expect=422)
    assert (await here.ada.call("GET", BLOCKS, params={"cursor": "x"})).status_code == 422


async def test_without_a_token_nothing_opens(here: Programs) -> None:
    async with httpx.AsyncClient(base_url=here.ada.who.at.url) as nobody:
        for method, path in (
            ("GET", BLOCKS),
            ("POST", BLOCKS),
            ("POST", f"{BLOCKS}/{here.ben.who.id}/end"),
        ):
            answer = await nobody.request(method, path, json={"person": here.ben.who.id})
            assert answer.status_code == 401, path
    cookie = await here.ada.who.client.get(BLOCKS)
    assert cookie.status_code == 401
