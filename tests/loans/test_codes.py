"""Four digits between two phones: for this loan, this way, these ten minutes, the other one."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from app.db import Tx
from app.errors import Conflict, NotFound, Refusal
from app.loans import codes, handover
from app.loans.models import Loan
from app.loans.papers import HandoverCode
from app.loans.states import State
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from tests.loans.living import HOUR, Elm, elm_street
from tests.people.living import NOW


async def shows(elm: Elm, who: Viewer, loan: Loan, now: datetime = NOW) -> str:
    await codes.show(elm.tx, loan.id, who, now)
    shown = await codes.shown(elm.tx, loan, who, now)
    assert shown is not None
    assert shown.mine
    return shown.digits


def another(digits: str) -> str:
    return f"{(int(digits) + 1) % 10_000:04}"


async def told(elm: Elm, who: Viewer) -> list[str]:
    rows = await elm.tx.scalars(select(Notice.kind).where(Notice.person_id == who.person_id))
    return list(rows)


async def test_the_borrower_types_what_the_lender_shows_and_back_again(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    out = await shows(elm, elm.ada, loan)
    assert await codes.use(tx, loan.id, f" {out[:2]} {out[2:]} ", elm.ben, NOW) is None
    assert (loan.state, loan.out_at) == (State.OUT, NOW)
    assert Kind.FETCHED in await told(elm, elm.ada)
    back = await shows(elm, elm.ben, loan, NOW + HOUR)
    assert await codes.use(tx, loan.id, back, elm.ada, NOW + HOUR) is None
    assert (loan.state, loan.back_at) == (State.RETURNED, NOW + HOUR)
    assert Kind.TAKEN_BACK in await told(elm, elm.ben)


async def test_either_side_may_show(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    assert await codes.use(tx, loan.id, await shows(elm, elm.ben, loan), elm.ada, NOW) is None
    assert loan.state == State.OUT
    digits = await shows(elm, elm.ada, loan)
    assert await codes.use(tx, loan.id, digits, elm.ben, NOW) is None
    assert loan.state == State.RETURNED
    assert Kind.GIVEN_BACK in await told(elm, elm.ada)


async def test_who_shows_a_code_cannot_type_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    digits = await shows(elm, elm.ben, loan)
    with pytest.raises(Refusal, match="your own phone"):
        await codes.use(tx, loan.id, digits, elm.ben, NOW)
    assert loan.state == State.APPROVED
    seen = await codes.shown(tx, loan, elm.ada, NOW)
    assert seen is not None
    assert seen.digits == "", "the digits are on one phone alone"


async def test_five_wrong_guesses_end_a_code_even_for_the_right_digits(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    digits = await shows(elm, elm.ada, loan)
    for left in (4, 3, 2, 1, 0):
        refusal = await codes.use(tx, loan.id, another(digits), elm.ben, NOW)
        assert refusal is not None
        assert refusal.status == 422
        assert (str(left) if left else "too often") in (refusal.way_out or "")
    refusal = await codes.use(tx, loan.id, digits, elm.ben, NOW)
    assert refusal is not None
    assert "no code" in refusal.sentence
    assert loan.state == State.APPROVED
    fresh = await shows(elm, elm.ada, loan)
    assert await codes.use(tx, loan.id, fresh, elm.ben, NOW) is None


async def test_what_is_no_code_at_all_costs_no_try(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    digits = await shows(elm, elm.ada, loan)
    for typed in ("", "12", "12345", "abcd", "١٢٣٤", "12 3\x00"):
        with pytest.raises(Refusal, match="4 digits"):
            await codes.use(tx, loan.id, typed, elm.ben, NOW)
    assert await codes.use(tx, loan.id, digits, elm.ben, NOW) is None


async def test_a_new_code_makes_the_old_one_worthless(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    old = await shows(elm, elm.ada, loan)
    new = await shows(elm, elm.ada, loan)
    while new == old:
        new = await shows(elm, elm.ada, loan)
    assert await codes.use(tx, loan.id, old, elm.ben, NOW) is not None
    assert await codes.use(tx, loan.id, new, elm.ben, NOW) is None


async def test_a_code_is_good_for_ten_minutes(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    digits = await shows(elm, elm.ada, loan)
    late = NOW + codes.LASTS
    assert await codes.use(tx, loan.id, digits, elm.ben, late) is not None
    assert await codes.shown(tx, loan, elm.ada, late) is None
    assert await codes.running_out(tx, NOW, late) == [(loan.community_id, loan.id)]


async def test_a_code_opens_no_other_loan(tx: Tx) -> None:
    elm = await elm_street(tx)
    mine, other = await elm.promised(elm.ben, 0), await elm.promised(elm.ben, 1)
    digits = await shows(elm, elm.ada, mine)
    assert await codes.use(tx, other.id, digits, elm.ben, NOW) is not None
    for stranger in (elm.cy, elm.cora):
        with pytest.raises((NotFound, Refusal)):
            await codes.use(tx, mine.id, digits, stranger, NOW)
    assert (mine.state, other.state) == (State.APPROVED, State.APPROVED)


async def test_a_code_for_the_way_out_is_none_for_the_way_back(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    digits = await shows(elm, elm.ada, loan)
    await handover.hand_over(tx, loan.id, elm.ada, NOW)
    refusal = await codes.use(tx, loan.id, digits, elm.ben, NOW)
    assert refusal is not None
    assert loan.state == State.OUT


async def test_a_code_of_another_version_of_the_loan_is_none(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    digits = await shows(elm, elm.ada, loan)
    await handover.claim_return(tx, loan.id, elm.ben, NOW)
    await handover.not_here(tx, loan.id, elm.ada, NOW)
    assert loan.state == State.OUT
    assert await codes.use(tx, loan.id, digits, elm.ben, NOW) is not None
    with pytest.raises(Conflict):
        await codes.use(tx, loan.id, digits, elm.ben, NOW, version=1)


async def test_a_code_is_used_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    digits = await shows(elm, elm.ada, loan)
    version = loan.version
    await codes.use(tx, loan.id, digits, elm.ben, NOW, version=version)
    with pytest.raises(Conflict, match="already out"):
        await codes.use(tx, loan.id, digits, elm.ben, NOW, version=version)
    assert await codes.use(tx, loan.id, digits, elm.ben, NOW) is not None
    assert loan.state == State.OUT


async def test_the_database_holds_nothing_that_the_digits_follow_from(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0)
    digits = await shows(elm, elm.ada, loan)
    row = await tx.get_one(HandoverCode, (loan.community_id, loan.id))
    kept = str({name: value for name, value in vars(row).items() if name[0] != "_"})
    assert f"'{digits}'" not in kept
    assert digits.encode() not in row.nonce + row.code_hash


async def test_no_code_before_the_day_of_the_loan_nor_without_a_second_phone(tx: Tx) -> None:
    elm = await elm_street(tx)
    later = await elm.promised(elm.ben, 3)
    with pytest.raises(Refusal, match="too early"):
        await codes.show(tx, later.id, elm.ben, NOW)
    asked = await elm.asked(elm.cy, 0)
    with pytest.raises(Conflict):
        await codes.show(tx, asked.id, elm.cy, NOW)


async def test_the_borrower_does_not_take_what_is_not_confirmed_to_be_back(tx: Tx) -> None:
    elm = await elm_street(tx)
    first, following = await elm.out(elm.ben, 0), await elm.promised(elm.cy, 1)
    await handover.claim_return(tx, first.id, elm.ben, NOW + HOUR)
    later = first.end + HOUR
    digits = await shows(elm, elm.ada, following, later)
    with pytest.raises(Conflict, match="not confirmed"):
        await codes.use(tx, following.id, digits, elm.cy, later)
    digits = await shows(elm, elm.cy, following, later)
    assert await codes.use(tx, following.id, digits, elm.ada, later) is None
    assert (first.state, following.state) == (State.RETURNED, State.OUT)
