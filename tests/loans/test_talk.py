"""A room can be written in while its loan is open and for 30 days after, then only read."""

from __future__ import annotations

from datetime import timedelta

from app import jobs, topic
from app.db import Tx
from app.loans import commands, talk
from tests.loans.living import DAY, elm_street
from tests.people.living import NOW

OVER = NOW + 30 * DAY
MOMENT = timedelta(seconds=1)


async def test_a_room_can_only_be_read_30_days_after_the_end(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1)
    assert talk.why_not_write(loan, elm.ben, OVER + DAY) is None, "it is open still"
    await commands.decline(tx, loan.id, elm.ada, NOW)
    loan = await elm.fresh(loan)
    for who in (elm.ada, elm.ben):
        assert talk.why_not_write(loan, who, OVER - MOMENT) is None
        refusal = talk.why_not_write(loan, who, OVER)
        assert refusal is not None
        assert "only be read" in refusal.sentence
        assert refusal.way_out
    room = loan.conversation_id
    assert await talk.why_not_write_in(tx, room, elm.ben, OVER - MOMENT) is None
    assert await talk.why_not_write_in(tx, room, elm.ben, OVER) is not None


async def test_its_screens_hear_of_it_when_the_moment_has_come(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1)
    await commands.decline(tx, loan.id, elm.ada, NOW)
    name = topic.writing(elm.here.id, loan.id)
    for since, now, told in (
        (OVER - 2 * MOMENT, OVER - MOMENT, False),
        (OVER - MOMENT, OVER, True),
        (OVER, OVER + MOMENT, False),
    ):
        tx.info.pop("touched", None)
        await jobs.time_passed(tx, since, now)
        assert (name in tx.info.get("touched", set())) is told
