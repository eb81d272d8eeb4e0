"""When a tool is free, as a grid and as a list that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.board import calendar
from app.board.availability import Now
from app.board.queries import Seen
from app.errors import Span
from app.loans.models import Loan
from app.loans.states import State
from app.tools.lending import HORIZON_DAYS
from app.tools.models import Tool, ToolStatus
from app.tools.occupied import Hold
from tests.board.test_availability import DAY, HERE, HOUR, NOW, days, loan

GB = "en-GB"


def one(
    loans: Sequence[Loan] = (), busy: Sequence[Span] = (), status: ToolStatus = ToolStatus.LISTED
) -> Seen:
    return Seen(Tool(community_id=1, id=7, status=status), Now("free", "Free now"), loans, busy)


def drawn(seen: Seen, now: datetime = NOW) -> Any:
    return calendar.draw(seen, HERE, now, GB)


def kinds(seen: Seen, now: datetime = NOW) -> dict[str, str]:
    return {day["iso"]: day["kind"] for day in every_day(drawn(seen, now))}


def every_day(told: Any) -> list[Any]:
    return [day for month in told["months"] for week in month["weeks"] for day in week if day]


def test_the_grid_has_each_month_until_the_last_day_one_can_ask_for() -> None:
    told = drawn(one())
    assert [month["name"] for month in told["months"]] == [
        *("May 2026", "June 2026", "July 2026"),
    ]
    assert {len(week) for month in told["months"] for week in month["weeks"]} == {7}
    first = told["months"][0]["weeks"][0]
    assert [day and day["iso"] for day in first[3:5]] == [None, "2026-05-01"], "a Friday"
    (today,) = [day for day in every_day(told) if day["today"]]
    assert today["iso"] == "2026-05-01"
    assert today["label"] == "Friday 1 May, today, free"
    kinds_then = {day["iso"]: day["kind"] for day in every_day(told)}
    assert (kinds_then["2026-07-30"], kinds_then["2026-07-31"]) == ("free", "far")


def test_each_day_says_aloud_what_its_colour_shows() -> None:
    told = drawn(one([loan(State.REQUESTED, days(5))], [days(2)]))
    labels = {day["iso"]: day["label"] for day in every_day(told)}
    assert labels["2026-05-03"] == "Sunday 3 May, taken"
    assert labels["2026-05-06"] == "Wednesday 6 May, asked for"


def test_days_gone_by_are_past_whatever_was_in_them() -> None:
    assert kinds(one(busy=[days(0, 2)]), NOW + DAY)["2026-05-01"] == "past"
    found = kinds(one(busy=[days(-2, 1)]))
    assert found["2026-05-01"] == found["2026-05-02"] == "busy"
    assert found["2026-05-03"] == "free"


def test_a_day_of_which_an_hour_is_taken_is_free_for_the_rest() -> None:
    start = days(3)[0] + 9 * HOUR
    found = kinds(one(busy=[(start, start + HOUR)]))
    assert [found[f"2026-05-0{n}"] for n in (3, 4, 5)] == ["free", "partly", "free"]


def test_what_is_asked_for_stands_behind_what_is_taken() -> None:
    asked = [loan(State.REQUESTED, days(1, 3)), loan(State.REQUESTED, days(5), expires_at=NOW)]
    found = kinds(one(asked, [days(2)]))
    assert [found[f"2026-05-0{n}"] for n in (2, 3, 4, 6)] == ["asked", "busy", "asked", "free"]


def test_the_list_says_what_the_grid_shows() -> None:
    told = drawn(one([loan(State.REQUESTED, days(5))], [days(2, 3)]))
    assert [line["words"] for line in told["busy"]] == [
        "Sun 3 May – Mon 4 May, taken",
        "Wed 6 May, asked for",
    ]
    assert told["free"] == ["From now until tomorrow", "From Tue 5 May"]


def test_a_day_that_two_loans_fill_is_taken() -> None:
    start, end = days(3)
    noon = start + 12 * HOUR
    assert kinds(one(busy=[(start, noon), (noon, end)]))["2026-05-04"] == "busy"


def test_who_chooses_sees_their_own_dates_and_others_only_somebodys() -> None:
    hold = Hold(5, *days(3, 4), NOW + HOUR)
    for whose, kind, mine in ((5, "mine", True), (6, "choosing", False), (None, "choosing", False)):
        told: Any = calendar.draw(one(), HERE, NOW, GB, [hold], whose)
        found = {day["iso"]: day["kind"] for day in every_day(told)}
        assert [found[f"2026-05-0{n}"] for n in (3, 4, 5, 6)] == ["free", kind, kind, "free"]
        assert told["choosing"] == [
            {"mine": mine, "words": "Mon 4 May – Tue 5 May", "until": NOW + HOUR}
        ]


def test_days_without_a_window_are_shown_as_such() -> None:
    seen = one()
    seen.tool.windows = [[5, "09:00", "12:00"]]
    shut = {day["iso"] for day in every_day(drawn(seen)) if day["shut"]}
    assert {"2026-05-01", "2026-05-03"} <= shut
    assert "2026-05-02" not in shut


def test_a_gap_between_two_loans_is_named_by_its_days() -> None:
    told = drawn(one(busy=[days(2), days(5)]))
    assert told["free"][1] == "Mon 4 May – Tue 5 May"


def test_a_long_list_ends() -> None:
    many = [days(2 * n) for n in range(1, 30)]
    told = drawn(one(busy=many))
    assert len(told["busy"]) == len(told["free"]) == calendar.LINES


def test_what_is_free_ends_with_the_last_day_one_can_ask_for() -> None:
    (span,) = calendar.free(one(), HERE, NOW)
    last = clock.local_day(NOW, HERE.zone) + HORIZON_DAYS * DAY
    assert span == (NOW, clock.day_start(last + DAY, HERE.zone))


def test_what_is_overdue_takes_the_present_but_no_later_day() -> None:
    late = one([loan(State.OUT, days(-2, -1))])
    assert kinds(late)["2026-05-01"] == "busy"
    assert kinds(late)["2026-05-02"] == "free"
    assert calendar.free(late, HERE, NOW)[0][0] > NOW


@pytest.mark.parametrize("status", [ToolStatus.PAUSED, ToolStatus.ARCHIVED])
def test_what_is_not_lent_tells_no_dates(status: ToolStatus) -> None:
    hidden = one([loan(State.APPROVED, days(1))], [days(1)], status)
    assert drawn(hidden) == {"choosing": [], "busy": [], "free": [], "months": []}
    assert calendar.free(hidden, HERE, NOW) == []


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("America/New_York", date(2026, 3, 8)),
        ("America/Santiago", date(2026, 9, 6)),
    ],
)
def test_on_days_when_clocks_change_no_day_is_missing_or_doubled(zone: str, day: date) -> None:
    here = replace(HERE, zone=ZoneInfo(zone))
    now = datetime.combine(day - DAY, datetime.min.time(), tzinfo=UTC) + 18 * HOUR
    busy = [clock.days(day, day, here.zone)]
    told: Any = calendar.draw(one(busy=busy), here, now, GB)
    found = [(date.fromisoformat(d["iso"]), d["kind"]) for d in every_day(told)]
    assert [at for at, _ in found] == [found[0][0] + timedelta(days=n) for n in range(len(found))]
    assert [at for at, kind in found if kind == "busy"] == [day]
