"""Tables of tools and photos of tools by programs."""

from __future__ import annotations

import base64
import uuid

import httpx

from app import topic
from app.inventory import cells
from tests.api.conftest import Programs
from tests.tools import pictures

TABLE = "key;name;category;price\nd1;Drill;drills;2,50\nx;;drills;\n"


async def test_a_table_is_looked_at_and_then_imported_once(here: Programs) -> None:
    looked = await here.ada.posts("/inventory/imports", {"table": TABLE}, expect=201)
    assert [row["becomes"] for row in looked["rows"]] == ["new", "refused"]
    assert looked["rows"][1]["why"][0]["column"] == "name"
    assert (await here.ada.gets("/tools"))["items"] == []
    name = topic.imported(here.street.here.id, looked["id"])
    async with here.ada.who.watches(name) as screen:
        await here.ada.posts(f"/inventory/imports/{looked['id']}/start", {}, expect=200)
        await screen.shows(name, "It is all here")
    assert (await here.ada.gets(f"/inventory/imports/{looked['id']}"))["state"] == "done"
    (drill,) = (await here.ada.gets("/tools"))["items"]
    assert (drill["name"], drill["price_cents"]) == ("Drill", 250)
    again = await here.ada.posts("/inventory/imports", {"table": TABLE}, expect=201)
    assert [row["becomes"] for row in again["rows"]] == ["same", "refused"]
    await here.ada.posts(f"/inventory/imports/{again['id']}/start", {}, expect=409)
    export = await here.ada.call("GET", "/inventory/tools.csv")
    assert "d1,Drill,drills" in export.text
    assert (await here.ben.call("GET", f"/inventory/imports/{looked['id']}")).status_code == 404


async def test_a_table_that_is_none_is_refused(here: Programs) -> None:
    for table in ("", "name\nDrill", 'name,category\n"Drill'):
        answer = await here.ada.call("POST", "/inventory/imports", json={"table": table})
        assert answer.status_code == 422, table


async def test_a_table_beyond_all_measure_is_not_read_to_its_end(here: Programs) -> None:
    """The connection is closed; whether the client still reads the answer depends on the client."""
    heavy = b'{"table": "' + b"x" * (4 * cells.BYTES) + b'"}'
    path = f"{here.ada.base}/inventory/imports"
    try:
        answer = await here.ada.client.post(
            path, content=heavy, headers={"Content-Type": "application/json"}
        )
        code = answer.status_code
    except httpx.TransportError:
        code = 413
    assert code == 413


async def test_photos_are_listed_added_ordered_and_removed(here: Programs) -> None:
    tool = await here.ada.lists()
    path, client = f"/tools/{tool}/photos", str(uuid.uuid4())
    ids = []
    for n in range(3):
        photo = base64.b64encode(pictures.plain(20 + n)).decode()
        new = {"photo": photo, "alt": f"Side {n}", "client_id": client if n == 2 else None}
        ids.append((await here.ada.posts(path, new, expect=201))["id"])
        assert (await here.ada.posts(path, new, expect=201))["client_id"] == new["client_id"]
        if n < 2:  # without a client id it is another one
            second = (await here.ada.gets(path))["items"][-1]["id"]
            await here.ada.posts(f"{path}/{second}/removal", {}, expect=200)
    ordered = await here.ada.posts(f"{path}/order", {"ids": ids[::-1]}, expect=200)
    assert [one["alt"] for one in ordered["items"]] == ["Side 2", "Side 1", "Side 0"]
    await here.ada.posts(f"{path}/order", {"ids": ids[:2]}, expect=409)
    changed = await here.ada.call("PATCH", f"{path}/{ids[0]}", json={"alt": "The case"})
    assert changed.json()["alt"] == "The case"
    left = await here.ada.posts(f"{path}/{ids[2]}/removal", {}, expect=200)
    assert [one["id"] for one in left["items"]] == [ids[1], ids[0]]
    seen = (await here.ben.gets(path))["items"]
    assert [one["id"] for one in seen] == [ids[1], ids[0]]
    picture = await here.ben.call("GET", f"/photos/{seen[0]['name']}")
    assert picture.headers["content-type"] == "image/jpeg"
    assert (await here.ben.call("POST", f"{path}/{ids[0]}/removal", json={})).status_code == 403
