"""The demo's stories as they are written: every line can be read, at any hour of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.demo.load import PLACES
from app.demo.places import SHOTS, Place
from app.demo.played import ACTS
from app.demo.script import Calendar, scenes
from app.demo.stage import LISTS


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.slug)
def test_each_scene_keeps_its_order_at_any_hour_of_the_year(place: Place) -> None:
    now = datetime(2027, 1, 1, 0, 20, tzinfo=UTC)
    while now.year == 2027:
        calendar = Calendar(now, ZoneInfo(place.zone))
        for scene in place.story:
            instants = [calendar.instant(line.at) for line in scene.lines]
            assert instants == sorted(set(instants)), (now, scene.tool)
            assert instants[-1] <= now
            if scene.first:
                start, end = calendar.period(scene.first, scene.last)
                assert start < end
        now += timedelta(hours=17)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.slug)
def test_a_story_names_only_tools_people_and_deeds_that_exist(place: Place) -> None:
    owners = {tool.key: tool.owner for tool in place.tools}
    people = {person.first for person in place.people}
    assert len(owners) == len(place.tools)
    assert all(tool.picture.exists() for tool in place.tools)
    for scene in place.story:
        for line in scene.lines:
            assert line.does in {*ACTS, LISTS}
            assert line.who in people
            assert not line.shot or (SHOTS / f"{line.shot}.webp").exists()


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="line 2 cannot be read"):
        list(scenes("jigsaw: gus, 0\n  yesterday gus asks"))
    with pytest.raises(ValueError, match="line 1 belongs to no scene"):
        list(scenes("  -1 10:00 gus asks"))


@pytest.mark.parametrize(
    ("now", "ago", "then"),
    [
        ("2026-07-15 12:00", 60, "2026-07-15 11:00"),
        ("2026-07-15 08:10", 30, "2026-07-14 21:10"),
        ("2026-07-15 04:00", 30, "2026-07-14 21:00"),
        ("2026-07-15 23:45", 30, "2026-07-15 21:00"),
        ("2026-07-15 08:00", 14 * 60, "2026-07-13 21:00"),
    ],
)
def test_minutes_ago_are_minutes_awake(now: str, ago: int, then: str) -> None:
    zone = ZoneInfo("Europe/London")
    calendar = Calendar(datetime.fromisoformat(now).replace(tzinfo=zone).astimezone(UTC), zone)
    expected = datetime.fromisoformat(then).replace(tzinfo=zone)
    assert calendar.instant(f"{ago} min ago") == expected


@pytest.mark.parametrize("today", ["2026-07-13", "2026-07-17", "2026-07-18", "2026-07-19"])
def test_the_weekend_is_the_next_one_and_never_today(today: str) -> None:
    zone = ZoneInfo("Europe/London")
    now = datetime.fromisoformat(f"{today} 12:00").replace(tzinfo=zone)
    start, end = Calendar(now, zone).period("sat", "sun")
    assert (start.astimezone(zone).weekday(), end.astimezone(zone).weekday()) == (5, 0)
    assert timedelta() < start - now < timedelta(days=7)
    assert end - start == timedelta(days=2)
