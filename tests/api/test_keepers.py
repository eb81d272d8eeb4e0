"""Keepers of a community's tool through the API."""

from __future__ import annotations

from tests.api.conftest import Programs


async def test_keepers_are_named_listed_and_let_go(here: Programs) -> None:
    ladder = {"name": "Long ladder", "category": "ladders", "of_all": True}
    assert (await here.ada.call("POST", "/tools", json=ladder)).status_code == 403
    made = (await here.cora.call("POST", "/tools", json=ladder)).json()
    assert made["owner"] is None
    assert made["keepers"] == [here.cora.who.id]
    path = f"/tools/{made['id']}/keepers"
    refused = await here.ada.call("PUT", f"{path}/{here.ada.who.id}")
    assert refused.status_code == 403
    assert "coordinator" in refused.json()["detail"]
    for _ in range(2):
        named = await here.cora.call("PUT", f"{path}/{here.ada.who.id}")
        assert [one["name"] for one in named.json()["items"]] == ["Cora Lindqvist", "Ada Moreno"]
    loan = await here.ben.asks_for(made["id"], here.street.day(1))
    seen = await here.ada.gets(f"/loans/{loan}")
    assert (seen["lender"]["id"], seen["keepers"]) == (here.cora.who.id, [here.ada.who.id])
    assert [one["id"] for one in (await here.ada.gets("/loans"))["items"]] == [loan]
    answer = await here.ada.call("POST", f"/loans/{loan}/approval")
    assert answer.json()["state"] == "approved"
    assert (await here.cora.call("DELETE", f"{path}/{here.cora.who.id}")).status_code == 204
    assert (await here.cora.call("DELETE", f"{path}/{here.ada.who.id}")).status_code == 409
    assert (await here.ada.gets(f"/loans/{loan}"))["lender"]["id"] == here.ada.who.id
    assert (await here.ben.gets(path))["items"] == [
        {"id": here.ada.who.id, "name": here.ada.who.name}
    ]
