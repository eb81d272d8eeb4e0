"""What is noted at a hand-over: parts, condition, photos, and when it really was."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.chat.models import Message
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import clockwork, handover, noting, records, shelf, sides
from app.loans.models import Loan
from app.loans.noting import Noted
from app.loans.papers import Direction
from app.loans.states import State
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.models import ToolStatus
from app.tools.photos import Stored
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

LATER = NOW + HOUR


async def notes(
    elm: Elm, loan: Loan, who: Viewer, way: Direction, pictures: int = 0, **noted: object
) -> None:
    made = [Stored(f"{loan.id}-{way}-{who.person_id}-{n}", 60, 40) for n in range(pictures)]
    said = Noted(**noted)  # type: ignore[arg-type]
    await noting.note(elm.tx, loan.id, way, said, made, who, LATER)


async def side(elm: Elm, loan: Loan, way: Direction, who: Viewer) -> sides.Side:
    return next(one for one in await sides.sides(elm.tx, loan, who) if one.direction == way)


async def with_parts(tx: Tx) -> Elm:
    elm = await elm_street(tx)
    await tools.edit(tx, elm.drill.id, ToolText(parts=" Charger\n\nBits \nCharger"), elm.ada, NOW)
    assert records.parts_of(elm.drill) == ["Charger", "Bits"]
    return elm


async def test_each_hand_over_has_its_record(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    assert await sides.sides(tx, loan, elm.ben) == []
    await handover.hand_over(tx, loan.id, elm.ada, NOW)
    await handover.take_back(tx, loan.id, elm.ada, LATER)
    found = await records.of_loan(tx, loan)
    pressed = {way: row.pressed_at for way, row in found.items()}
    assert pressed == {Direction.OUT: NOW, Direction.IN: LATER}


async def test_a_part_that_is_missing_and_a_damage_are_told_in_the_room(tx: Tx) -> None:
    elm = await with_parts(tx)
    loan = await elm.out(elm.ben, 0)
    await handover.take_back(tx, loan.id, elm.ada, LATER)
    await notes(
        elm, loan, elm.ada, Direction.IN, there=["Charger"], condition="damaged", words="Cracked."
    )
    seen = await side(elm, loan, Direction.IN, elm.ben)
    assert seen.parts == [{"name": "Charger", "there": True}, {"name": "Bits", "there": False}]
    assert (seen.condition_words, seen.words) == ("Damaged", "Cracked.")
    lines = list(await tx.scalars(select(Message.body).order_by(Message.id.desc()).limit(1)))
    assert lines == ["Ada Moreno noted how it came back: damaged; missing: Bits."]


async def test_damaged_may_go_to_repair_and_comes_back_when_it_is_mended(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    asked = await elm.asked(elm.cy, 4)
    await handover.take_back(tx, loan.id, elm.ada, LATER)
    with pytest.raises(Refusal, match="damaged"):
        await notes(elm, loan, elm.ada, Direction.IN, condition="as_before", repair=True)
    await notes(elm, loan, elm.ada, Direction.IN, condition="damaged", repair=True)
    await tx.refresh(elm.drill)
    assert elm.drill.status == ToolStatus.MAINTENANCE
    assert (await elm.fresh(asked)).state == State.DECLINED
    await shelf.resume(tx, elm.drill.id, elm.ada, LATER)
    await tx.refresh(elm.drill)
    assert elm.drill.status == ToolStatus.LISTED


async def test_the_lenders_word_stands_and_the_borrower_adds_photos(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await notes(elm, loan, elm.ben, Direction.OUT, condition="worn")
    await notes(elm, loan, elm.ada, Direction.OUT, condition="as_before")
    with pytest.raises(Refusal, match="noted this already"):
        await notes(elm, loan, elm.ben, Direction.OUT, condition="damaged")
    await notes(elm, loan, elm.ben, Direction.OUT, pictures=1)
    seen = await side(elm, loan, Direction.OUT, elm.ben)
    assert (seen.condition, len(seen.photos), seen.can_say_how) == ("as_before", 1, False)


async def test_four_photos_a_side_and_no_more(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await notes(elm, loan, elm.ada, Direction.OUT, pictures=3)
    with pytest.raises(Refusal, match="room for 4"):
        await notes(elm, loan, elm.ben, Direction.OUT, pictures=2)
    await notes(elm, loan, elm.ben, Direction.OUT, pictures=1)


async def test_only_the_two_note_and_see_photos(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await notes(elm, loan, elm.ada, Direction.OUT, pictures=1)
    (photo,) = await records.photos_of(tx, loan)
    for one in (elm.ada, elm.ben):
        assert await records.photo_for(tx, one, loan.id, photo.name) is photo
    for other in (elm.cy, elm.cora):
        with pytest.raises(NotFound):
            await records.photo_for(tx, other, loan.id, photo.name)
        with pytest.raises(NotFound):
            await notes(elm, loan, other, Direction.OUT, condition="damaged")
    another = await elm.asked(elm.cy, 5)
    with pytest.raises(NotFound):
        await records.photo_for(tx, elm.cy, another.id, photo.name)


async def test_the_real_time_is_the_lenders_to_set_and_both_are_kept(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0, now=NOW - 3 * HOUR)
    await handover.hand_over(tx, loan.id, elm.ada, NOW)
    really = NOW - HOUR
    with pytest.raises(Refusal, match="Only the lender"):
        await notes(elm, loan, elm.ben, Direction.OUT, happened_at=really)
    await notes(elm, loan, elm.ada, Direction.OUT, happened_at=really)
    record = (await records.of_loan(tx, loan))[Direction.OUT]
    assert (record.pressed_at, record.happened_at) == (NOW, really)
    for wrong, why in (
        (LATER + HOUR, "future"),
        (NOW - 4 * HOUR, "before the loan was approved"),
    ):
        with pytest.raises(Refusal, match=why):
            await notes(elm, loan, elm.ada, Direction.OUT, happened_at=wrong)


async def test_it_did_not_go_out_before_it_was_back_nor_come_back_before_it_went(tx: Tx) -> None:
    elm = await elm_street(tx)
    early = NOW - 5 * HOUR
    first = await elm.promised(elm.cy, 0, now=early)
    await handover.hand_over(tx, first.id, elm.ada, early)
    second = await elm.promised(elm.ben, 1, now=early)
    await handover.take_back(tx, first.id, elm.ada, NOW - HOUR)
    await handover.hand_over(tx, second.id, elm.ada, NOW)
    with pytest.raises(Refusal, match="back from others"):
        await notes(elm, second, elm.ada, Direction.OUT, happened_at=NOW - 2 * HOUR)
    await notes(elm, second, elm.ada, Direction.OUT, happened_at=NOW - HOUR)
    await handover.take_back(tx, second.id, elm.ada, LATER)
    with pytest.raises(Refusal, match="before it can have been"):
        await notes(elm, second, elm.ada, Direction.IN, happened_at=NOW - 2 * HOUR)
    with pytest.raises(Refusal, match="after it came back"):
        await notes(elm, first, elm.ada, Direction.OUT, happened_at=NOW)


async def test_nothing_is_noted_before_or_long_after(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    with pytest.raises(Refusal, match="already approved"):
        await notes(elm, loan, elm.ben, Direction.OUT, condition="worn")
    await handover.hand_over(tx, loan.id, elm.ada, NOW)
    with pytest.raises(Refusal, match="not come back"):
        await notes(elm, loan, elm.ben, Direction.IN, condition="worn")
    await handover.take_back(tx, loan.id, elm.ada, LATER)
    await clockwork.close(tx, loan.community_id, loan.id, LATER + 3 * DAY)
    with pytest.raises(Refusal, match="closed"):
        await notes(elm, loan, elm.ada, Direction.IN, condition="worn")
