"""A tool that is not lent any more: who asked hears why, and who was promised it is asked about."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app import topic
from app.board import mine
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import (
    alone,
    amends,
    codes,
    commands,
    handover,
    incidents,
    off,
    shelf,
    unsafe,
    waitlist,
)
from app.loans.models import Loan
from app.loans.states import State
from app.loans.telling import Action
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.models import ToolStatus
from app.tools.photos import Stored
from tests.board.test_mine import things
from tests.loans.living import HOUR, Elm, elm_street
from tests.loans.test_commands import lines_of
from tests.loans.test_waitlist import offered, waits_for, wish_of, woken
from tests.people.living import NOW


async def heard(tx: Tx, who: Viewer) -> list[str]:
    rows = await tx.scalars(
        select(Notice.kind).where(Notice.person_id == who.person_id).order_by(Notice.id)
    )
    return list(rows)


async def goes_off(elm: Elm, how: str, loan: Loan) -> None:
    """`loan` is out with Ben, or was."""
    match how:
        case "paused":
            await shelf.pause(elm.tx, elm.drill.id, elm.ada, NOW)
        case "repaired":
            await shelf.repair(elm.tx, elm.drill.id, elm.ada, NOW)
        case "unsafe":
            await unsafe.mark(elm.tx, loan.id, elm.ben, NOW, "The cable is bare.")
        case "lost":
            await incidents.open_incident(elm.tx, loan.id, elm.ben, NOW, "loss", "It fell in.")


HOW = {
    "paused": off.WHY[ToolStatus.PAUSED],
    "repaired": off.WHY[ToolStatus.MAINTENANCE],
    "unsafe": off.UNSAFE,
    "lost": off.WHY[ToolStatus.MISSING],
}


@pytest.mark.parametrize("how", HOW)
async def test_requests_are_declined_with_the_reason_and_promises_stand(tx: Tx, how: str) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    promised, asked = await elm.promised(elm.cy, 2), await elm.asked(elm.cy, 4)
    his_own = await elm.asked(elm.ben, 6)
    await goes_off(elm, how, loan)
    for each in (asked, his_own):
        fresh = await elm.fresh(each)
        assert (fresh.state, fresh.reason) == (State.DECLINED, HOW[how])
        assert HOW[how] in (await lines_of(tx, each))[-1]
    assert Kind.DECLINED in await heard(tx, elm.cy)
    assert (await elm.fresh(promised)).state == State.APPROVED
    with pytest.raises((Refusal, NotFound)):  # what is missing hangs nowhere
        await elm.asked(elm.cy, 8)
    if how in ("unsafe", "lost"):
        told = [kind for kind in await heard(tx, elm.cy) if kind in ("unsafe", "tool_missing")]
        assert len(told) == 1, "of what is promised, and not of the request besides"


@pytest.mark.parametrize("how", ["repaired", "unsafe", "lost"])
async def test_nothing_is_kept_for_who_waits_until_it_is_lent_again(tx: Tx, how: str) -> None:
    elm = await elm_street(tx)
    loan, first = await elm.out(elm.ben, 0), await elm.promised(elm.cora, 3)
    await waits_for(elm, elm.cy, 3)
    await commands.cancel(tx, first.id, elm.cora, NOW)
    await woken(elm)
    assert await offered(elm) == [elm.days(3)]
    await goes_off(elm, how, loan)
    await woken(elm)
    assert await offered(elm) == []
    assert (await heard(tx, elm.cy))[-1] == Kind.WAIT_PAUSED
    assert (await wish_of(elm, elm.cy)).outcome == "open"
    with pytest.raises((Refusal, NotFound)):  # what is missing hangs nowhere
        await waitlist.accept(tx, elm.drill.id, elm.cy, NOW)
    if how == "lost":
        await incidents.is_here(tx, loan.id, elm.ada, NOW + HOUR)
    else:
        await shelf.resume(tx, elm.drill.id, elm.ada, NOW + HOUR)
    await woken(elm, NOW + HOUR)
    assert await offered(elm) == [elm.days(3)]


async def buttons(elm: Elm, who: Viewer) -> list[Action]:
    """Of the promised loans, on the tool's page."""
    shown = await mine.with_tool(elm.tx, who, elm.drill, NOW)
    asked = shown["asked"]
    assert isinstance(asked, dict)
    return [action for actions in asked.values() for action in actions]


