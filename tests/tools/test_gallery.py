"""Several photos of a tool: in order, described, each sent once, for who may see the tool."""

from __future__ import annotations

import asyncio
import re
import uuid

import httpx
import pytest

from app.tools import album
from tests.neighbours import Neighbour, Street, browser, said
from tests.tools import pictures

JSON = {"Accept": "application/json"}


async def hangs(who: Neighbour, tool: int, *shots: bytes, **form: str) -> httpx.Response:
    """As the page's script does it: an answer in JSON."""
    files = [("photo", (f"{n}.jpg", shot, "image/jpeg")) for n, shot in enumerate(shots)]
    path = f"{who.home}/tools/{tool}/photos"
    return await who.client.post(path, data=form, files=files, headers=JSON)


async def shown(who: Neighbour, tool: int) -> list[str]:
    """The photos of its page, the cover first."""
    page = await who.opens(f"{who.home}/tools/{tool}")
    return re.findall(r'class="shot" href="[^"]*/photos/([0-9a-f]+)-1200\.jpg"', page)


async def album_of(who: Neighbour, tool: int) -> list[int]:
    page = await who.opens(f"{who.home}/tools/{tool}/photos")
    return [int(one) for one in re.findall(r'data-photo="(\d+)"', page)]


async def test_photos_are_added_ordered_described_and_taken_away(street: Street) -> None:
    ada, ben = street.ada, street.ben
    tool = await ada.lists("Cordless drill")
    path = f"{ada.home}/tools/{tool}/photos"
    answer = await ada.client.post(
        path, files=[("photo", (f"{n}.jpg", pictures.plain(30 + n))) for n in range(3)]
    )
    assert (answer.status_code, answer.headers["location"]) == (303, path), "without a script"
    first, second, third = await album_of(ada, tool)
    names = await shown(ben, tool)
    assert len(names) == 3
    await ada.does(f"{path}/{third}/place", by=-1)
    await ada.does(f"{path}/{first}/place", by=1)
    assert await album_of(ada, tool) == [third, first, second]
    answer = await ada.client.post(
        f"{path}/order", data={"ids": f"{second},{third},{first}"}, headers=JSON
    )
    assert answer.status_code == 204
    assert await shown(ben, tool) == [names[1], names[2], names[0]]
    assert f"{names[1]}-480.webp" in await ben.opens(ben.home), "the first is the cover"
    await ada.does(f"{path}/{second}/words", alt='The "case"')
    assert 'alt="The &#34;case&#34;"' in await ben.opens(f"{ben.home}/tools/{tool}")
    await ada.does(f"{path}/{second}/removal")
    assert await shown(ben, tool) == [names[2], names[0]]
    gone = f"{ben.home}/photos/{names[1]}-480.webp"
    assert (await ben.client.get(gone)).status_code == 404
    stale = await ada.client.post(f"{path}/order", data={"ids": f"{second},{third}"}, headers=JSON)
    assert stale.status_code == 409
    assert (await ada.posts(f"{path}/{third}/words", alt="x" * 201)).status_code == 422


async def test_a_photo_sent_twice_is_one_photo_and_the_ninth_is_refused(street: Street) -> None:
    ada, before = street.ada, await pictures.kept()
    tool = await ada.lists("Cordless drill")
    client = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(hangs(ada, tool, pictures.plain(), client_id=client) for _ in range(3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await pictures.kept() - before) == 4
    for n in range(album.PHOTOS_MOST - 1):
        assert (await hangs(ada, tool, pictures.plain(20 + n))).status_code == 201
    ninth = await hangs(ada, tool, pictures.plain())
    assert (ninth.status_code, "at most 8 photos" in ninth.text) == (409, True)
    assert len(await pictures.kept() - before) == 4 * album.PHOTOS_MOST
    assert "at most 8 photos" in await ada.opens(f"{ada.home}/tools/{tool}/photos")


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + b"\0" * 200,
        pictures.plain(9, 9, "GIF"),
        pictures.bomb(20_000, 15_000),
    ],
    ids=["svg", "zip", "gif", "300 megapixels"],
)
async def test_what_is_no_photo_hangs_nowhere(street: Street, content: bytes) -> None:
    before = await pictures.kept()
    tool = await street.ada.lists("Cordless drill")
    answer = await hangs(street.ada, tool, content)
    assert answer.status_code == 422
    assert answer.json()["way_out"]
    assert await pictures.kept() == before
    assert await shown(street.ada, tool) == []


async def test_a_photo_with_something_behind_it_loses_that(street: Street) -> None:
    tool = await street.ada.lists("Cordless drill")
    answer = await hangs(street.ada, tool, pictures.from_a_phone() + b"PK\x03\x04<script>")
    name = answer.json()["name"]
    for ending in ("1200.jpg", "480.webp"):
        content = (await street.ben.client.get(f"{street.ben.home}/photos/{name}-{ending}")).content
        assert not any(part in content for part in (b"PK\x03\x04", b"<script>", b"Elm", b"GPS"))


async def test_photos_follow_who_may_see_the_tool_and_only_its_lender_changes_them(
    street: Street,
) -> None:
    ada = street.ada
    tool = await ada.lists("Cordless drill")
    for _ in range(2):
        await hangs(ada, tool, pictures.plain())
    (photo, _), names = await album_of(ada, tool), await shown(ada, tool)
    for other in (street.ben, street.cora):
        path = f"{other.home}/tools/{tool}/photos"
        assert (await other.client.get(path)).status_code == 403
        assert (await hangs(other, tool, pictures.plain())).status_code == 403
        for noun in ("place", "words", "removal"):
            assert (await other.posts(f"{path}/{photo}/{noun}")).status_code == 403
    async with browser(street.workers[0]) as nobody:
        for name in names:
            answer = await nobody.get(f"{ada.home}/photos/{name}-480.webp")
            assert answer.headers["location"].startswith("/sign-in")
    await pictures.kept()  # the small copies are made
    for name in names:
        answer = await street.ben.client.get(f"{ada.home}/photos/{name}-480.webp")
        assert "immutable" in answer.headers["cache-control"]
    await ada.does(f"{ada.home}/tools/{tool}/archive")
    for name in names:
        path = f"{ada.home}/photos/{name}-480.webp"
        assert (await street.ben.client.get(path)).status_code == 404
    assert said(await ada.opens(f"{ada.home}/tools/{tool}")) == ""
