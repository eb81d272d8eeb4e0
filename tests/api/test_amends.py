"""Putting right what went wrong, by programs: a dispute from its opening to its end."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image

from tests.api.conftest import Json, Programs


def photo() -> str:
    kept = BytesIO()
    Image.new("RGB", (60, 40), "brown").save(kept, "JPEG")
    return base64.b64encode(kept.getvalue()).decode()


async def lent(here: Programs) -> int:
    drill = await here.ada.lists()
    loan = await here.ben.asks_for(drill, here.street.today)
    await here.ada.acts(loan, "approval")
    await here.ada.acts(loan, "handover")
    return loan


async def test_a_step_is_taken_back_and_the_other_sees_the_new_state(here: Programs) -> None:
    loan = await lent(here)
    told = await here.ben.posts(f"/loans/{loan}/undo", expect=409)
    assert told["detail"] == "The tool is already out."
    assert (await here.ada.acts(loan, "undo"))["state"] == "approved"
    assert (await here.ben.gets(f"/loans/{loan}"))["state"] == "approved"


async def test_a_dispute_is_opened_proposed_on_accepted_and_paid(here: Programs) -> None:
    loan = await lent(here)
    body = {"kind": "damage", "words": "Bent.", "dispute": True, "photo": photo()}
    case = await here.ada.acts(loan, "incidents", body)
    assert case["state"] == "disputed"
    (incident,) = case["incidents"]
    path = f"incidents/{incident['id']}"
    (kept,) = incident["evidence"]
    assert (await here.ben.who.client.get(kept["photo"])).status_code == 200
    for other in (here.cy, here.cora):
        assert (await other.who.client.get(kept["photo"])).status_code == 404
        assert (await other.call("GET", f"/loans/{loan}/incidents")).status_code == 404
    offer = {"words": "A new chuck.", "cents": 1500}
    case = await here.ben.acts(loan, f"{path}/proposal", offer)
    version = case["incidents"][0]["version"]
    await here.ada.posts(f"/loans/{loan}/{path}/settlement", {"version": version - 1}, expect=409)
    case = await here.ada.acts(loan, f"{path}/settlement", {"version": version})
    assert case["state"] == "closed"
    (owed,) = case["amounts"]
    assert (owed["cents"], owed["payer"], owed["paid_at"]) == (1500, "borrower", None)
    await here.ben.posts(f"/loans/{loan}/amounts/{owed['id']}/paid", expect=409)
    case = await here.ada.acts(loan, f"amounts/{owed['id']}/paid")
    assert case["amounts"][0]["paid_at"]


async def test_a_mediator_is_asked_reads_and_decides(here: Programs) -> None:
    loan = await lent(here)
    case = await here.ben.acts(loan, "incidents", {"kind": "loss", "words": "It is gone."})
    assert case["choice"] == [{"id": here.cora.who.id, "name": here.cora.who.name}]
    assert [each["id"] for each in (await here.cora.gets("/help"))["items"]] == [loan]
    await here.ben.acts(loan, "mediator", {"mediator": here.cora.who.id})
    (incident,) = (await here.cora.gets(f"/loans/{loan}/incidents"))["incidents"]
    await here.cora.posts(f"/loans/{loan}/messages", {"body": "Hello."}, expect=201)
    result = {"words": "Ben buys another.", "cents": 4000}
    case = await here.cora.acts(loan, f"incidents/{incident['id']}/result", result)
    assert (case["state"], case["incidents"][0]["settled_by"]["name"]) == (
        "closed",
        here.cora.who.name,
    )
    assert (await here.cora.gets("/help"))["items"] == []


async def test_a_coordinator_corrects_and_a_member_does_not(here: Programs) -> None:
    loan = await lent(here)
    truth: Json = {"state": "returned", "reason": "Both forgot.", "back_at": None}
    told = await here.cora.posts(f"/loans/{loan}/correction", truth, expect=422)
    assert told["errors"][0]["field"].endswith("back_at")
    out_at = (await here.ada.gets(f"/loans/{loan}"))["out_at"]
    truth["back_at"] = out_at
    assert (await here.ada.call("POST", f"/loans/{loan}/correction", json=truth)).status_code == 403
    assert (await here.cora.acts(loan, "correction", truth))["state"] == "returned"
    assert (await here.ben.gets(f"/loans/{loan}"))["state"] == "returned"


async def test_the_same_key_opens_one_incident(here: Programs) -> None:
    loan = await lent(here)
    body = {"kind": "damage", "words": "Bent."}
    for _ in range(2):
        case = await here.ada.acts(loan, "incidents", body, key="bent")
    assert len(case["incidents"]) == 1


async def test_what_is_not_safe_cannot_be_asked_for(here: Programs) -> None:
    loan = await lent(here)
    drill = (await here.ada.gets(f"/loans/{loan}"))["tool"]["id"]
    await here.ben.acts(loan, "unsafe", {"reason": "The cable is bare."})
    assert (await here.cy.gets(f"/tools/{drill}"))["status"] == "maintenance"
    assert (await here.ada.posts(f"/tools/{drill}/pause/end"))["status"] == "listed"
