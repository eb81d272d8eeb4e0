"""Photos that are sent while the form of a new tool is filled in, and those in the form itself."""

from __future__ import annotations

import asyncio
import re
import uuid
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from app import clock, db
from app.tools import album, beforehand, photos
from app.tools.photo import Photo
from tests.neighbours import Neighbour, Street, said
from tests.tools import pictures
from tests.tools.test_gallery import JSON, shown

FORM = {"name": "Cordless drill", "category": "drills"}


async def lays_by(who: Neighbour, client_id: object, shot: bytes | None = None) -> httpx.Response:
    files = {"photo": ("photo.jpg", shot or pictures.plain(), "image/jpeg")}
    data = {"client_id": str(client_id)}
    path = f"{who.home}/photos"
    return await who.client.post(path, data=data, files=files, headers=JSON)


async def name_of(client_id: object) -> str | None:
    async with db.snapshot() as tx:
        found: str | None = await tx.scalar(
            select(Photo.name).where(Photo.client_id == client_id).order_by(Photo.id.desc())
        )
        return found


async def test_they_hang_in_the_order_of_the_form_each_once(street: Street) -> None:
    ada, before = street.ada, await pictures.kept()
    ids = [uuid.uuid4() for _ in range(3)]
    answers = [await lays_by(ada, one, pictures.plain(30 + n)) for n, one in enumerate(ids)]
    answers += await asyncio.gather(*(lays_by(ada, ids[0], pictures.plain(30)) for _ in range(2)))
    assert {answer.status_code for answer in answers} == {201}
    names = {one: await name_of(one) for one in ids}
    for who in street.people:
        path = f"{ada.home}/photos/{names[ids[0]]}-480.webp"
        assert (await who.client.get(path)).status_code == 404, "nobody sees what hangs nowhere"
    waiting = ",".join(str(ids[n]) for n in (2, 0, 1))
    refused = await ada.posts(f"{ada.home}/tools", name=" ", category="drills", waiting=waiting)
    assert refused.status_code == 422
    assert f'name="waiting" value="{waiting}"' in refused.text
    key = {"idempotency_key": "one-tap"}
    tool = await ada.lists("Cordless drill", waiting=waiting, **key)
    assert await ada.lists("Cordless drill", waiting=waiting, **key) == tool
    assert await shown(street.ben, tool) == [names[ids[n]] for n in (2, 0, 1)]
    assert f"{names[ids[2]]}-480.webp" in await street.ben.opens(street.ben.home)
    assert len(await pictures.kept() - before) == 3 * 4, "and their job takes none away"
    again = await ada.posts(f"{ada.home}/tools", **FORM, waiting=str(ids[0]))
    assert "not here any more" in said(again.text), "it hangs on another tool"


async def test_without_a_script_they_come_in_the_form(street: Street) -> None:
    ada, before = street.ada, await pictures.kept()

    async def sends(count: int) -> httpx.Response:
        files = [("photo", (f"{n}.jpg", pictures.plain(30 + n))) for n in range(count)]
        return await ada.client.post(f"{ada.home}/tools", data=FORM, files=files)

    answer = await sends(3)
    assert answer.status_code == 303, said(answer.text)
    assert len(await shown(street.ben, int(answer.headers["location"].rsplit("/", 1)[1]))) == 3
    assert (await sends(album.PHOTOS_MOST + 1)).status_code in (400, 422)
    assert len(await pictures.kept() - before) == 3 * len(photos.COPIES)


@pytest.mark.parametrize(
    ("client_id", "shot", "sentence"),
    [
        ("", None, "no photo in it"),
        ("x", None, "form is broken"),
        (uuid.uuid4(), b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a photo we can read"),
    ],
)
async def test_what_cannot_wait_is_refused_with_a_sentence(
    street: Street, client_id: object, shot: bytes | None, sentence: str
) -> None:
    answer = await lays_by(street.ada, client_id, shot)
    assert (answer.status_code, sentence in answer.text) == (422, True)


async def test_what_waits_is_ones_own_counted_and_not_for_ever(street: Street) -> None:
    ada, ben, first = street.ada, street.ben, uuid.uuid4()
    assert (await lays_by(ada, first)).status_code == 201
    taken = await ben.posts(f"{ben.home}/tools", **FORM, waiting=str(first))
    assert "not here any more" in said(taken.text)
    nine = ",".join(str(uuid.uuid4()) for _ in range(9))
    assert "at most 8" in said((await ada.posts(f"{ada.home}/tools", **FORM, waiting=nine)).text)
    async with db.begin() as tx:
        for _ in range(beforehand.MOST - 1):
            one = photos.Stored(uuid.uuid4().hex, 1, 1)
            await beforehand.lay_by(tx, one, ada.viewer, uuid.uuid4(), clock.now())
    full = await lays_by(ada, uuid.uuid4())
    assert (full.status_code, "wait for a tool already" in full.text) == (409, True)
    await street.cora.does(f"{street.cora.home}/members/{ben.id}/suspension")
    assert (await lays_by(ben, uuid.uuid4())).status_code in (403, 404)
    name = await name_of(first)
    async with db.begin() as tx:
        await album.discard(tx, f"{street.here.id}/{name}", clock.now() + timedelta(days=2))
    file = pictures.folder() / photos.name_of(str(name), *photos.FULL)
    assert file.exists(), "files go once the row has gone"
    async with db.begin() as tx:
        await album.discard(tx, f"{street.here.id}/{name}", clock.now() + timedelta(days=2))
    assert not file.exists()


async def test_several_that_are_alike_are_listed_at_once_each_with_its_photos(
    street: Street,
) -> None:
    ada, before, one = street.ada, await pictures.kept(), uuid.uuid4()
    await lays_by(ada, one)
    form = FORM | {"waiting": str(one), "key_place": "", "key_code": ""}
    for wrong in ("0", "21", "many", "-1", "1e3", "9" * 40, "0" * 8 + "199999"):
        refused = await ada.posts(f"{ada.home}/tools", **form, how_many=wrong)
        assert f'value="{wrong}"' in refused.text, "what was typed is kept"
        assert (refused.status_code, "1 to 20" in said(refused.text)) == (422, True), wrong
    key = {"how_many": 3, "idempotency_key": "three"}
    there = [await ada.does(f"{ada.home}/tools", **form, **key) for _ in range(2)]
    assert there[0] == there[1]
    page = await street.ben.opens(there[0])
    found = re.findall(r'id="tool-(\d+)"', page)
    assert len(found) == 3
    names = [(await shown(street.ben, int(tool)))[0] for tool in found]
    assert len(set(names)) == 3, "taking one away takes none from the others"
    assert len(await pictures.kept() - before) == 3 * len(photos.COPIES)
    assert "3 of 3 free now" in await street.ben.opens(street.ben.home)
