"""A shed with a key box: taken and brought back by the borrower alone, its code for nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app import clock, db, topic
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import alone, commands, handover, records
from app.loans.models import Loan
from app.loans.papers import Direction
from app.loans.states import State
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.photos import Stored
from tests.clocks import Clock
from tests.loans.living import HOUR, Elm, elm_street
from tests.neighbours import Neighbour, Street
from tests.people.living import NOW
from tests.tools import pictures

MINUTE = timedelta(minutes=1)
SHOT = Stored("0" * 32, 60, 40)
SECRET = "4711-shed"


async def shed(tx: Tx) -> tuple[Elm, Loan]:
    """Ben has the drill promised from 15:00 to 17:00."""
    elm = await elm_street(tx)
    await tools.edit(tx, elm.drill.id, ToolText(self_service=True), elm.ada, NOW)
    await alone.change_box(tx, elm.drill.id, "By the gate", SECRET, elm.ada, NOW)
    loan = await elm.asked_at(elm.ben, NOW + 3 * HOUR, NOW + 5 * HOUR)
    return elm, await commands.approve(tx, loan.id, elm.ada, NOW)


async def code_for(tx: Tx, loan: Loan, who: Viewer, now: datetime) -> str | None:
    box = await alone.box_for(tx, loan, who, now)
    return box.code if box else None


async def test_the_code_is_for_this_borrower_from_a_quarter_of_an_hour_before(tx: Tx) -> None:
    elm, loan = await shed(tx)
    opens = loan.start - 15 * MINUTE
    assert await code_for(tx, loan, elm.ben, opens - MINUTE) is None
    assert await code_for(tx, loan, elm.ben, opens) == SECRET
    for other in (elm.ada, elm.cy, elm.cora):
        assert await code_for(tx, loan, other, opens) is None
    assert await code_for(tx, loan, elm.ben, loan.end) is None, "it was never taken"
    await alone.take(tx, loan.id, elm.ben, opens, SHOT)
    assert await code_for(tx, loan, elm.ben, loan.end + HOUR) == SECRET, "it is still out"
    shot = Stored("1" * 32, 60, 40)
    await alone.bring(tx, loan.id, elm.ben, loan.start, shot)
    assert loan.state == State.RETURNED
    assert await code_for(tx, loan, elm.ben, loan.start) is None
    hung = [(one.direction, one.name) for one in await records.photos_of(tx, loan)]
    assert hung == [(Direction.OUT, SHOT.name), (Direction.IN, shot.name)]


async def test_taking_alone_needs_its_time_a_photo_and_such_a_tool(tx: Tx) -> None:
    elm, loan = await shed(tx)
    opens = loan.start - 15 * MINUTE
    with pytest.raises(Refusal, match="too early"):
        await alone.take(tx, loan.id, elm.ben, opens - MINUTE, SHOT)
    with pytest.raises(Refusal, match="photo"):
        await alone.take(tx, loan.id, elm.ben, opens, None)
    with pytest.raises(Conflict, match="is over"):
        await alone.take(tx, loan.id, elm.ben, loan.end, SHOT)
    for other in (elm.ada, elm.cora):
        with pytest.raises(Refusal, match="Only the borrower"):
            await alone.take(tx, loan.id, other, opens, SHOT)
    with pytest.raises(NotFound):
        await alone.take(tx, loan.id, elm.cy, opens, SHOT)
    await tools.edit(tx, elm.drill.id, ToolText(self_service=False), elm.ada, NOW)
    with pytest.raises(Refusal, match="handed over by its lender"):
        await alone.take(tx, (await elm.fresh(loan)).id, elm.ben, opens, SHOT)
    assert await code_for(tx, await elm.fresh(loan), elm.ben, opens) is None


async def test_what_another_still_has_is_not_taken(tx: Tx) -> None:
    elm, loan = await shed(tx)
    before = await elm.asked_at(elm.cy, NOW, NOW + HOUR)
    await commands.approve(tx, before.id, elm.ada, NOW)
    await handover.hand_over(tx, before.id, elm.ada, NOW)
    with pytest.raises(Conflict):
        await alone.take(tx, loan.id, elm.ben, loan.start, SHOT)
    await handover.claim_return(tx, before.id, elm.cy, NOW + HOUR)
    with pytest.raises(Conflict, match="not confirmed"):
        await alone.take(tx, loan.id, elm.ben, loan.start, SHOT)


async def test_only_the_owner_changes_the_code(tx: Tx) -> None:
    elm, _ = await shed(tx)
    for other in (elm.ben, elm.cy, elm.cora):
        with pytest.raises(Refusal, match="Only the owner"):
            await alone.change_box(tx, elm.drill.id, "", "0000", other, NOW)
        assert await alone.box_of(tx, elm.drill, other) is None
    await alone.change_box(tx, elm.drill.id, "By the gate", "0000", elm.ada, NOW)
    assert await alone.box_of(tx, elm.drill, elm.ada) == alone.Box("By the gate", "0000")


async def test_the_code_comes_to_bens_open_room_as_time_passes_and_to_no_other_screen(
    street: Street, the_clock: Clock
) -> None:
    ada, ben, here = street.ada, street.ben, street.here
    box: dict[str, object] = {
        "parts": "",
        "self_service": 1,
        "key_place": "By the gate",
        "key_code": SECRET,
    }
    drill = await ada.lists("Shed drill", "drills", **box)
    noon = clock.day_start(street.day(1), here.zone) + 12 * HOUR
    loan = await ben.asks_for(drill, street.day(1), start_time="12:00", end_time="18:00")
    await ada.acts(loan, "approval")
    names = [
        *(topic.loan(here.id, loan), topic.tool(here.id, drill), topic.dates(here.id, drill)),
        *(topic.mine(here.id, drill), topic.board(here.id), topic.recent(here.id)),
        topic.handover(here.id, loan),
    ]
    mine = [topic.things(ben.id), topic.notices(ben.id), topic.rooms(ben.id)]
    async with (
        ben.watches(*names, *mine) as bens,
        ada.watches(*names) as adas,
        street.cy.watches(*names) as cys,
    ):
        assert SECRET not in str(bens.frames)
        the_clock.move_to(noon - 15 * MINUTE - timedelta(seconds=5))
        assert SECRET not in await ben.opens(f"{ben.home}/loans/{loan}")
        the_clock.move(timedelta(seconds=6))
        await bens.shows(topic.loan(here.id, loan), SECRET)
        held = [name for name, html in bens.html.items() if SECRET in (html or "")]
        assert held == [topic.loan(here.id, loan)]
        await ada.says(loan, "Help yourself.")
        await _takes(ben, loan, "taking")
        await adas.shows(topic.loan(here.id, loan), "Out until")
        await cys.shows(topic.tool(here.id, drill), "Out")
        for path in (ada.home, f"{ada.home}/loans/{loan}", f"{ada.home}/tools/{drill}"):
            assert SECRET not in await ada.opens(path)
        for path in (ben.home, f"{ben.home}/tools/{drill}", f"{ben.home}/notices"):
            assert SECRET not in await ben.opens(path)
        await _takes(ben, loan, "bringing")
        await bens.shows(topic.loan(here.id, loan), "Back")
        assert SECRET not in (bens.html[topic.loan(here.id, loan)] or "")
        assert SECRET not in await ben.opens(f"{ben.home}/loans/{loan}")
        await adas.shows(topic.handover(here.id, loan), "photos/")
    assert SECRET not in str(adas.frames) + str(cys.frames)
    assert SECRET not in "".join(worker.log.read_text() for worker in street.workers)
    async with db.snapshot() as tx:
        found = await tx.get(Loan, (here.id, loan))
        assert found is not None
        assert found.state == State.RETURNED


async def _takes(who: Neighbour, loan: int, noun: str) -> None:
    path = f"{who.home}/loans/{loan}/{noun}"
    without = await who.client.post(path, data={})
    assert without.status_code == 422
    files = {"photo": ("shed.jpg", pictures.plain(), "image/jpeg")}
    answer = await who.client.post(path, data={}, files=files)
    assert answer.status_code == 303, answer.text
