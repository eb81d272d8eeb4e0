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


async def test_a_program_asks_answers_changes_and_takes_back(here: Programs) -> None:
    drill = await here.ada.lists()
    about = {"body": "Is it loud?", "client_id": f"{uuid.uuid4()}"}
    asked = await here.ben.posts(f"/tools/{drill}/questions", about, expect=201)
    again = await here.ben.posts(f"/tools/{drill}/questions", about, expect=201)
    assert again == asked
    path = f"/rooms/{asked['room_id']}/messages"
    answer = {"body": "Not very", "quotes": asked["message_id"]}
    said = await here.ada.posts(path, answer, expect=201)
    assert said["quotes"] == asked["message_id"]
    (room,) = (await here.ada.gets("/rooms"))["items"]
    assert (room["id"], room["loan_id"], room["unread"]) == (asked["room_id"], None, 0)
    assert room["tool"] == {"id": drill, "name": "Cordless drill"}
    read = {"up_to": said["revision"]}
    assert (await here.ben.gets("/rooms"))["items"][0]["unread"] == 1
    assert (await here.ben.call("POST", f"/rooms/{room['id']}/seen", json=read)).status_code == 204
    assert (await here.ben.gets("/rooms"))["items"][0]["unread"] == 0
    changed = await here.ada.call("PATCH", f"{path}/{said['id']}", json={"body": "Not at all"})
    assert changed.json()["edited_at"]
    new = (await here.ben.gets(path, since=said["revision"]))["items"]
    assert [each["body"] for each in new] == ["Not at all"]
    found = (await here.ben.gets("/messages", q="AT ALL"))["items"]
    assert [(one["room_id"], one["message"]["id"]) for one in found] == [(room["id"], said["id"])]
    gone = (await here.ada.call("DELETE", f"{path}/{said['id']}")).json()
    assert (gone["body"], bool(gone["removed_at"])) == ("", True)
    refused = await here.ben.call("DELETE", f"{path}/{said['id']}")
    assert refused.status_code == 403
    loan = await here.ben.asks_for(drill, here.street.day(1))
    (room,) = (await here.ben.gets("/rooms"))["items"]
    assert (room["id"], room["loan_id"]) == (asked["room_id"], loan)
    for stranger in (here.cy, here.cora):
        assert (await stranger.gets("/rooms"))["items"] == []
        assert (await stranger.gets("/messages", q="loud"))["items"] == []
        assert (await stranger.call("GET", path)).status_code == 404
        answer = {"body": "Hi"}
        assert (await stranger.call("POST", path, json=answer)).status_code == 404
        assert (
            await stranger.call("PATCH", f"{path}/{said['id']}", json=answer)
        ).status_code == 404
        assert (await stranger.call("DELETE", f"{path}/{said['id']}")).status_code == 404
