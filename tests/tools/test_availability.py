"""What is free between what is taken, and the one writer of what is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from app.db import Tx
from app.errors import Conflict, Span
from app.tools import availability, occupied
from app.tools.models import Occupancy, OccupancyKind
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

ZERO = datetime(2026, 5, 1, tzinfo=UTC)
HOURS = st.integers(0, 200).map(lambda n: ZERO + n * HOUR)
SPANS = st.lists(
    st.tuples(HOURS, st.integers(1, 40)).map(lambda one: (one[0], one[0] + one[1] * HOUR)),
    max_size=8,
)
WINDOW = st.tuples(HOURS, st.integers(0, 200)).map(lambda one: (one[0], one[0] + one[1] * HOUR))


def holds(spans: list[Span], at: datetime) -> bool:
    return any(lower <= at < upper for lower, upper in spans)


@given(SPANS, WINDOW)
def test_every_instant_is_either_free_or_busy(busy: list[Span], window: Span) -> None:
    start, until = window
    free = occupied.free_ranges(busy, start, until)
    at = start
    while at < until:  # everything here is on the hour
        assert holds(free, at) is not holds(busy, at)
        at += HOUR


@given(SPANS, WINDOW)
def test_free_ranges_are_in_order_apart_and_inside(busy: list[Span], window: Span) -> None:
    start, until = window
    free = occupied.free_ranges(busy, start, until)
    assert all(start <= lower < upper <= until for lower, upper in free)
    for (_, end), (begin, _) in pairwise(free):
        assert end < begin, "two that touch would be one"


@given(SPANS, WINDOW)
def test_the_order_of_what_is_taken_does_not_matter(busy: list[Span], window: Span) -> None:
    assert occupied.free_ranges(busy[::-1], *window) == occupied.free_ranges(busy, *window)


@given(SPANS, WINDOW, st.integers(1, 60))
def test_the_nearest_free_ones_are_long_enough_few_and_in_order(
    busy: list[Span], window: Span, hours: int
) -> None:
    free = occupied.free_ranges(busy, *window)
    wanted = (ZERO + 100 * HOUR, ZERO + (100 + hours) * HOUR)
    found = occupied.nearest(free, *wanted)
    assert len(found) <= 3
    assert found == sorted(found)
    assert set(found) <= set(free)
    assert all(upper - lower >= hours * HOUR for lower, upper in found)
    fitting = [span for span in free if span[1] - span[0] >= hours * HOUR]
    assert len(found) == min(3, len(fitting))
    if any(lower <= wanted[0] and wanted[1] <= upper for lower, upper in free):
        assert any(lower <= wanted[0] and wanted[1] <= upper for lower, upper in found)


def test_nothing_is_free_when_one_loan_spans_it_all() -> None:
    assert occupied.free_ranges([(ZERO - DAY, ZERO + 9 * DAY)], ZERO, ZERO + DAY) == []
    assert occupied.nearest([], ZERO, ZERO + DAY) == []


async def occupied_now(elm: Elm) -> int:
    found = await elm.tx.scalar(
        select(func.count())
        .select_from(Occupancy)
        .where(Occupancy.community_id == elm.here.id, Occupancy.tool_id == elm.drill.id)
    )
    return found or 0


def row(elm: Elm, kind: OccupancyKind, period: Span, expires_at: datetime | None) -> Occupancy:
    return Occupancy(
        community_id=elm.here.id,
        tool_id=elm.drill.id,
        kind=kind,
        period=Range(*period),
        person_id=elm.cy.person_id,
        expires_at=expires_at,
    )


async def test_a_hold_that_has_run_out_stands_in_nobodys_way(tx: Tx) -> None:
    elm = await elm_street(tx)
    tx.add(row(elm, OccupancyKind.HOLD, elm.days(1), NOW))
    await tx.flush()
    assert await occupied.busy(tx, elm.here.id, [elm.drill.id], NOW) == {}
    await elm.promised(elm.ben, 1)
    assert await occupied_now(elm) == 1


async def test_a_hold_that_still_runs_is_in_the_way(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1)
    tx.add(row(elm, OccupancyKind.HOLD, elm.days(1), NOW + HOUR))
    await tx.flush()
    with pytest.raises(Conflict, match="just been taken"):
        await availability.claim(
            tx, elm.here.id, elm.drill.id, loan.period, loan_id=loan.id, now=NOW
        )
    assert await occupied_now(elm) == 1, "the transaction goes on after a refused claim"


async def test_a_blackout_has_no_end_of_its_own_and_blocks(tx: Tx) -> None:
    elm = await elm_street(tx)
    tx.add(row(elm, OccupancyKind.BLACKOUT, elm.days(1, 2), None))
    await tx.flush()
    with pytest.raises(Conflict):
        await elm.asked(elm.ben, 2, 3)
    assert (await elm.promised(elm.ben, 3)).state == "approved"


async def test_the_database_alone_refuses_two_claims_that_meet(tx: Tx) -> None:
    elm = await elm_street(tx)
    first, second = await elm.asked(elm.ben, 1), await elm.asked(elm.cy, 1)
    period = first.period
    await availability.claim(tx, elm.here.id, elm.drill.id, period, loan_id=first.id, now=NOW)
    assert period.upper is not None
    for meets in (period, Range(period.upper - timedelta(microseconds=1), period.upper + DAY)):
        with pytest.raises(Conflict):
            await availability.claim(
                tx, elm.here.id, elm.drill.id, meets, loan_id=second.id, now=NOW
            )
    touches = Range(period.upper, period.upper + DAY)
    await availability.claim(tx, elm.here.id, elm.drill.id, touches, loan_id=second.id, now=NOW)
    assert await occupied_now(elm) == 2


async def test_what_has_passed_of_today_is_not_claimed(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 0)
    (period,) = await tx.scalars(
        select(Occupancy.period).where(
            Occupancy.community_id == elm.here.id, Occupancy.tool_id == elm.drill.id
        )
    )
    assert (period.lower, period.upper) == (NOW, elm.days(0)[1])


async def test_each_tool_has_dates_of_its_own(tx: Tx) -> None:
    elm, oak = await elm_street(tx), await elm_street(tx)
    await elm.promised(elm.ben, 1)
    await oak.promised(oak.ben, 1)
    both = [elm.drill.id, oak.drill.id]
    assert list(await occupied.busy(tx, elm.here.id, both, NOW)) == [elm.drill.id]


async def test_what_has_ended_is_not_busy_any_more(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    tools = [elm.drill.id]
    assert await occupied.busy(tx, elm.here.id, tools, loan.end) == {}
    last = await occupied.busy(tx, elm.here.id, tools, loan.end - timedelta(seconds=1))
    assert last == {elm.drill.id: [(loan.start, loan.end)]}
