"""Pausing, archiving and bringing back: what the neighbours who wait for the tool hear."""

from __future__ import annotations

import pytest

from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import commands, handover, shelf
from app.loans.states import State
from app.tools.models import ToolStatus
from tests.loans.living import HOUR, elm_street
from tests.people.living import NOW, community, member, person


async def test_a_pause_declines_what_was_asked_with_the_reason_and_keeps_promises(tx: Tx) -> None:
    elm = await elm_street(tx)
    promised = await elm.promised(elm.ben, 1)
    asked = [await elm.asked(elm.cy, 3), await elm.asked(elm.ben, 5)]
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW, "It needs a new cable.")
    for loan in asked:
        fresh = await elm.fresh(loan)
        assert (fresh.state, fresh.reason) == (State.DECLINED, "It needs a new cable.")
    assert (await elm.fresh(promised)).state == State.APPROVED
    with pytest.raises(Refusal, match="not lent"):
        await elm.asked(elm.cy, 8)
    await handover.hand_over(tx, promised.id, elm.ada, promised.start)
    assert promised.state == State.OUT


async def test_nothing_is_approved_while_the_tool_is_not_lent(tx: Tx) -> None:
    elm = await elm_street(tx)
    asked = await elm.asked(elm.ben, 1)
    elm.drill.status = ToolStatus.PAUSED  # as if the request had slipped past the pause
    await tx.flush()
    with pytest.raises(Refusal, match="This tool is paused"):
        await commands.approve(tx, asked.id, elm.ada, NOW)
    assert (await elm.fresh(asked)).state == State.REQUESTED


async def test_a_pause_without_a_word_still_tells_why(tx: Tx) -> None:
    elm = await elm_street(tx)
    asked = await elm.asked(elm.ben, 1)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    assert (await elm.fresh(asked)).reason == "The tool is paused."


async def test_a_resumed_tool_can_be_asked_for_and_revives_nothing(tx: Tx) -> None:
    elm = await elm_street(tx)
    asked = await elm.asked(elm.ben, 1)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    await shelf.resume(tx, elm.drill.id, elm.ada, NOW)
    assert (await elm.fresh(asked)).state == State.DECLINED
    assert (await elm.promised(elm.ben, 1)).state == State.APPROVED


async def test_nothing_is_archived_while_it_is_promised_or_out(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    with pytest.raises(Refusal, match="promised"):
        await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    await handover.hand_over(tx, loan.id, elm.ada, NOW)
    with pytest.raises(Refusal, match="is out"):
        await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    await handover.claim_return(tx, loan.id, elm.ben, NOW)
    with pytest.raises(Refusal, match="is out"):
        await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    await handover.take_back(tx, loan.id, elm.ada, NOW + HOUR)
    tool = await shelf.archive(tx, elm.drill.id, elm.ada, NOW + HOUR)
    assert tool.status == ToolStatus.ARCHIVED


async def test_a_restored_tool_revives_nothing(tx: Tx) -> None:
    elm = await elm_street(tx)
    asked = await elm.asked(elm.ben, 1)
    await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    assert (await elm.fresh(asked)).reason == "The tool is no longer lent."
    tool = await shelf.restore(tx, elm.drill.id, elm.ada, NOW)
    assert tool.status == ToolStatus.LISTED
    assert (await elm.fresh(asked)).state == State.DECLINED
    with pytest.raises(Refusal):
        await commands.approve(tx, asked.id, elm.ada, NOW)


@pytest.mark.parametrize("act", [shelf.pause, shelf.archive, shelf.resume, shelf.restore])
async def test_only_the_owner_moves_a_tool(tx: Tx, act: object) -> None:
    assert callable(act)
    elm = await elm_street(tx)
    for somebody in (elm.ben, elm.cora):
        with pytest.raises(Refusal) as refused:
            await act(tx, elm.drill.id, somebody, NOW)
        assert refused.value.status == 403
    stranger = await member(tx, await community(tx, await person(tx, "Eli Sander")), "Dee Quist")
    with pytest.raises(NotFound):
        await act(tx, elm.drill.id, stranger, NOW)
    assert elm.drill.status == ToolStatus.LISTED


async def test_an_archived_tool_looks_gone_to_others(tx: Tx) -> None:
    elm = await elm_street(tx)
    await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    with pytest.raises(NotFound):
        await shelf.restore(tx, elm.drill.id, elm.ben, NOW)


async def test_what_was_done_already_is_said_and_not_done_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    for again, sentence in (
        (shelf.resume, "not paused"),
        (shelf.restore, "not archived"),
    ):
        with pytest.raises(Refusal, match=sentence):
            await again(tx, elm.drill.id, elm.ada, NOW)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    with pytest.raises(Refusal, match="not on the board"):
        await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    with pytest.raises(Refusal, match="already archived"):
        await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
