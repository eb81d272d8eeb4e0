"""A repeated command is one command: the same key, the same answer."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx

from tests.api.conftest import Programs


async def test_a_tool_is_listed_once(here: Programs) -> None:
    new = {"name": "Drill", "category": "drills"}
    first = await here.ada.call("POST", "/tools", json=new, headers={"Idempotency-Key": "one"})
    again = await here.ada.call("POST", "/tools", json=new, headers={"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["location"] == first.headers["location"]
    assert len((await here.ada.gets("/tools"))["items"]) == 1


async def test_the_same_key_with_another_body_is_422(here: Programs) -> None:
    drill, day = await here.ada.lists(), here.street.day
    path = f"/tools/{drill}/loans"
    body = {"start": f"{day(1)}", "end": f"{day(1)}"}
    await here.ben.posts(path, body, expect=201, key="k")
    reused = await here.ben.posts(path, body | {"end": f"{day(2)}"}, expect=422, key="k")
    assert reused["type"] == "/problems/idempotency-key-reused"
    await here.ben.posts(path, body | {"message": "Please"}, expect=422, key="k")
    assert len((await here.ben.gets("/loans"))["items"]) == 1


async def test_a_key_belongs_to_one_person_and_one_path(here: Programs) -> None:
    drill, saw = await here.ada.lists(), await here.ada.lists("Saw")
    body = {"start": f"{here.street.day(1)}", "end": f"{here.street.day(1)}"}
    made = {
        (await who.posts(f"/tools/{tool}/loans", body, expect=201, key="k"))["id"]
        for who in (here.ben, here.cy)
        for tool in (drill, saw)
    }
    assert len(made) == 4


async def test_twenty_at_once_are_one_request(here: Programs) -> None:
    drill = await here.ada.lists()
    body = {"start": f"{here.street.day(1)}", "end": f"{here.street.day(1)}", "message": "Please"}
    clients = [here.ben.client, *_at_the_other_worker(here)]

    async def ask(n: int) -> Any:
        return await clients[n % 2].post(
            f"{here.ben.base}/tools/{drill}/loans", json=body, headers={"Idempotency-Key": "k"}
        )

    answers = await asyncio.gather(*(ask(n) for n in range(20)))
    await clients[1].aclose()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    (loan,) = (await here.ben.gets("/loans"))["items"]
    said = (await here.ben.gets(f"/loans/{loan['id']}/messages"))["items"]
    assert [each["kind"] for each in said] == ["note", "text"]


def _at_the_other_worker(here: Programs) -> list[Any]:
    (other,) = (worker for worker in here.street.workers if worker != here.ben.who.at)
    return [httpx.AsyncClient(base_url=other.url, headers=here.ben.client.headers, timeout=30)]


async def test_an_approval_sent_twice_is_one(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    first = await here.ada.acts(loan, "approval", key="a")
    again = await here.ada.acts(loan, "approval", key="a")
    assert again == first
    assert (await here.ada.acts(loan, "approval", expect=409))["type"] == "/problems/state"
    assert (await here.ada.acts(loan, "approval", {}, key="a")) == first
    version = {"version": first["version"]}
    assert (await here.ada.acts(loan, "approval", version, key="a", expect=422))["detail"]


async def test_what_was_refused_may_be_tried_again_with_its_key(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    await here.ada.acts(loan, "approval")
    await here.ada.acts(loan, "cancellation", key="c", expect=422)
    reason = {"reason": "I need it."}
    assert (await here.ada.acts(loan, "cancellation", reason, key="c"))["state"] == "cancelled"


async def test_a_tool_is_paused_once(here: Programs) -> None:
    drill = await here.ada.lists()
    path = f"/tools/{drill}/pause"
    for _ in range(2):
        assert (await here.ada.posts(path, key="p"))["status"] == "paused"
    changes = {"brand": "Makita"}
    for _ in range(2):
        headers = {"Idempotency-Key": "e"}
        edited = await here.ada.call("PATCH", f"/tools/{drill}", json=changes, headers=headers)
        assert edited.json()["brand"] == "Makita"


async def test_a_message_is_said_once(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    path, new = f"/loans/{loan}/messages", {"body": "Hello", "client_id": f"{uuid.uuid4()}"}
    first = await here.ben.posts(path, new, expect=201)
    again = await here.ben.posts(path, new, expect=201)
    assert again == first
    keyed = [await here.ben.posts(path, {"body": "There"}, expect=201, key="m") for _ in range(2)]
    assert keyed[0] == keyed[1]
    said = (await here.ada.gets(path))["items"]
    assert [each["body"] for each in said if each["kind"] == "text"] == ["Hello", "There"]


async def test_keys_are_short_and_plain(here: Programs) -> None:
    new = {"name": "Drill", "category": "drills"}
    await here.ada.posts("/tools", new, expect=422, key="k" * 201)
    headers = {"Idempotency-Key": "schlüssel".encode("latin-1")}
    assert (await here.ada.call("POST", "/tools", json=new, headers=headers)).status_code == 422
