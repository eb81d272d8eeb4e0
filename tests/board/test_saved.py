"""Tools that one keeps in mind: a list of one's own, live, that nobody else learns of."""

from __future__ import annotations

import pytest

from app import db, topic
from app.errors import NotFound, Refusal
from app.loans import shelf
from app.members import commands as members
from app.tools import commands as tools
from app.tools import saved
from app.tools.commands import ToolText
from tests.loans.living import elm_street
from tests.neighbours import Street
from tests.people.living import NOW


async def test_once_is_enough_and_there_is_an_end(
    tx: db.Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    elm = await elm_street(tx)
    for _ in range(2):
        await saved.save(tx, elm.drill.id, elm.ben, NOW)
    assert [one.name for one in await saved.of_person(tx, elm.ben)] == ["Drill"]
    assert await saved.of_person(tx, elm.cy) == []
    monkeypatch.setattr(saved, "MOST", 1)
    await saved.save(tx, elm.drill.id, elm.ben, NOW)
    saw = await tools.list_tool(tx, ToolText(name="Saw", category="saws"), elm.ada, NOW)
    with pytest.raises(Refusal):
        await saved.save(tx, saw.id, elm.ben, NOW)
    await saved.let_go(tx, elm.drill.id, elm.ben)
    assert not await saved.has(tx, elm.drill.id, elm.ben)
    await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    with pytest.raises(NotFound):
        await saved.save(tx, elm.drill.id, elm.ben, NOW)


async def test_who_leaves_leaves_nothing_of_it_behind(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    for who in (elm.ben, elm.cy):
        await saved.save(tx, elm.drill.id, who, NOW)
    await members.leave(tx, elm.ben, NOW)
    tx.expunge_all()
    assert not await saved.has(tx, elm.drill.id, elm.ben)
    assert await saved.has(tx, elm.drill.id, elm.cy)


async def test_it_hangs_on_my_things_as_the_board_has_it(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    there, things = f"{street.ben.home}/tools/{drill}", f"{street.ben.home}/things"
    assert 'id="saved"' not in await street.ben.opens(things)
    mine = topic.mine(street.here.id, drill)
    async with street.ben.watches(mine) as screen:
        await street.ben.does(f"{there}/saved")
        await screen.shows(mine, "Kept in mind")
    page = await street.ben.opens(things)
    assert f'data-topic="{topic.tool(street.here.id, drill)}"' in page, "so it is live"
    assert f"{there}#waitlist-{drill}" in page
    await street.ada.does(f"{street.ada.home}/people/{street.ben.id}/block")
    page = await street.ben.opens(things)
    assert "<b>Paused</b>" in page.split('id="saved"')[1], "behind a block it looks paused"
    assert (await street.ben.does(f"{there}/saved/end", back="things")).endswith("/things#saved")
    assert 'id="saved"' not in await street.ben.opens(things)
    assert "Keep in mind" not in await street.ada.opens(f"{street.ada.home}/tools/{drill}")
