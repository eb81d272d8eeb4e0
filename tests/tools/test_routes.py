"""Listing and editing a tool through the pages, with its photo, over two workers."""

from __future__ import annotations

import re

import httpx
import pytest

from app.settings import settings
from app.tools import developing
from tests.neighbours import Neighbour, Street, browser, found_street, said
from tests.tools import pictures
from tests.workers import Worker

FORM = {"name": "Cordless drill", "category": "drills"}


async def sends(
    who: Neighbour, path: str, photo: bytes, file: str = "drill.jpg", **form: str
) -> httpx.Response:
    """The form with a file in it."""
    return await who.client.post(
        f"{who.home}{path}", data=FORM | form, files={"photo": (file, photo, "image/jpeg")}
    )


async def lists_with_photo(who: Neighbour, **form: str) -> tuple[int, str]:
    """The tool's id, and the address of its photo."""
    answer = await sends(who, "/tools", pictures.from_a_phone(), **form)
    assert answer.status_code == 303, said(answer.text)
    tool_id = int(answer.headers["location"].rsplit("/", 1)[1])
    return tool_id, await photo_of(who, tool_id)


async def photo_of(who: Neighbour, tool_id: int) -> str:
    page = await who.opens(f"{who.home}/tools/{tool_id}")
    found = re.search(rf"{who.home}/photos/[0-9a-f]+-1200\.webp", page)
    assert found, "the page shows no photo"
    return found[0]


async def status(who: Neighbour, path: str) -> int:
    return (await who.client.get(path)).status_code


async def test_ben_sees_the_photo_that_ada_hung_up(street: Street) -> None:
    _, url = await lists_with_photo(street.ada)
    await pictures.kept()  # the small copies are made
    for width in developing.WIDTHS:
        for ending, kind in developing.TYPES.items():
            answer = await street.ben.client.get(url.replace("1200.webp", f"{width}.{ending}"))
            assert answer.status_code == 200
            assert answer.headers["content-type"] == kind
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "private" in answer.headers["cache-control"]
            assert b"Elm" not in answer.content
    assert url.replace("1200", "480") in await street.ben.opens(street.ben.home)


@pytest.mark.parametrize(
    "ending",
    [
        "481.webp",
        "0.webp",
        "-1200.webp",
        "1200.png",
        "1200.gif",
        "1200.webp.exe",
        "1200.WEBP",
        "1200",
        "1200.",
        "1e3.webp",
        "99999999999999999999999.webp",
        "1200.webp%00",
        "1200.%2e%2e",
    ],
)
async def test_a_width_or_ending_that_is_not_kept_is_not_there(street: Street, ending: str) -> None:
    _, url = await lists_with_photo(street.ada)
    assert await status(street.ben, url.replace("1200.webp", ending)) in (404, 422)


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fkey",
        "../../key",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "..%5c..%5ckey",
        "%00",
        "a%00b",
        "%ff%fe",
        "%F0%9F%94%A8",
        "*",
        "%25",
        "x" * 3000,
        "0" * 32,
    ],
)
async def test_a_name_that_climbs_leads_nowhere(street: Street, name: str) -> None:
    path = f"{street.ben.home}/photos/{name}-480.webp"
    assert await status(street.ben, path) == 404


async def test_a_photo_is_for_the_neighbours_only(
    street: Street, workers: tuple[Worker, Worker]
) -> None:
    _, url = await lists_with_photo(street.ada)
    name = url.rsplit("/", 1)[1]
    async with browser(street.workers[0]) as nobody:
        answer = await nobody.get(url)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
        assert answer.content == b""
    async with found_street(workers) as elsewhere:
        assert await status(elsewhere.ben, url) == 404
        assert await status(elsewhere.ben, f"{elsewhere.ben.home}/photos/{name}") == 404


async def test_the_photo_of_an_archived_tool_goes_with_it(street: Street) -> None:
    tool_id, url = await lists_with_photo(street.ada)
    await street.ada.does(f"{street.ada.home}/tools/{tool_id}/archive")
    assert await status(street.ben, url) == 404
    assert await status(street.ada, url) == 200
    await street.ada.does(f"{street.ada.home}/tools/{tool_id}/archive/end")
    assert await status(street.ben, url) == 200


