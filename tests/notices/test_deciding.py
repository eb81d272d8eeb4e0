"""Kind × channel × preference × quiet hour × pause × mute × seen: what goes where, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from app.notices.deciding import MailWish, Question, Quiet, Verdict, Why, Wish, decide
from app.notices.kinds import GROUP_WORDS, KINDS, Channel, Group, Weight, weight_of
from app.notices.models import Kind
from app.notices.telling import SENTENCES

LONDON, TOKYO = ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")
NIGHT = (time(22), time(7))
NOON = datetime(2026, 5, 1, 11, tzinfo=UTC)  # in London
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SECOND = timedelta(seconds=1)
AGES = (0 * SECOND, 14 * SECOND, 16 * SECOND, 3 * MINUTE, 6 * MINUTE, 16 * MINUTE, DAY, 3 * DAY)
PAUSES = (None, -2 * DAY, 2 * DAY)  # when the pause ends or ended, as seen from now


def test_each_kind_has_a_group_a_weight_and_a_sentence() -> None:
    assert set(KINDS) == set(Kind) == set(SENTENCES)
    assert set(GROUP_WORDS) == set(Group)


def patience(asked: Question) -> timedelta:
    urgent = weight_of(asked.kind) is Weight.URGENT
    if asked.channel is Channel.PUSH:
        return timedelta(seconds=15) if urgent else 2 * MINUTE
    return 5 * MINUTE if urgent else 15 * MINUTE


def calm(asked: Question) -> bool:
    return weight_of(asked.kind) is Weight.CALM or asked.wish.mail is MailWish.DAILY


def paused(asked: Question) -> bool:
    return asked.paused_until is not None and asked.told_at < asked.paused_until


def gathers(asked: Question) -> bool:
    return asked.channel is Channel.MAIL and (calm(asked) or paused(asked))


@cache
def next_eight(at: datetime) -> datetime:
    """By trying the minutes: the next 8:00 in London."""
    minute = at.replace(second=0, microsecond=0)
    while minute < at or minute.astimezone(LONDON).time() != time(8):
        minute += MINUTE
    return minute


def not_before(asked: Question) -> datetime:
    due = asked.told_at + patience(asked)
    if paused(asked) and asked.paused_until:
        due = max(due, asked.paused_until)
    return next_eight(due) if gathers(asked) else due


def at_night(now: datetime) -> bool:
    hour = now.astimezone(LONDON).hour
    return hour >= 22 or hour < 7


# The first line that fits is what happens.
Line = tuple[Callable[[Question, datetime], bool], Verdict, Why]
TABLE: tuple[Line, ...] = (
    (lambda asked, _: asked.seen, Verdict.NEVER, Why.SEEN),
    (
        lambda asked, _: asked.channel is Channel.PUSH and not asked.wish.push,
        Verdict.NEVER,
        Why.OFF,
    ),
    (
        lambda asked, _: asked.channel is Channel.MAIL and asked.wish.mail is MailWish.NEVER,
        Verdict.NEVER,
        Why.OFF,
    ),
    (lambda asked, _: not asked.reachable, Verdict.NEVER, Why.UNREACHABLE),
    (
        lambda asked, _: asked.muted and weight_of(asked.kind) is not Weight.URGENT,
        Verdict.NEVER,
        Why.MUTED,
    ),
    (
        lambda asked, _: asked.channel is Channel.PUSH and paused(asked),
        Verdict.NEVER,
        Why.PAUSED,
    ),
    (lambda asked, now: now < not_before(asked), Verdict.LATER, Why.EARLY),
    (lambda asked, now: now >= not_before(asked) + DAY, Verdict.NEVER, Why.TOO_LATE),
    (lambda _, now: at_night(now), Verdict.LATER, Why.QUIET),
    (lambda *_: True, Verdict.SEND, Why.DUE),
)


def questions(kind: Kind) -> Iterator[tuple[Question, datetime]]:
    """Every combination for one kind, each at noon and in the night."""
    for now in (NOON, NOON + timedelta(hours=12, minutes=20)):
        for channel, push, mail, age, pause, muted, seen, reachable in product(
            Channel,
            (True, False),
            MailWish,
            AGES,
            PAUSES,
            (True, False),
            (True, False),
            (True, False),
        ):
            question = Question(
                kind=kind,
                channel=channel,
                told_at=now - age,
                seen=seen,
                wish=Wish(push, mail),
                quiet=Quiet(*NIGHT, LONDON),
                paused_until=None if pause is None else now + pause,
                muted=muted,
                reachable=reachable,
            )
            yield question, now


ONE_OF_EACH_WEIGHT = {weight: kind for kind, (_, weight) in KINDS.items()}


@pytest.mark.parametrize("weight", Weight)
def test_the_table_says_what_happens(weight: Weight) -> None:
    met: set[Why] = set()
    for asked, now in questions(ONE_OF_EACH_WEIGHT[weight]):
        decision = decide(asked, now)
        _, verdict, why = next(line for line in TABLE if line[0](asked, now))
        assert (decision.verdict, decision.why) == (verdict, why), (asked, now)
        assert (decision.at is not None) == (verdict is Verdict.LATER)
        met.add(why)
        if verdict is Verdict.SEND:
            assert decision.together == gathers(asked), asked
        if why is Why.EARLY:
            assert decision.at == not_before(asked), asked
        if why is Why.QUIET and decision.at:
            assert decision.at.astimezone(LONDON).time() == time(7)
            assert now < decision.at <= now + DAY
    assert met == set(Why) - ({Why.MUTED} if weight is Weight.URGENT else set())


@pytest.mark.parametrize("weight", Weight)
def test_kinds_of_one_weight_are_treated_alike_in_every_cell(weight: Weight) -> None:
    like = ONE_OF_EACH_WEIGHT[weight]
    cells = [(asked, now, decide(asked, now)) for asked, now in questions(like)]
    for kind in (kind for kind, (_, its) in KINDS.items() if its is weight and kind is not like):
        for asked, now, decision in cells:
            assert decide(replace(asked, kind=kind), now) == decision, (kind, asked)


@pytest.mark.parametrize(
    ("begins", "ends", "at", "until"),
    [
        ("22:00", "07:00", "2026-05-01T21:59+01:00", None),
        ("22:00", "07:00", "2026-05-01T22:00+01:00", "2026-05-02T07:00+01:00"),
        ("22:00", "07:00", "2026-05-02T06:59+01:00", "2026-05-02T07:00+01:00"),
        ("22:00", "07:00", "2026-05-02T07:00+01:00", None),
        ("13:00", "15:00", "2026-05-01T14:00+01:00", "2026-05-01T15:00+01:00"),
        ("13:00", "15:00", "2026-05-01T12:59+01:00", None),
        ("08:00", "08:00", "2026-05-01T08:00+01:00", None),
        # The nights in which the clocks change are as long as they are.
        ("22:00", "07:00", "2026-03-28T23:00+00:00", "2026-03-29T07:00+01:00"),
        ("22:00", "07:00", "2026-10-24T23:00+01:00", "2026-10-25T07:00+00:00"),
        # A border in the hour that the clocks skip: it is passed as they jump, from 1:00 to 2:00.
        ("22:00", "01:30", "2026-03-29T00:59+00:00", "2026-03-29T01:00+00:00"),
        ("22:00", "01:30", "2026-03-29T02:00+01:00", None),
        ("01:30", "07:00", "2026-03-29T00:59+00:00", None),
        ("01:30", "07:00", "2026-03-29T02:00+01:00", "2026-03-29T07:00+01:00"),
        ("01:10", "01:50", "2026-03-29T02:00+01:00", None),
        # A border in the hour that comes twice: the first time is the one that counts.
        ("22:00", "01:30", "2026-10-25T01:29+01:00", "2026-10-25T01:30+01:00"),
        ("22:00", "01:30", "2026-10-25T01:30+01:00", None),
        ("22:00", "01:30", "2026-10-25T01:00+00:00", None),
        ("01:30", "07:00", "2026-10-25T01:29+01:00", None),
        ("01:30", "07:00", "2026-10-25T01:00+00:00", "2026-10-25T07:00+00:00"),
        ("01:10", "01:50", "2026-10-25T01:20+00:00", None),
    ],
)
def test_quiet_hours_end_when_the_clock_on_the_wall_says_so(
    begins: str, ends: str, at: str, until: str | None
) -> None:
    quiet = Quiet(time.fromisoformat(begins), time.fromisoformat(ends), LONDON)
    expected = None if until is None else datetime.fromisoformat(until)
    now = datetime.fromisoformat(at)
    assert quiet.end_of(now) == expected
    ahead = quiet.stretch(now)
    if expected is None:
        assert ahead is None or now < ahead[0]
    else:
        assert ahead is not None
        assert ahead[0] <= now < ahead[1] == expected


def test_quiet_hours_are_those_of_where_the_person_lives() -> None:
    noon_in_london = NOON
    assert Quiet(*NIGHT, LONDON).end_of(noon_in_london) is None
    tokyo = Quiet(time(20), time(7), TOKYO).end_of(noon_in_london)
    assert tokyo == datetime(2026, 5, 2, 7, tzinfo=TOKYO)


def test_what_is_due_when_the_night_ends_is_asked_again_then() -> None:
    evening = datetime(2026, 5, 1, 22, 50, tzinfo=LONDON)
    asked = Question(
        Kind.REQUESTED,
        Channel.PUSH,
        evening,
        False,
        Wish(),
        Quiet(*NIGHT, LONDON),
        None,
        False,
        True,
    )
    morning = decide(asked, evening + 3 * MINUTE).at
    assert morning == datetime(2026, 5, 2, 7, tzinfo=LONDON)
    assert decide(asked, morning).verdict is Verdict.SEND
