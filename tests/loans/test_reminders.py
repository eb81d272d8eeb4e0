"""What a loan reminds of, when, and that nobody hears it twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range

from app.db import Tx
from app.loans import clockwork, commands, handover, reminders
from app.loans.models import Loan
from app.notices import telling
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.queue import Job
from app.tools.models import ToolStatus
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

WEEK = 7 * DAY


async def heard(tx: Tx, who: Viewer) -> list[str]:
    rows = await tx.scalars(
        select(Notice.kind).where(Notice.person_id == who.person_id).order_by(Notice.id)
    )
    return list(rows)


async def next_reminder(tx: Tx, loan: Loan) -> datetime | None:
    return await tx.scalar(
        select(Job.run_at).where(
            Job.name == "loans.remind", Job.key == f"{loan.community_id}/{loan.id}"
        )
    )


async def remind(elm: Elm, loan: Loan, now: datetime) -> None:
    await clockwork.remind(elm.tx, elm.here.id, loan.id, now)


async def test_the_lender_is_reminded_at_half_time_and_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 5)
    assert await next_reminder(tx, loan) == NOW + 24 * HOUR
    for _ in range(2):
        await remind(elm, loan, NOW + 24 * HOUR)
    assert await heard(tx, elm.ada) == [Kind.REQUESTED, Kind.ANSWER_SOON]
    assert await heard(tx, elm.ben) == []
    assert await next_reminder(tx, loan) is None, "it only runs out from here on"


async def test_an_approved_loan_reminds_both_a_day_before(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 5)
    assert await next_reminder(tx, loan) == loan.start - 24 * HOUR
    await remind(elm, loan, loan.start - 24 * HOUR)
    assert await heard(tx, elm.ben) == [Kind.APPROVED, Kind.STARTS_SOON]
    assert await heard(tx, elm.ada) == [Kind.REQUESTED, Kind.STARTS_SOON]


async def test_what_was_due_before_a_loan_was_approved_is_not_told(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 0, 2)
    assert await next_reminder(tx, loan) == loan.end


async def test_an_overdue_loan_reminds_at_once_after_a_day_and_then_every_week(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 2)
    due: list[datetime] = []
    at: datetime | None = NOW
    while len(due) < 7 and (at := await next_reminder(tx, loan)):
        due.append(at)
        await remind(elm, loan, at)
    end = loan.end
    weekly = [end + DAY + n * WEEK for n in (0, 1, 2)]
    assert due == [end - DAY, end, weekly[0], end + 8 * DAY, *due[4:]]
    assert set(weekly) <= set(due)
    bens = await heard(tx, elm.ben)
    assert bens[1:4] == [Kind.HANDED_OVER, Kind.DUE_SOON, Kind.DUE]
    assert bens[4:] == [Kind.LATE] * len(bens[4:])
    assert await heard(tx, elm.cora) == [Kind.STUCK]


async def test_after_a_long_sleep_only_the_last_of_each_kind_is_told(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0, 2)
    await remind(elm, loan, loan.end + 3 * WEEK)
    assert await heard(tx, elm.ben) == [Kind.APPROVED, Kind.HANDED_OVER, Kind.DUE, Kind.LATE]


async def test_a_claimed_return_reminds_the_lender_and_then_tells_a_coordinator(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    claimed = NOW + 5 * HOUR
    await handover.claim_return(tx, loan.id, elm.ben, claimed)
    for hours in (24, 48):
        assert await next_reminder(tx, loan) == claimed + hours * HOUR
        await remind(elm, loan, claimed + hours * HOUR)
    assert await next_reminder(tx, loan) is None, "then reminders stop"
    assert (await heard(tx, elm.ada))[-2:] == [Kind.RETURN_CLAIMED, Kind.CONFIRM_RETURN]
    assert await heard(tx, elm.cora) == [Kind.STUCK]


async def test_a_final_loan_reminds_of_nothing(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 5)
    await commands.cancel(tx, loan.id, elm.ben, NOW)
    assert await next_reminder(tx, loan) is None
    before = await heard(tx, elm.ada)
    await remind(elm, loan, loan.end)
    assert await heard(tx, elm.ada) == before


async def test_a_day_late_is_the_same_time_of_day_whatever_the_clocks_do() -> None:
    london = ZoneInfo("Europe/London")
    end = datetime(2026, 10, 24, 17, tzinfo=UTC)  # 18:00; the clocks go back in this night
    began = end - DAY
    loan = Loan(state="out", requested_at=began, out_at=began, period=Range(began, end))
    late = [
        one for one in reminders.between(loan, end, end + 2 * DAY, london) if one.kind is Kind.LATE
    ]
    assert [one.due_at.astimezone(london).hour for one in late] == [18]


async def test_three_silent_requests_pause_the_tool_and_say_so(tx: Tx) -> None:
    elm = await elm_street(tx)
    for n in range(3):
        loan = await elm.asked(elm.ben, 5 + n)
        assert elm.drill.status == ToolStatus.LISTED
        await clockwork.expire(tx, elm.here.id, loan.id, loan.expires_at)
    await tx.refresh(elm.drill)
    assert elm.drill.status == ToolStatus.PAUSED
    assert (await heard(tx, elm.ada))[-1] == Kind.PAUSED_FOR_SILENCE


async def test_an_answer_in_between_starts_the_count_anew(tx: Tx) -> None:
    elm = await elm_street(tx)
    for n in range(4):
        loan = await elm.asked(elm.ben, 5 + n)
        if n == 1:
            await commands.decline(tx, loan.id, elm.ada, NOW)
        else:
            await clockwork.expire(tx, elm.here.id, loan.id, loan.expires_at)
    await tx.refresh(elm.drill)
    assert elm.drill.status == ToolStatus.LISTED


ABOUT_WORDS = {  # not about a tool
    *(Kind.REPORTED, Kind.WANTED_ANSWERED, Kind.WANTED_REPORTED, Kind.WANTED_REMOVED),
}


async def test_every_kind_has_words(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.asked(elm.ben, 5)
    notice = await tx.scalar(select(Notice).order_by(Notice.id.desc()))
    assert notice is not None
    await tx.refresh(notice, ["by"])
    for kind in Kind:
        notice.kind = kind
        told = telling.tell(notice, elm.here, NOW, "en-GB")
        assert "Drill" in told.sentence or kind in ABOUT_WORDS
        assert "{" not in told.sentence
        assert told.sentence.endswith((".", "?", "!")), told.sentence
        assert told.path == f"{elm.here.path}/loans/{notice.subject.rsplit('/', 1)[1]}"
    mine = update(Notice).where(Notice.community_id == elm.here.id)
    await tx.execute(mine.values(kind=Kind.REQUESTED))
    assert timedelta() == NOW - notice.at