async def test_a_suspended_borrower_still_sees_what_to_bring_back(street: Street) -> None:
    tool_id, url = await lists_with_photo(street.ada)
    loan = await street.ben.asks_for(tool_id, street.today)
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    await street.cora.does(f"{street.cora.home}/members/{street.ben.id}/suspension")
    small = url.replace("1200", "480")
    assert small in await street.ben.opens(f"{street.ben.home}/loans/{loan}")
    assert await status(street.ben, small) == 200


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"not a picture", "drill.jpg", "not a photo we can read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drill.svg", "not a photo we can read"),
        (pictures.plain(9, 9, "GIF"), "drill.jpg", "not a photo we can read"),
        (pictures.bomb(), "drill.png", "too many pixels"),
        (b"\0" * (settings.photo_bytes + 1), "drill.jpg", "larger than 10 MB"),
    ],
    ids=["text", "svg", "gif", "bomb", "heavy"],
)
async def test_what_is_no_photo_is_refused_and_what_was_typed_stays(
    street: Street, content: bytes, name: str, sentence: str
) -> None:
    before = await pictures.kept()
    typed = {"brand": "Bosch & Daughters", "price": "2,50"}
    answer = await sends(street.ada, "/tools", content, name, **typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Bosch &amp; Daughters" in answer.text
    assert "2,50" in answer.text
    assert await pictures.kept() == before


async def test_a_photo_that_is_too_large_is_refused_with_what_was_typed(street: Street) -> None:
    before, heavy = await pictures.kept(), b"\0" * (settings.photo_bytes + 2 * 65536)
    answer = await sends(street.ada, "/tools", heavy, brand="Bosch & Daughters")
    assert answer.status_code == 422
    assert "larger than 10 MB" in answer.text
    assert "Bosch &amp; Daughters" in answer.text
    assert await pictures.kept() == before
    assert "Cordless drill" not in await street.ada.opens(street.ada.home)


async def test_more_than_a_form_may_weigh_is_not_read_to_its_end(street: Street) -> None:
    """The connection is closed; whether the client still reads the answer depends on the client."""
    before, heavy = await pictures.kept(), b"\0" * (4 * settings.photo_bytes + 2 * 65536)
    try:
        code = (await sends(street.ada, "/tools", heavy)).status_code
    except httpx.TransportError:
        code = 413
    assert code == 413
    assert await pictures.kept() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "1e3"},
        {"name": " \u200b "},
        {"name": "x" * 81},
        {"category": "weapons"},
        {"category": "\x00"},
        {"description": "x" * 4001},
        {"idempotency_key": "ü" * 300},
    ],
    ids=["price", "blank", "long", "category", "nul", "description", "key"],
)
async def test_a_refused_form_leaves_no_photo_behind(street: Street, wrong: dict[str, str]) -> None:
    before = await pictures.kept()
    answer = await sends(street.ada, "/tools", pictures.plain(), **wrong)
    assert answer.status_code == 422
    assert await pictures.kept() == before


async def test_a_form_sent_twice_is_one_tool_with_one_photo(street: Street) -> None:
    before = await pictures.kept()
    key = {"idempotency_key": "one-tap"}
    first = await sends(street.ada, "/tools", pictures.plain(), **key)
    again = await sends(street.ada, "/tools", pictures.plain(), **key)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"]
    assert len(await pictures.kept() - before) == 4
    other = await sends(street.ada, "/tools", pictures.plain(9, 9), **key)
    assert other.status_code == 422, "the same key with another photo"
    assert len(await pictures.kept() - before) == 4


async def test_a_new_photo_takes_the_place_of_the_old_one(street: Street) -> None:
    tool_id, old = await lists_with_photo(street.ada)
    edit = f"/tools/{tool_id}/edit"
    assert (await sends(street.ada, edit, pictures.plain(80, 80))).status_code == 303
    new = await photo_of(street.ben, tool_id)
    assert new != old
    assert await status(street.ben, old) == 404
    await street.ada.does(f"{street.ada.home}{edit}", **FORM, photo_gone="1")
    assert await status(street.ben, new) == 404
    assert "/photos/" not in await street.ben.opens(f"{street.ben.home}/tools/{tool_id}")


async def test_others_find_no_way_to_change_a_tool(street: Street) -> None:
    tool_id, url = await lists_with_photo(street.ada)
    before = await pictures.kept()
    edit = f"/tools/{tool_id}/edit"
    for somebody in (street.ben, street.cora):
        assert await status(somebody, f"{somebody.home}{edit}") == 403
        answer = await sends(somebody, edit, pictures.plain(), brand="Mine now")
        assert answer.status_code == 403
        for noun in ("pause", "archive", "pause/end", "archive/end"):
            answer = await somebody.posts(f"{somebody.home}/tools/{tool_id}/{noun}")
            assert answer.status_code == 403
    assert await pictures.kept() == before
    assert await status(street.ben, url) == 200
    assert "Mine now" not in await street.ada.opens(f"{street.ada.home}/tools/{tool_id}")


async def test_what_is_written_about_a_tool_is_shown_as_text(street: Street) -> None:
    evil = '<script>alert("x")</script>'
    tool = await street.ada.lists(evil, description=evil, brand=evil)
    for path in (f"/tools/{tool}", ""):
        page = await street.ben.opens(f"{street.ben.home}{path}")
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


async def test_odd_forms_are_answered(street: Street) -> None:
    path = f"{street.ada.home}/tools"
    nine = [("photo", (f"{n}.jpg", pictures.plain())) for n in range(9)]
    before = await pictures.kept()
    assert (await street.ada.client.post(path, data=FORM, files=nine)).status_code in (400, 422)
    assert (await street.ada.client.post(path, content=b"{}")).status_code in (400, 422)
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await street.ada.client.post(path, content=b"--x\r\nrubbish", headers=broken)
    assert answer.status_code in (400, 422)
    as_text = await street.ada.client.post(path, data=FORM | {"photo": "not a file"})
    assert as_text.status_code == 303, "no file was chosen"
    assert await pictures.kept() == before
