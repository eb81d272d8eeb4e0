"""The one line on a card: free, asked for, reserved, out, overdue, and from or until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects.postgresql import Range

from app.board.availability import ICONS, Now, state_of
from app.errors import Span
from app.loans.models import Loan
from app.loans.states import State
from app.people.viewer import Here
from app.tools.models import Tool, ToolStatus

ZONE = ZoneInfo("Europe/London")
HERE = Here(1, "elm", "Elm Street", ZONE, "en-GB", "GBP", "request")
NOW = datetime(2026, 5, 1, 12, tzinfo=ZONE).astimezone(UTC)  # a Friday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIDNIGHT = datetime(2026, 5, 1, tzinfo=ZONE).astimezone(UTC)


def days(first: int, last: int | None = None) -> Span:
    """Whole days counted from today, both inclusive."""
    end = first if last is None else last
    return MIDNIGHT + first * DAY, MIDNIGHT + (end + 1) * DAY


def loan(state: State, period: Span, expires_at: datetime = NOW + DAY) -> Loan:
    return Loan(
        community_id=1, tool_id=7, state=state, period=Range(*period), expires_at=expires_at
    )


def seen(
    loans: Sequence[Loan] = (),
    busy: Sequence[Span] = (),
    status: ToolStatus = ToolStatus.LISTED,
    now: datetime = NOW,
) -> Now:
    tool = Tool(community_id=1, id=7, status=status)
    return state_of(tool, loans, busy, HERE, now, "en-GB")


def test_what_nobody_wants_is_free_now() -> None:
    assert seen() == Now("free", "Free now", free_now=True, next_free=NOW)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (ToolStatus.PAUSED, "paused", "Paused"),
        (ToolStatus.ARCHIVED, "paused", "Archived"),
        (ToolStatus.MAINTENANCE, "maintenance", "Being repaired"),
    ],
)
def test_what_is_not_lent_says_so_and_nothing_else(
    status: ToolStatus, kind: str, words: str
) -> None:
    state = seen([loan(State.APPROVED, days(1))], [days(1)], status)
    assert (state.kind, state.words, state.free_now, state.next_free) == (kind, words, False, None)


def test_what_was_asked_for_can_still_be_had() -> None:
    state = seen([loan(State.REQUESTED, days(2, 3))])
    assert (state.kind, state.words, state.when) == (
        "asked",
        "Asked for",
        "Sun 3 May – Mon 4 May",
    )
    assert state.free_now
    assert state.next_free == NOW


def test_several_who_ask_are_counted() -> None:
    asked = [loan(State.REQUESTED, days(n)) for n in (1, 2, 3)]
    assert seen(asked).when == "tomorrow, and 2 more"


def test_requests_that_have_run_out_do_not_count() -> None:
    gone = loan(State.REQUESTED, days(1), expires_at=NOW)
    assert seen([gone]).kind == "free"
    assert seen([gone, loan(State.REQUESTED, days(2))]).when == "Sun 3 May"


@pytest.mark.parametrize(
    ("first", "kind", "words", "when"),
    [
        (1, "reserved", "Reserved", "from tomorrow"),
        (7, "reserved", "Reserved", "from Fri 8 May"),
        (8, "free", "Free now", "reserved from Sat 9 May"),
    ],
)
def test_a_reservation_is_the_news_for_a_week_ahead(
    first: int, kind: str, words: str, when: str
) -> None:
    state = seen([loan(State.APPROVED, days(first))], [days(first)])
    assert (state.kind, state.words, state.when) == (kind, words, when)
    assert state.free_now
    assert state.at == days(first)[0]


def test_a_reservation_that_has_begun_lasts_until_its_end() -> None:
    state = seen([loan(State.APPROVED, days(0, 1))], [days(0, 1)])
    assert (state.words, state.when) == ("Reserved", "until tomorrow")
    assert not state.free_now
    assert state.next_free == days(1)[1]


def test_reservations_that_touch_are_one_and_a_gap_is_free() -> None:
    together = [days(0), days(1), days(2, 4)]
    assert seen(busy=together).next_free == days(4)[1]
    assert seen(busy=[days(0), days(2, 4)]).next_free == days(0)[1]


def test_what_is_out_says_until_when() -> None:
    state = seen([loan(State.OUT, days(-1, 0))], [days(-1, 0)])
    assert (state.kind, state.words, state.when) == ("out", "Out", "until the end of today")
    assert not state.free_now
    assert state.next_free == days(0)[1]


def test_what_goes_straight_to_the_next_is_free_only_after_both() -> None:
    loans = [loan(State.OUT, days(0)), loan(State.APPROVED, days(1, 2))]
    state = seen(loans, [days(0), days(1, 2)])
    assert state.when == "until the end of today"
    assert state.next_free == days(2)[1]


def test_a_request_beside_what_is_out_does_not_hide_that_it_is_out() -> None:
    loans = [loan(State.REQUESTED, days(-1)), loan(State.OUT, days(0))]
    assert seen(loans, [days(0)]).kind == "out"


def test_a_claimed_return_is_on_its_way_even_when_it_is_late() -> None:
    for now in (NOW, NOW + 5 * DAY):
        state = seen([loan(State.RETURN_CLAIMED, days(0))], [], now=now)
        assert (state.kind, state.words, state.when) == ("out", "On its way back", "")
        assert not state.free_now
        assert state.next_free is None


@pytest.mark.parametrize(
    ("end", "when"),
    [
        (NOW, "since 12:00"),
        (NOW - 3 * HOUR, "since 09:00"),
        (MIDNIGHT, "since yesterday"),
        (NOW - DAY, "since yesterday"),
        (MIDNIGHT - DAY, "by 2 days"),
        (NOW - 3 * DAY, "by 3 days"),
    ],
)
def test_overdue_is_said_as_people_say_it(end: datetime, when: str) -> None:
    state = seen([loan(State.OUT, (end - DAY, end))])
    assert (state.kind, state.words, state.when, state.at) == ("overdue", "Overdue", when, end)
    assert not state.free_now
    assert state.next_free is None, "nobody can say"


def test_overdue_begins_at_the_due_minute() -> None:
    assert seen([loan(State.OUT, (NOW - DAY, NOW + timedelta(seconds=1)))]).kind == "out"
    assert seen([loan(State.OUT, (NOW - DAY, NOW))]).kind == "overdue"


def test_what_is_overdue_stays_so_while_the_next_one_waits() -> None:
    loans = [loan(State.OUT, days(-2, -1)), loan(State.APPROVED, days(0))]
    state = seen(loans, [days(0)])
    assert (state.kind, state.when) == ("overdue", "since yesterday")


def test_every_kind_has_a_picture() -> None:
    kinds = {"free", "asked", "reserved", "out", "overdue", "paused", "maintenance"}
    assert set(ICONS) == kinds
    assert seen().icon == "circle-check"
