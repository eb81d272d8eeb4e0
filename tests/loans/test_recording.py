"""The record through its pages: photos for the eyes of the two, typed text kept, both times."""

from __future__ import annotations

import re

from tests.neighbours import Neighbour, Street, said
from tests.tools import pictures

Files = list[tuple[str, tuple[str, bytes, str]]]


def shots(number: int) -> Files:
    return [("photos", (f"{n}.jpg", pictures.from_a_phone(), "image/jpeg")) for n in range(number)]


async def lent(street: Street) -> int:
    drill = await street.ada.lists("Cordless drill", parts="Charger\nBits")
    loan = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    return loan


async def photos_in(who: Neighbour, loan: int) -> list[str]:
    page = await who.opens(f"{who.home}/loans/{loan}")
    return re.findall(rf"{who.home}/loans/{loan}/photos/[0-9a-f]+-480\.webp", page)


async def test_photos_of_a_hand_over_open_for_the_two_alone(street: Street) -> None:
    loan = await lent(street)
    path = f"{street.here.path}/loans/{loan}/handover/out"
    form = {"says_how": "1", "condition": "as_before", "words": "Clean.", "there": "Charger"}
    answer = await street.ada.client.post(path, data=form, files=shots(2))
    assert answer.status_code == 303, said(answer.text)
    found = await photos_in(street.ben, loan)
    assert len(found) == 2
    await pictures.kept()  # the small copies are made
    for who in (street.ada, street.ben):
        shown = await who.client.get(found[0])
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
        assert shown.headers["cache-control"] == "private, no-cache"
        assert b"Elm" not in shown.content, "nothing of where it was taken"
    name = found[0].rsplit("/", 1)[1]
    for who in (street.cy, street.cora):
        assert (await who.client.get(found[0])).status_code == 404
        assert (await who.client.get(f"{who.home}/photos/{name}")).status_code == 404
        assert (await who.client.get(path)).status_code == 404
    page = await street.ben.opens(f"{street.here.path}/loans/{loan}")
    assert "Bits <b>missing</b>" in page


async def test_too_many_photos_are_refused_and_the_words_stay(street: Street) -> None:
    loan = await lent(street)
    path = f"{street.here.path}/loans/{loan}/handover/out"
    form = {"says_how": "1", "condition": "worn", "words": "A long scratch."}
    answer = await street.ben.client.post(path, data=form, files=shots(5))
    assert answer.status_code == 422
    assert "room for 4 photos" in answer.text
    assert "A long scratch." in answer.text
    assert await photos_in(street.ben, loan) == []


async def test_a_form_that_changes_nothing_of_the_time_leaves_it(street: Street) -> None:
    loan = await lent(street)
    path = f"{street.here.path}/loans/{loan}/handover/out"
    page = await street.ada.opens(path)
    typed = re.search(r'name="happened_at"[^>]*value="([^"]+)"', page)
    assert typed
    form = {"says_how": 1, "condition": "worn", "words": "", "happened_at": typed[1]}
    await street.ada.does(path, **form)
    assert "(pressed" not in await street.ada.opens(f"{street.here.path}/loans/{loan}")
    answer = await street.ada.posts(path, **form | {"happened_at": "2199-01-01T10:00"})
    assert answer.status_code == 422
    assert "in the future" in answer.text
    assert 'value="2199-01-01T10:00"' in answer.text
