"""A table goes out and comes in through the pages, and nobody else sees anything of it."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import httpx

from app import topic
from app.inventory import cells
from tests.inventory.tables import csv, zipped
from tests.neighbours import Neighbour, Street, said
from tests.tools import pictures


async def sends(who: Neighbour, table: bytes, photos: BytesIO | None = None) -> httpx.Response:
    files = {"table": ("my tools.csv", table, "text/csv")}
    if photos is not None:
        files["photos_zip"] = ("photos.zip", photos.getvalue(), "application/zip")
    return await who.client.post(f"{who.home}/inventory/imports", files=files)


async def test_a_table_comes_in_live_and_goes_out_again(street: Street) -> None:
    ada = street.ada
    header = ("key", "name", "category", "photos")
    rows = [(f"k{n}", f"Chair {n}", "party", "chair.jpg" if n < 3 else "") for n in range(30)]
    table = csv(*rows, ("x", "", "party", ""), header=header)
    answer = await sends(ada, table, zipped({"in/chair.jpg": pictures.plain()}))
    assert answer.status_code == 303, said(answer.text)
    there = answer.headers["location"]
    page = await ada.opens(there)
    assert "Import 30 tools" in page
    assert "The tool needs a name." in page
    assert "Chair 7" not in await street.ben.opens(street.ben.home)
    name = topic.imported(street.here.id, int(there.rsplit("/", 1)[1]))
    async with ada.watches(name) as screen:
        await ada.does(f"{there}/start")
        await ada.does(f"{there}/start")  # a second tap is the first
        await screen.shows(name, "30 tools came new")
    assert "Chair 7" in await street.ben.opens(street.ben.home)
    assert (await ada.client.get(f"{there}/rows.csv")).content.count(b"\r\n") == 32
    export = await ada.client.get(f"{ada.home}/inventory/tools.csv?separator=semicolon")
    assert export.headers["cache-control"] == "private, no-store"
    assert len(cells.read(export.content, ("key", "name")).rows) == 30
    packed = await ada.client.get(f"{ada.home}/inventory/photos.zip")
    assert len(zipfile.ZipFile(BytesIO(packed.content)).namelist()) == 3
    for other in (street.ben, street.cora):
        for path in ("", "/rows.csv"):
            assert (await other.client.get(f"{there}{path}")).status_code == 404
        assert (await other.posts(f"{there}/start")).status_code == 404
        assert "Chair" not in (await other.client.get(f"{other.home}/inventory/tools.csv")).text


async def test_photos_come_in_after_a_change_that_was_met_on_the_way(street: Street) -> None:
    """The second yes finds the photos of the first one, and how far it is is told all the same."""
    ada = street.ada
    header = ("key", "name", "category", "price", "photos")
    drill = await ada.lists("Drill")
    export = await ada.client.get(f"{ada.home}/inventory/tools.csv")
    (row,) = cells.read(export.content, ("key", "name")).rows
    rows = ((row.cells[0], "Drill", "drills", "2", ""), ("c", "Chair", "party", "0", "chair.jpg"))
    answer = await sends(ada, csv(*rows, header=header), zipped({"chair.jpg": pictures.plain()}))
    there = answer.headers["location"]
    await ada.does(f"{ada.home}/tools/{drill}/edit", name="Drill", category="drills", price="2")
    name = topic.imported(street.here.id, int(there.rsplit("/", 1)[1]))
    async with ada.watches(name) as screen:
        await ada.does(f"{there}/start")
        await screen.shows(name, "Something has changed since you looked")
        await ada.does(f"{there}/start")
        await screen.shows(name, "1 tool came new, 0 changed, 1 were the same already")
    assert "Chair" in await street.ben.opens(street.ben.home)


async def test_what_is_no_table_is_refused_on_the_form(street: Street) -> None:
    for table, sentence in (
        (b"", "empty"),
        (b"name\nDr\xe4ll", "not UTF-8"),
        (b"x" * (cells.BYTES + 1), "larger than 10 MB"),
    ):
        answer = await sends(street.ada, table)
        assert (answer.status_code, sentence in answer.text) == (422, True), sentence
    answer = await sends(street.ada, csv(("1", "Drill", "drills", "")), BytesIO(b"no zip"))
    assert (answer.status_code, "That is not a zip." in answer.text) == (422, True)
    assert (await street.ada.posts(f"{street.ada.home}/inventory/imports")).status_code == 422


async def test_who_cannot_list_brings_nothing(street: Street) -> None:
    await street.cora.does(f"{street.cora.home}/members/{street.ben.id}/suspension")
    answer = await sends(street.ben, csv(("1", "Drill", "drills", "")))
    assert answer.status_code in (303, 403)
    assert not re.search(r"/imports/\d", answer.headers.get("location", ""))
