"""Who else is in a room: what is shown of whom, to whom, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from app import db, topic
from app.chat.live import draw_company
from app.loans.models import Loan
from app.people.models import Person
from app.realtime import Present
from tests.neighbours import Neighbour, Screen, Street


@dataclass
class Room:
    street: Street
    loan: int
    topic: str


@pytest.fixture
async def room(street: Street) -> Room:
    """Ada lends, ben asks; both let everything be seen."""
    drill = await street.ada.lists("Cordless drill")
    loan_id = await street.ben.asks_for(drill, street.today)
    for one in (street.ada, street.ben, street.cy):
        await one.does("/profile/presence", here="1", typing="1")
    async with db.snapshot() as tx:
        loan = await tx.get_one(Loan, (street.here.id, loan_id))
    return Room(street, loan_id, topic.room(street.here.id, loan.conversation_id))


def seen(screen: Screen) -> list[str]:
    """What has been shown of others, one after the other."""
    return [frame["html"] for frame in screen.frames if "ttl" in frame]


async def sees(screen: Screen, words: str) -> None:
    await screen.until(lambda: seen(screen) and words in seen(screen)[-1])


async def sees_nobody(screen: Screen) -> None:
    await screen.until(lambda: seen(screen)[-1:] == [""])


@asynccontextmanager
async def both(room: Room) -> AsyncIterator[tuple[Screen, Screen]]:
    """Ada's screen and ben's, at different workers."""
    ada, ben = room.street.ada, room.street.ben
    async with ada.watches(room.topic) as adas, ben.watches(room.topic) as bens:
        yield adas, bens


def test_the_words_are_those_that_people_would_say() -> None:
    ada, ben = Present(1, "Ada Moreno", False), Present(2, "Ben Okafor", False)
    assert "Ada Moreno is here" in draw_company([ada], "en-GB")
    assert "Ada Moreno and Ben Okafor are here" in draw_company([ada, ben], "en-GB")
    assert "Ben Okafor is typing" in draw_company([ada, ben._replace(typing=True)], "en-GB")
    assert "&lt;b&gt;" in draw_company([ada._replace(name="<b>Ada</b>")], "en-GB")
    assert draw_company([], "en-GB") == ""


async def test_ada_sees_ben_come_and_type_at_another_worker(room: Room) -> None:
    ben = room.street.ben
    async with both(room) as (adas, bens):
        await bens.send({"here": room.topic})
        await sees(adas, f"{ben.name} is here")
        await bens.send({"typing": room.topic})
        await sees(adas, f"{ben.name} is typing")
    assert not seen(bens)


async def test_nobody_is_seen_who_has_not_asked_for_it(street: Street) -> None:
    async with db.snapshot() as tx:
        for one in street.people:
            person = await tx.get_one(Person, one.id)
            assert not person.shows_here
            assert not person.shows_typing


async def test_what_is_not_ticked_is_off_and_gone_from_open_screens(room: Room) -> None:
    ben = room.street.ben
    async with both(room) as (adas, bens):
        await bens.send({"typing": room.topic})
        await sees(adas, f"{ben.name} is typing")
        await ben.does("/profile/presence", here="1")
        await sees_nobody(adas)
        await bens.send({"typing": room.topic})
        await sees(adas, f"{ben.name} is here")
        await ben.does("/profile/presence")
        await sees_nobody(adas)
        page = await ben.opens("/profile")
        assert "checked" not in page.split('id="presence"')[1].split("</form>")[0]


async def test_a_member_who_is_not_in_the_room_neither_sees_nor_is_seen(room: Room) -> None:
    street = room.street
    async with both(room) as (adas, bens), street.cy.watches(room.topic) as cys:
        assert cys.html[room.topic] is None
        for word in ("here", "typing"):
            await cys.send({word: room.topic})
            await bens.send({word: room.topic})
        await sees(adas, f"{street.ben.name} is typing")
        await adas.send({"here": room.topic})
        await sees(bens, f"{street.ada.name} is here")
        await cys.watch(topic.board(street.here.id))  # what was under way has arrived
    assert not seen(cys)
    assert street.cy.name not in str(seen(adas) + seen(bens))


async def test_whom_a_block_keeps_apart_are_not_shown_to_each_other(room: Room) -> None:
    street = room.street
    async with both(room) as (adas, bens):
        await bens.send({"here": room.topic})
        await adas.send({"here": room.topic})
        await sees(adas, f"{street.ben.name} is here")
        await sees(bens, f"{street.ada.name} is here")
        await street.ada.does(f"{street.ada.home}/people/{street.ben.id}/block")
        await sees_nobody(adas)
        await sees_nobody(bens)
        await street.ada.does(f"/profile/blocks/{street.ben.id}/end")
        await bens.send({"here": room.topic})
        await sees(adas, f"{street.ben.name} is here")


async def test_who_is_removed_vanishes_and_sees_nobody_any_more(room: Room) -> None:
    street = room.street
    async with both(room) as (adas, bens):
        await bens.send({"here": room.topic})
        await sees(adas, f"{street.ben.name} is here")
        await street.cora.does(f"{street.cora.home}/members/{street.ben.id}/removal")
        await sees_nobody(adas)
        await bens.until(lambda: bens.html[room.topic] is None)
        await bens.send({"here": room.topic})
        await adas.send({"typing": room.topic})
        await street.ada.says(room.loan, "Gone?")
        await adas.shows(room.topic, "Gone?")
    assert not seen(bens)
    assert seen(adas)[-1] == ""


async def test_when_somebody_was_last_here_is_theirs_to_show(room: Room) -> None:
    street, path = room.street, f"{room.street.here.path}/loans/{room.loan}"
    words = "Ben was last here"
    assert words not in await street.ada.opens(path)
    await street.ben.does("/profile/presence", last="1")
    assert words in await street.ada.opens(path)
    assert words not in await street.ben.opens(path)
    await street.ada.does(f"{street.ada.home}/people/{street.ben.id}/block")
    assert words not in await street.ada.opens(path)


async def test_of_several_keepers_none_is_named_as_if_they_were_alone(street: Street) -> None:
    ladder = await street.cora.lists("Long ladder", "ladders", of_all=1)
    await street.ada.does("/profile/presence", last="1")
    await street.cora.does("/profile/presence", last="1")
    asked = f"{street.here.path}/tools/{ladder}/questions"
    alone = await street.ben.opens(await street.ben.does(asked, about="Is it long?"))
    assert "Cora was last here" in alone
    await street.cora.does(f"{street.here.path}/tools/{ladder}/keepers", keeper=street.ada.id)
    both = await street.ben.opens(await street.ben.does(asked, about="And heavy?"))
    assert "was last here" not in both
    assert "Quiet hours" not in both


async def test_the_other_ones_quiet_hours_count_not_ones_own(room: Room) -> None:
    street, path = room.street, f"{room.street.here.path}/loans/{room.loan}"
    around = {"quiet_from": "00:00", "quiet_until": "23:59", "zone": "Pacific/Auckland"}
    await street.ben.does("/profile/notices/quiet", **around)
    shown = re.compile(r'class="late" data-late-from="(\d+)" data-late-until="(\d+)"')

    async def hours(who: Neighbour) -> list[int]:
        """How long the quiet hours are that this page knows of."""
        found = shown.findall(await who.opens(path))
        return [(int(until) - int(begins)) // 3600 for begins, until in found]

    assert await hours(street.ada) == [23]
    assert (await hours(street.ben))[0] < 12
    await street.ben.does("/profile/notices/quiet", **around | {"quiet_until": "00:00"})
    assert await hours(street.ada) == [], "there are none"


async def test_it_is_in_no_page_and_no_answer_of_the_plain_door(room: Room) -> None:
    street = room.street
    async with both(room) as (adas, bens):
        await bens.send({"typing": room.topic})
        await sees(adas, f"{street.ben.name} is typing")
        page = await street.ada.opens(f"{street.ada.home}/loans/{room.loan}")
        assert f"{street.ben.name} is typing" not in page
        plain = await street.ada.client.get("/live", params={"topic": room.topic})
        assert f"{street.ben.name} is typing" not in plain.text
