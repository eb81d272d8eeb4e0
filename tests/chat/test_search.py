"""What was said is found again, by who was there and by nobody else."""

from __future__ import annotations

import pytest

from app.chat import search
from app.db import Tx
from app.people.viewer import Viewer
from tests.chat.living import room_of_two
from tests.scripts import TRIES, harm_in


async def found(tx: Tx, who: Viewer, asked: str, **more: int) -> list[str]:
    return [one.message.body for one in await search.found(tx, who, asked, **more)]


async def test_ben_finds_what_was_said_in_his_room(tx: Tx) -> None:
    room = await room_of_two(tx)
    await room.said(room.ben, "Is the LADDER heavy?")
    await room.said(room.ada, "The ladder weighs 12 kilos, 100% sure.")
    await room.said(room.ben, "梯子在车库里")
    assert await found(tx, room.ben, "ladder") == [
        "The ladder weighs 12 kilos, 100% sure.",
        "Is the LADDER heavy?",
    ]
    assert await found(tx, room.ben, "kilo LADDER") == ["The ladder weighs 12 kilos, 100% sure."]
    assert await found(tx, room.ben, "adde heav") == ["Is the LADDER heavy?"]
    assert await found(tx, room.ben, "车库") == ["梯子在车库里"]
    assert await found(tx, room.ben, "100%") == ["The ladder weighs 12 kilos, 100% sure."]
    for nothing in ("", "  ", "%", "_adder", "ladder saw", "\\", "\x00"):
        assert await found(tx, room.ben, nothing if nothing != "%" else "%%") == []


async def test_nobody_finds_anything_in_the_rooms_of_others(tx: Tx) -> None:
    room, other = await room_of_two(tx), await room_of_two(tx)
    await room.said(room.ben, "The key is under the pot")
    for stranger in (room.cy, other.ada, other.ben):
        assert await found(tx, stranger, "key") == []


async def test_what_was_taken_back_is_not_found_and_what_was_changed_is_as_it_is(tx: Tx) -> None:
    room = await room_of_two(tx)
    gone, other = await room.said(room.ben, "key one"), await room.said(room.ben, "key two")
    await room.takes_back(room.ben, gone.id)
    await room.changes(room.ben, other.id, "lock two")
    assert await found(tx, room.ada, "key") == []
    assert await found(tx, room.ada, "lock") == ["lock two"]


async def test_finds_come_in_pages(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = [await room.said(room.ben, f"key {n}") for n in range(5)]
    assert await found(tx, room.ada, "key", limit=2) == ["key 4", "key 3", "key 2"]
    assert await found(tx, room.ada, "key", before=said[3].id) == ["key 2", "key 1", "key 0"]


@pytest.mark.parametrize("typed", TRIES)
def test_what_is_found_is_never_markup(typed: str) -> None:
    for asked in ("alert", "<", "script", '"', "&"):
        made = search.marked(f"{'x ' * 50}{typed}", [asked])
        assert not harm_in(str(made).replace("<mark>", "").replace("</mark>", ""))
