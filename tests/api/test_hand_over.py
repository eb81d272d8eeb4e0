"""Hand-overs as programs do them: codes, records, self-service, lending at the door."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from app import clock
from tests.api.conftest import Programs
from tests.tools import pictures

SHOT = base64.b64encode(pictures.plain()).decode()


async def promised(here: Programs, **tool: Any) -> tuple[int, int]:
    drill = await here.ada.lists(**tool)
    loan = await here.ben.asks_for(drill, here.street.today, here.street.day(1))
    await here.ada.acts(loan, "approval")
    return drill, loan


async def test_two_programs_hand_a_drill_over_and_back(here: Programs) -> None:
    _, loan = await promised(here)
    shown = await here.ada.posts(f"/loans/{loan}/code", key="show")
    assert await here.ada.posts(f"/loans/{loan}/code", key="show") == shown
    assert shown["link"].endswith(f"/loans/{loan}/scan#{shown['digits']}")
    wrong = f"{(int(shown['digits']) + 1) % 10_000:04}"
    path = f"/loans/{loan}/code/use"
    refused = await here.ben.call("POST", path, json={"digits": wrong})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/code")
    assert "4 tries" in refused.json()["way_out"]
    own = await here.ada.call("POST", path, json={"digits": shown["digits"]})
    assert own.status_code == 403
    out = await here.ben.posts(path, {"digits": shown["digits"]}, key="scan")
    assert out["state"] == "out"
    again = await here.ben.posts(path, {"digits": shown["digits"]}, key="scan")
    assert again["state"] == "out", "the same command twice is one"
    back = await here.ben.posts(f"/loans/{loan}/code")
    assert back["direction"] == "in"
    done = await here.ada.posts(path, {"digits": back["digits"], "version": out["version"]})
    assert done["state"] == "returned"


async def test_a_record_with_a_photo_is_read_by_the_two_alone(here: Programs) -> None:
    _, loan = await promised(here, parts=["Charger", "Bits"])
    await here.ada.acts(loan, "handover")
    noted = {"there": ["Bits"], "condition": "worn", "words": "A scratch.", "photos": [SHOT]}
    side = await here.ada.posts(f"/loans/{loan}/handovers/out", noted, key="note")
    assert await here.ada.posts(f"/loans/{loan}/handovers/out", noted, key="note") == side
    assert side["parts"] == [{"name": "Charger", "there": False}, {"name": "Bits", "there": True}]
    assert (side["condition"], side["happened_at"]) == ("worn", side["pressed_at"])
    (photo,) = side["photos"]
    assert (await here.ben.gets(f"/loans/{loan}/handovers"))["items"] == [side]
    shown = await here.ben.call("GET", photo)
    assert shown.headers["content-type"] == "image/jpeg"
    for other in (here.cy, here.cora):
        assert (await other.call("GET", photo)).status_code == 404
        assert (await other.call("GET", f"/loans/{loan}/handovers")).status_code == 404
    broken = await here.ada.call(
        "POST", f"/loans/{loan}/handovers/out", json={"photos": ["bm8gcGljdHVyZQ=="]}
    )
    assert (broken.status_code, broken.json()["type"]) == (422, "/problems/photo")


async def test_a_key_box_opens_for_its_borrower_alone(here: Programs) -> None:
    drill = await here.ada.lists(self_service=True)
    box = {"place": "By the gate", "code": "4711"}
    assert await here.ada.posts(f"/tools/{drill}/key-box", box) == box
    assert await here.ada.gets(f"/tools/{drill}/key-box") == box
    now = clock.now()
    period = {"start": (now + timedelta(hours=2)), "end": (now + timedelta(hours=4))}
    body = {name: at.isoformat() for name, at in period.items()}
    later = (await here.cy.posts(f"/tools/{drill}/loans", body, expect=201))["id"]
    soon = {"start": now.isoformat(), "end": (now + timedelta(hours=1)).isoformat()}
    loan = (await here.ben.posts(f"/tools/{drill}/loans", soon, expect=201))["id"]
    for each in (later, loan):
        await here.ada.acts(each, "approval")
    assert await here.ben.gets(f"/loans/{loan}/key-box") == box
    for program, path in (
        *((one, f"/loans/{loan}/key-box") for one in (here.ada, here.cy, here.cora)),
        (here.cy, f"/loans/{later}/key-box"),
        *((one, f"/tools/{drill}/key-box") for one in (here.ben, here.cora)),
    ):
        assert (await program.call("GET", path)).status_code == 404
    for program in (here.ben, here.cora):
        answer = await program.call("POST", f"/tools/{drill}/key-box", json=box)
        assert answer.status_code == 403
    taken = await here.ben.posts(f"/loans/{loan}/taking", {"photo": SHOT})
    assert taken["state"] == "out"
    back = await here.ben.posts(f"/loans/{loan}/bringing", {"photo": SHOT})
    assert back["state"] == "returned"
    assert (await here.ben.call("GET", f"/loans/{loan}/key-box")).status_code == 404


async def test_lent_at_the_door_or_refused_with_what_is_free(here: Programs) -> None:
    drill = await here.ada.lists()
    loan = await here.ada.posts(
        f"/tools/{drill}/lending", {"borrower_id": here.ben.who.id}, expect=201, key="door"
    )
    assert (loan["state"], loan["borrower"]["name"]) == ("out", "Ben Okafor")
    assert (await here.ben.gets(f"/loans/{loan['id']}"))["state"] == "out"
    await here.ada.acts(loan["id"], "return")
    booked = await here.cy.asks_for(drill, here.street.day(1))
    await here.ada.acts(booked, "approval")
    end = clock.day_start(here.street.day(2), here.street.here.zone).isoformat()
    refused = await here.ada.call(
        "POST", f"/tools/{drill}/lending", json={"name": "Grete", "end": end}
    )
    assert refused.status_code == 409
    assert refused.json()["free"]
    grete = await here.ada.posts(f"/tools/{drill}/lending", {"name": "Grete"}, expect=201)
    assert grete["borrower"] == {"id": None, "name": "Grete"}
    assert (await here.ben.call("POST", f"/tools/{drill}/lending", json={})).status_code == 403
