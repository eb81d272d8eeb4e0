"""What borrower and lender say, as a program reads and writes it."""

from __future__ import annotations

import uuid

from tests.api.conftest import Programs


async def test_the_two_talk_and_the_room_notes_what_happens(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    path = f"/loans/{loan}/messages"
    name = uuid.uuid4()
    said = await here.ben.posts(path, {"body": " May I?\r\n", "client_id": f"{name}"}, expect=201)
    assert said["body"] == "May I?"
    assert said["client_id"] == f"{name}"
    assert said["author"] == {"id": here.ben.who.id, "name": "Ben Okafor"}
    await here.ada.acts(loan, "approval")
    await here.ada.posts(path, {"body": "Of course."}, expect=201)
    lines = (await here.ben.gets(path))["items"]
    assert [each["kind"] for each in lines] == ["note", "text", "note", "text"]
    assert lines[2]["body"] == "Ada Moreno approved the request."
    assert [each["revision"] for each in lines] == sorted(each["revision"] for each in lines)
    new = (await here.ben.gets(path, since=said["revision"]))["items"]
    assert new == lines[2:]
    assert (await here.ben.gets(path, since=lines[-1]["revision"])) == {"items": [], "next": None}


async def test_a_long_talk_comes_in_pages(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    path = f"/loans/{loan}/messages"
    for n in range(5):
        await here.ada.posts(path, {"body": f"{n}"}, expect=201)
    first = await here.ben.gets(path, limit=4)
    second = await here.ben.gets(path, limit=4, cursor=first["next"])
    bodies = [each["body"] for each in first["items"] + second["items"]]
    assert bodies[1:] == ["0", "1", "2", "3", "4"]
    assert second["next"] is None


async def test_nobody_else_reads_or_writes(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    path = f"/loans/{loan}/messages"
    for stranger in (here.cy, here.cora):
        assert (await stranger.call("GET", path)).status_code == 404
        assert (await stranger.call("POST", path, json={"body": "Hi"})).status_code == 404


async def test_an_empty_or_overlong_message_is_refused(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    for body in ("", " \n ", "\u0000", "x" * 4001, None, 5):
        await here.ben.posts(f"/loans/{loan}/messages", {"body": body}, expect=422)
    for client_id in ("", "not-a-uuid", 5):
        new = {"body": "Hi", "client_id": client_id}
        await here.ben.posts(f"/loans/{loan}/messages", new, expect=422)
