"""Photos in the talk: for those whose room it is, until they are taken back, or reported."""

from __future__ import annotations

import re
import uuid

import httpx

from app.settings import settings
from tests.neighbours import Neighbour, Street
from tests.tools.pictures import from_a_phone, kept, plain


async def shows(
    who: Neighbour, room: str, content: bytes, name: str = "", body: str = ""
) -> httpx.Response:
    return await who.client.post(
        f"{room}/photos",
        data={"client_id": name or str(uuid.uuid4()), "body": body},
        files={"photo": ("photo.jpg", content, "image/jpeg")},
    )


async def on_disk() -> set[str]:
    return {file.name for file in await kept()}


async def test_a_photo_is_sent_seen_reported_and_taken_back(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    there = await street.ben.does(f"{street.ben.home}/tools/{drill}/questions", about="This one?")
    before, name = await on_disk(), str(uuid.uuid4())
    for _ in range(2):  # sent again, it is the same message, and nothing is left on the disk
        answer = await shows(street.ben, there, from_a_phone(), name, body="Look")
        assert answer.status_code == 303, answer.text
    new = await on_disk() - before
    assert len(new) == 4
    assert b"Elm" not in b"".join((settings.data_dir / "photos" / one).read_bytes() for one in new)
    page = await street.ada.opens(there)
    assert page.count('class="shot"') == 1
    (photo,) = re.findall(r'class="shot" href="([^"]+)"', page)
    (number,) = re.findall(r'/messages/(\d+)"[^>]*>(?:(?!</li>).)*</li>\s*</ol>', page, re.S)
    for who in (street.ada, street.ben):
        assert (await who.client.get(photo)).headers["content-type"] == "image/jpeg"
    for stranger in (street.cy, street.cora):
        assert (await stranger.client.get(photo)).status_code == 404
        assert (await shows(stranger, there, plain())).status_code == 404

    await street.ada.does(f"{there}/messages/{number}/report", reason="That is not his.")
    await street.ben.does(f"{there}/messages/{number}/removal")
    assert (await street.ada.client.get(photo)).status_code == 404
    reports = await street.cora.opens(f"{street.cora.home}/reports")
    assert "That is not his." in reports
    (copy,) = re.findall(r'<img src="([^"]*/reports/[^"]+)"', reports)
    assert (await street.cora.client.get(copy)).status_code == 200
    assert (await street.ben.client.get(copy)).status_code == 404

    await shows(street.ben, there, plain())
    page = await street.ada.opens(there)
    (number,) = re.findall(r'/messages/(\d+)"[^>]*>(?:(?!</li>).)*</li>\s*</ol>', page, re.S)
    assert len(await on_disk() - before) == 8
    await street.ben.does(f"{there}/messages/{number}/removal")
    assert await on_disk() - before == new, "what nobody has reported is gone from the disk"


async def test_what_is_no_photo_is_refused(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    there = await street.ben.does(f"{street.ben.home}/tools/{drill}/questions", about="This one?")
    before = await on_disk()
    for content in (b"", b"<svg onload=alert(1)>", b"GIF89a", plain()[:200]):
        assert (await shows(street.ben, there, content)).status_code == 422
    await street.ada.does(f"{street.ada.home}/people/{street.ben.id}/block")
    assert (await shows(street.ben, there, plain())).status_code == 403
    assert await on_disk() == before
