"""What reaches somebody where, as a program reads and chooses it."""

from __future__ import annotations

from app import clock, db
from app.notices import commands
from app.notices.models import Kind
from tests.api.conftest import Json, Programs

PATH = "/api/v1/notices/preferences"


async def test_what_is_left_out_stays_as_it_is(here: Programs) -> None:
    ada = here.ada
    before = await ada.gets(PATH)
    assert (before["quiet_from"], before["quiet_until"]) == ("22:00", "07:00")
    assert before["reached_by"] == []
    body = {"wishes": {"reminders": {"push": False, "mail": "daily"}}, "paused": True}
    chosen = (await ada.call("PATCH", PATH, json=body)).json()
    assert chosen["wishes"]["reminders"] == {"push": False, "mail": "daily"}
    assert chosen["wishes"]["messages"] == before["wishes"]["messages"]
    assert chosen["paused_until"]
    again = (await ada.call("PATCH", PATH, json={"quiet_from": "21:00", "paused": False})).json()
    assert again["quiet_from"] == "21:00"
    assert again["paused_until"] is None
    assert again["wishes"] == chosen["wishes"]
    assert await here.ben.gets(PATH) == before
    nonsense: list[Json] = [{"quiet_from": "25:00"}, {"zone": "Atlantis/Deep"}]
    for wrong in [*nonsense, {"wishes": {"x": {}}}]:
        assert (await ada.call("PATCH", PATH, json=wrong)).status_code == 422


async def test_a_room_is_muted_by_who_has_a_part_in_it(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    of_loan = {"community": here.street.here.slug, "loan": loan}
    about = {"body": "Is it loud?"}
    drill = await here.ada.lists()
    asked = await here.ben.posts(f"/tools/{drill}/questions", about, expect=201)
    of_question = {"community": here.street.here.slug, "room": asked["room_id"]}
    for noun in ("mutes", "mutes/end"):
        path = f"/api/v1/notices/{noun}"
        for body in (of_loan, of_question):
            assert (await here.ada.call("POST", path, json=body)).status_code == 204
            assert (await here.cy.call("POST", path, json=body)).status_code == 404
            nowhere = body | {"community": "nowhere"}
            assert (await here.ada.call("POST", path, json=nowhere)).status_code == 404
        for wrong in (of_loan | of_question, {"community": here.street.here.slug}):
            assert (await here.ada.call("POST", path, json=wrong)).status_code == 422


async def test_both_read_what_became_of_a_reminder(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    about, now = f"{here.street.here.scope}/loan/{loan}", clock.now()
    facts = {"tool": "Cordless drill", "other": "Ben Okafor"}
    async with db.begin() as tx:
        whom = [here.ada.who.id]
        here_id = here.street.here.id
        await commands.tell(tx, whom, Kind.ANSWER_SOON, here_id, about, facts, now, due_at=now)
    for who in (here.ada, here.ben):
        (told,) = (await who.gets(f"/loans/{loan}/reminders"))["items"]
        assert (told["whom"], told["state"]) == ("Ada Moreno", "told")
    await here.ada.call("POST", "/notices/seen", json={"up_to": 2**61})
    (told,) = (await here.ben.gets(f"/loans/{loan}/reminders"))["items"]
    assert told["state"] == "seen"


async def test_without_mail_nothing_is_asked_for(here: Programs) -> None:
    for path in ("/api/v1/email/confirmation", "/api/v1/passwords/forgotten"):
        body = {"email": here.ada.who.email} if path.endswith("forgotten") else None
        answer = await here.ada.call("POST", path, json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-mail")
