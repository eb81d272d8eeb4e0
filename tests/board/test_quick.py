"""The quick choices of a tool's page: the same for everybody, and true for as long as they hang."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.board import quick
from app.board.availability import Now
from app.board.queries import Seen, veil
from app.board.quick import Quick
from app.errors import Span
from app.tools import lending
from app.tools.lending import Lending, Window
from app.tools.models import Tool, ToolStatus
from tests.board.test_availability import DAY, HERE, HOUR, MIDNIGHT, NOW, days

GB = "en-GB"


def tool(rules: Lending, status: ToolStatus = ToolStatus.LISTED) -> Tool:
    return Tool(
        community_id=1,
        id=7,
        status=status,
        shortest_hours=rules.shortest_hours,
        longest_days=rules.longest_days,
        notice_hours=rules.notice_hours,
        horizon_days=rules.horizon_days,
        buffer_hours=rules.buffer_hours,
        windows=lending.rows_of(rules.windows),
    )


def choices(
    rules: Lending = Lending(), busy: Sequence[Span] = (), now: datetime = NOW
) -> dict[str, Quick]:
    seen = Seen(tool(rules), Now("free", "Free now"), (), busy)
    return {one.name: one for one in quick.choices(seen, HERE, now, GB)}


def possible(one: Quick, now: datetime) -> bool:
    """As a page decides it."""
    return any(begins <= now < ends for begins, ends in one.possible)


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return MIDNIGHT + day * DAY + timedelta(hours=hour, minutes=minute)


def test_there_are_four_and_each_fills_the_form_in() -> None:
    found = choices()
    assert list(found) == ["hours", "evening", "tomorrow", "weekend"]
    assert not any(one.taken for one in found.values())
    assert found["hours"].query == "hours=2"
    assert found["tomorrow"].query == "start=2026-05-02&end=2026-05-02"
    assert found["weekend"].query == "start=2026-05-02&end=2026-05-03"
    evening = "start=2026-05-01&end=2026-05-01&start_time=18%3A00&end_time=22%3A00"
    assert found["evening"].query == evening


def test_what_is_taken_keeps_its_place_and_says_so() -> None:
    found = choices(busy=[days(1)])
    assert list(found) == ["hours", "evening", "tomorrow", "weekend"]
    assert [one.taken for one in found.values()] == [False, False, True, True]


def test_the_rest_after_a_loan_counts() -> None:
    busy = [(at(23), at(23, 30))]
    assert not choices(busy=busy)["evening"].taken
    assert choices(Lending(buffer_hours=2), busy)["evening"].taken


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        (Lending(notice_hours=6), ["evening", "tomorrow", "weekend"]),
        (Lending(notice_hours=12), ["evening", "tomorrow", "weekend"]),
        (Lending(notice_hours=24), []),
        (Lending(shortest_hours=3), ["evening", "tomorrow", "weekend"]),
        (Lending(shortest_hours=48), ["weekend"]),
        (Lending(longest_days=1), ["hours", "evening", "tomorrow"]),
        (Lending(windows=(Window(4, time(17), time(20)),)), ["hours"]),
        (Lending(windows=(Window(5, time(9), time(12)),)), ["tomorrow"]),
    ],
)
def test_only_what_the_rules_allow_on_this_day_is_offered(rules: Lending, names: list[str]) -> None:
    """On a Friday."""
    assert list(choices(rules)) == names


def test_notice_ends_a_choice_before_it_begins() -> None:
    found = choices(Lending(notice_hours=6))
    assert possible(found["evening"], at(11, 59))
    assert not possible(found["evening"], at(12))
    assert possible(found["tomorrow"], at(17, 59))
    assert not possible(found["tomorrow"], at(18))


def test_there_is_an_evening_until_eight() -> None:
    evening = choices()["evening"]
    assert possible(evening, at(19, 59))
    assert not possible(evening, at(20))


def test_two_hours_fit_between_two_loans_and_only_there() -> None:
    two = choices(busy=[(at(9), at(13)), (at(17), at(19))])["hours"]
    said = {hour: possible(two, hour) for hour in (at(12), at(13), at(14, 59), at(15, 1), at(19))}
    assert list(said.values()) == [False, True, True, False, True]
    assert choices(busy=[days(0, 1)])["hours"].taken


def test_two_hours_lie_within_the_windows_of_the_day() -> None:
    two = choices(Lending(windows=(Window(4, time(17), time(20)),)))["hours"]
    assert [possible(two, at(*when)) for when in ((16, 59), (17, 0), (17, 59), (18, 1))] == [
        *(False, True, True, False),
    ]


def test_two_hours_end_with_the_day_where_a_loan_has_one_day() -> None:
    two = choices(Lending(longest_days=1))["hours"]
    assert [possible(two, at(*when)) for when in ((0, 0), (21, 45), (22, 0), (23, 0))] == [
        *(True, True, False, False),
    ]
    for minute in range(0, 24 * 60, 7):
        now = at(0, minute)
        if possible(two, now):
            period = quick.typed_period(quick.from_now(2, HERE, now), HERE)
            assert period is not None
            assert clock.started_days(*period, HERE.zone) == 1
    assert possible(choices(Lending(longest_days=2))["hours"], at(23)), "over midnight"


def test_the_same_choices_hang_all_day_long() -> None:
    """They come with a region that is drawn anew only when something happens to the tool."""
    busy = [days(2), (at(23, 50), at(10, day=1))]
    first = choices(busy=busy, now=MIDNIGHT)
    for minutes in range(0, 24 * 60, 47):
        assert choices(busy=busy, now=MIDNIGHT + timedelta(minutes=minutes)) == first


def test_two_hours_from_now_on_begin_with_the_next_quarter_in_any_zone() -> None:
    assert quick.from_now(2, HERE, at(13, 7)) == {
        "start": "2026-05-01",
        "end": "2026-05-01",
        "start_time": "13:15",
        "end_time": "15:15",
    }
    kathmandu = type(HERE)(1, "elm", "Elm", ZoneInfo("Asia/Kathmandu"), GB, "NPR", "request")
    now = datetime(2026, 5, 1, 23, 7, tzinfo=kathmandu.zone)
    said = quick.from_now(2, kathmandu, now)
    assert (said["start_time"], said["end"], said["end_time"]) == (
        *("23:15", "2026-05-02", "01:15"),
    )


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
def test_two_hours_are_possible_on_the_whole_of_a_longer_or_shorter_day(
    day: tuple[int, int, int],
) -> None:
    now = datetime(*day, 0, 1, tzinfo=HERE.zone)
    found = choices(now=now)["hours"]
    assert list(found.possible) == [clock.days(now.date(), now.date(), HERE.zone)]


def test_two_hours_over_the_missing_hour_are_two_hours() -> None:
    now = datetime(2026, 3, 29, 0, 1, tzinfo=HERE.zone)
    period = quick.typed_period(quick.from_now(2, HERE, now), HERE)
    assert period is not None
    assert period[1] - period[0] == 2 * HOUR


def test_hours_that_close_in_the_doubled_hour_close_with_the_second() -> None:
    now = datetime(2026, 10, 25, 0, 1, tzinfo=HERE.zone)
    two = choices(Lending(windows=(Window(6, time(0), time(1, 30)),)), now=now)["hours"]
    assert list(two.possible) == [(now.replace(minute=0), now.replace(minute=30))], "01:30 GMT"


def test_nothing_is_offered_of_what_is_not_lent_or_seems_so() -> None:
    paused = Seen(tool(Lending(), ToolStatus.PAUSED), Now("paused", "Paused"), (), ())
    assert quick.choices(paused, HERE, NOW, GB) == []
    seen = Seen(tool(Lending()), Now("free", "Free now"), (), ())
    assert quick.choices(veil(seen), HERE, NOW, GB) == []