async def test_the_lender_of_a_broken_tool_is_asked_and_cancels_with_one_tap(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    promised = await elm.promised(elm.cy, 2)
    assert await buttons(elm, elm.ada) == []
    tx.info.pop("touched", None)
    await unsafe.mark(tx, loan.id, elm.ben, NOW, "The cable is bare.")
    touched = tx.info["touched"]
    for who in (elm.ada, elm.cy):
        assert {topic.things(who.person_id), topic.waiting(who.person_id)} <= touched
    assert topic.loan(elm.here.id, promised.id) in touched
    found = await things(elm, elm.ada, NOW)
    (one,) = [each for each in found["waiting"] if each["loan"].id == promised.id]
    assert one["loan"].next_step.startswith("The tool is being repaired: lend it again in time")
    cancel = one["actions"][0]
    assert (cancel.label, cancel.needs_reason, cancel.why_not) == ("Cancel this loan", False, None)
    labels = [action.label for action in await buttons(elm, elm.ada)]
    assert labels == ["Cancel this loan", "I handed it over"]
    assert await buttons(elm, elm.cy) == []
    await commands.cancel(tx, promised.id, elm.ada, NOW, cancel.fields["reason"])
    assert (await elm.fresh(promised)).reason == off.WHY[ToolStatus.MAINTENANCE]
    assert (await heard(tx, elm.cy))[-1] == Kind.CANCELLED
    assert await buttons(elm, elm.ada) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (ToolStatus.MAINTENANCE, "The tool is being repaired."),
        (ToolStatus.MISSING, "The tool is missing."),
    ],
)
async def test_what_is_broken_or_missing_changes_no_hands(
    tx: Tx, status: ToolStatus, sentence: str
) -> None:
    elm = await elm_street(tx)
    await tools.edit(tx, elm.drill.id, ToolText(self_service=True), elm.ada, NOW)
    await alone.change_box(tx, elm.drill.id, "By the gate", "4711", elm.ada, NOW)
    loan = await elm.asked_at(elm.cy, NOW + HOUR, NOW + 3 * HOUR)
    await commands.approve(tx, loan.id, elm.ada, NOW)
    await amends.set_tool(tx, elm.drill, status, NOW)
    loan, at = await elm.fresh(loan), NOW + HOUR
    for act in (handover.hand_over, codes.show):
        with pytest.raises(Refusal) as refused:
            await act(tx, loan.id, elm.ada, at)
        assert (refused.value.sentence, refused.value.way_out) == (
            *(sentence, "Lend it again on its page first."),
        )
    with pytest.raises(Refusal) as told:
        await alone.take(tx, loan.id, elm.cy, at, Stored("0" * 32, 60, 40))
    assert (told.value.sentence, told.value.lifted_by) == (sentence, "the lender")
    assert told.value.way_out == "Ask the lender when it can be had, or cancel this loan."
    assert await alone.box_for(tx, loan, elm.cy, at) is None, "nothing to fetch, and no key to it"
    await shelf.resume(tx, elm.drill.id, elm.ada, at)
    assert (await handover.hand_over(tx, loan.id, elm.ada, at)).state == State.OUT


async def test_a_promise_of_a_paused_tool_is_kept_or_cancelled_and_nags_nobody(tx: Tx) -> None:
    elm = await elm_street(tx)
    promised = await elm.promised(elm.cy, 2)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    assert await mine.waiting(tx, elm.ada, NOW) == 0
    labels = [action.label for action in await buttons(elm, elm.ada)]
    assert labels == ["I handed it over", "Cancel this loan"]
    (cys,) = (await things(elm, elm.cy, NOW))["borrowing"]
    assert cys.next_step == "The tool is paused: Ada says whether you get it all the same"
    await handover.hand_over(tx, promised.id, elm.ada, promised.start)
    assert await buttons(elm, elm.ada) == []


async def test_once_it_is_lent_again_nobody_is_asked(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.cy, 2)
    await shelf.repair(tx, elm.drill.id, elm.ada, NOW)
    assert await mine.waiting(tx, elm.ada, NOW) == 1
    await shelf.resume(tx, elm.drill.id, elm.ada, NOW)
    assert await mine.waiting(tx, elm.ada, NOW) == 0
    (cys,) = (await things(elm, elm.cy, NOW))["borrowing"]
    assert cys.next_step == "Fetch it from Ada"
