"""What a notice does while nobody has seen it: each step asks again whether it is still needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from app import mail
from app.db import Tx
from app.loans import handover, news
from app.notices import carrying, commands, devices, preferences, steps, truth
from app.notices.deciding import MailWish, Wish
from app.notices.deliveries import Delivery
from app.notices.kinds import Channel, Group
from app.notices.models import Kind, Notice
from app.outgoing import Fate, Outcome
from app.people import queries, sessions
from app.people.keys import digest
from app.people.viewer import Viewer
from app.push import Target
from app.queue import Job
from tests.loans.living import Elm, elm_street
from tests.people.living import NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def elm(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> Elm:
    """Mail is set up, and everybody's address is proved."""
    monkeypatch.setattr(mail, "is_set_up", lambda: True)
    made = await elm_street(tx)
    for who in (made.ada, made.ben, made.cy, made.cora):
        (await queries.person(tx, who.person_id)).verified_at = NOW
    await tx.flush()
    return made


async def rings(tx: Tx, who: Viewer) -> None:
    """One of their browsers can be woken."""
    secret = await sessions.open_session(tx, who.person_id, "a phone", NOW)
    target = Target(f"https://push.example/{who.person_id}", b"k" * 65, b"s" * 16)
    await devices.subscribe(tx, who.person_id, digest(secret), target, NOW)


async def told(tx: Tx, who: Viewer, kind: Kind) -> Notice:
    rows = select(Notice).where(Notice.person_id == who.person_id, Notice.kind == kind)
    return (await tx.scalars(rows.execution_options(populate_existing=True))).one()


async def clock_runs(tx: Tx, elm: Elm, until: datetime) -> None:
    """The steps of this street, each at its time."""
    due = (
        select(Job)
        .where(Job.name == steps.JOB, Job.key.startswith(f"{elm.here.id}/"), Job.run_at <= until)
        .order_by(Job.run_at)
        .limit(1)
    )
    while job := await tx.scalar(due):
        key, at = job.key, job.run_at
        await tx.delete(job)
        await tx.flush()
        await steps.step(tx, key, at)


async def went(tx: Tx, who: Viewer) -> list[tuple[str, int]]:
    """By which channel after how many minutes."""
    rows = await tx.execute(
        select(Delivery.channel, Delivery.send_at, Notice.at)
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(Delivery.person_id == who.person_id)
        .order_by(Delivery.send_at)
    )
    return [(channel, (sent - told) // MINUTE) for channel, sent, told in rows]


async def test_unseen_it_rings_after_two_minutes_and_comes_by_mail_after_fifteen(
    tx: Tx, elm: Elm
) -> None:
    await rings(tx, elm.ada)
    await elm.asked(elm.ben, 2)
    await clock_runs(tx, elm, NOW + MINUTE)
    assert await went(tx, elm.ada) == []
    await clock_runs(tx, elm, NOW + 60 * MINUTE)
    assert await went(tx, elm.ada) == [("push", 2), ("mail", 15)]


async def test_who_has_seen_it_meanwhile_gets_nothing_more(tx: Tx, elm: Elm) -> None:
    await rings(tx, elm.ada)
    loan = await elm.asked(elm.ben, 2)
    await clock_runs(tx, elm, NOW + 3 * MINUTE)
    await news.room_seen(
        tx, loan.conversation_id, elm.ada, NOW + 4 * MINUTE
    )  # she has opened the room
    await clock_runs(tx, elm, NOW + 60 * MINUTE)
    assert await went(tx, elm.ada) == [("push", 2)]


async def test_without_a_device_and_a_proved_address_it_stays_on_the_page(tx: Tx, elm: Elm) -> None:
    (await queries.person(tx, elm.ada.person_id)).verified_at = None
    await elm.asked(elm.ben, 2)
    await clock_runs(tx, elm, NOW + 60 * MINUTE)
    assert await went(tx, elm.ada) == []
    left = select(Job).where(Job.name == steps.JOB, Job.key.startswith(f"{elm.here.id}/"))
    assert (await tx.scalars(left)).all() == []


async def test_what_was_chosen_meanwhile_counts(tx: Tx, elm: Elm) -> None:
    await rings(tx, elm.ada)
    await elm.asked(elm.ben, 2)
    await clock_runs(tx, elm, NOW + 3 * MINUTE)
    wish = Wish(push=True, mail=MailWish.NEVER)
    await preferences.choose(tx, elm.ada.person_id, {Group.REQUESTS: wish})
    await clock_runs(tx, elm, NOW + 60 * MINUTE)
    assert await went(tx, elm.ada) == [("push", 2)]


async def test_a_pause_holds_mail_back_and_brings_it_together_afterwards(tx: Tx, elm: Elm) -> None:
    await rings(tx, elm.ada)
    await preferences.pause(tx, elm.ada.person_id, NOW - MINUTE)
    await elm.asked(elm.ben, 2)
    await elm.asked(elm.cy, 4)
    await clock_runs(tx, elm, NOW + timedelta(days=9))
    rows = select(Delivery).where(Delivery.person_id == elm.ada.person_id)
    sent = [one for one in await tx.scalars(rows) if one.channel == "mail"]
    ends = NOW - MINUTE + preferences.PAUSE
    assert "push" not in {channel for channel, _ in await went(tx, elm.ada)}, "nothing rang"
    requests = [one for one in sent if one.bundle == steps.TOGETHER]
    assert len(requests) >= 2
    assert all(one.send_at > ends for one in requests)


async def test_a_pause_that_ends_early_is_over_for_what_has_waited(tx: Tx, elm: Elm) -> None:
    await preferences.pause(tx, elm.ada.person_id, NOW - MINUTE)
    await elm.asked(elm.ben, 2)
    await elm.asked(elm.cy, 4)
    await clock_runs(tx, elm, NOW + 30 * MINUTE)  # they wait for the end of the week
    await commands.end_pause(tx, elm.ada.person_id, NOW + 60 * MINUTE)
    await clock_runs(tx, elm, NOW + timedelta(days=1))
    rows = await tx.scalars(select(Delivery).where(Delivery.person_id == elm.ada.person_id))
    tomorrow = NOW.replace(hour=7) + timedelta(days=1)  # 8:00 in London
    sent = [(one.channel, one.bundle, one.send_at) for one in rows]
    assert sent == [("mail", steps.TOGETHER, tomorrow + MINUTE)] * 2


THREE, ATHENS = "15:00", "Europe/Athens"
AT_ONCE, DAILY, NEVER = MailWish.AT_ONCE, MailWish.DAILY, MailWish.NEVER
Chooses = Callable[[Tx, Elm, datetime], Awaitable[None]]


async def rests(tx: Tx, elm: Elm, now: datetime, until: str, zone: str = "Europe/London") -> None:
    await commands.keep_quiet(tx, elm.ada.person_id, "06:00", until, zone, now)


async def wishes_mail(tx: Tx, elm: Elm, now: datetime, wish: MailWish) -> None:
    wishes = {Group.REQUESTS: Wish(push=False, mail=wish)}
    await commands.choose(tx, elm.ada.person_id, wishes, now)


async def pauses(tx: Tx, elm: Elm, now: datetime) -> None:
    await preferences.pause(tx, elm.ada.person_id, now)


@pytest.mark.parametrize(
    ("at_first", "then", "goes"),
    [
        # NOW is 13:00 in London; what is told then goes by mail at 13:15, if nobody rests.
        (partial(rests, until=THREE), partial(rests, until=THREE), "05-01 15:00"),
        (partial(rests, until=THREE), partial(rests, until="19:30"), "05-01 19:30"),
        (partial(rests, until=THREE), partial(rests, until="14:15"), "05-01 14:15"),
        (partial(rests, until=THREE), partial(rests, until="06:00"), "05-01 14:00"),
        (partial(rests, until=THREE), partial(rests, until="16:30", zone=ATHENS), "05-01 14:30"),
        (partial(rests, until=THREE), partial(rests, until="14:00", zone=ATHENS), "05-01 14:00"),
        (partial(rests, until=THREE), pauses, "05-09 15:01"),
        (partial(rests, until=THREE), partial(wishes_mail, wish=DAILY), "05-02 15:01"),
        (partial(wishes_mail, wish=DAILY), partial(wishes_mail, wish=AT_ONCE), "05-01 14:00"),
        (partial(wishes_mail, wish=DAILY), partial(wishes_mail, wish=DAILY), "05-02 08:01"),
        (partial(wishes_mail, wish=DAILY), partial(wishes_mail, wish=NEVER), "never"),
    ],
)
async def test_what_waits_goes_by_what_was_chosen_last(
    tx: Tx, elm: Elm, at_first: Chooses, then: Chooses, goes: str
) -> None:
    await at_first(tx, elm, NOW - 60 * MINUTE)
    await elm.asked(elm.ben, 2)
    await clock_runs(tx, elm, NOW + 59 * MINUTE)
    assert await went(tx, elm.ada) == []
    await then(tx, elm, NOW + 60 * MINUTE)
    await clock_runs(tx, elm, NOW + timedelta(days=10))
    row = await tx.scalar(select(Delivery).where(Delivery.person_id == elm.ada.person_id))
    assert (f"{row.send_at.astimezone(elm.here.zone):%m-%d %H:%M}" if row else "never") == goes


async def test_choosing_anew_spends_no_try_of_what_a_server_has_put_off(tx: Tx, elm: Elm) -> None:
    await elm.asked(elm.ben, 2)
    now = NOW + 16 * MINUTE
    await clock_runs(tx, elm, now)
    for _ in range(2):
        taken = await carrying.take(tx, Channel.MAIL, now)
        assert taken is not None
        await carrying.settle(tx, taken, Outcome(Fate.AGAIN, "451"), now)
        now += MINUTE
    await rests(tx, elm, now, until=THREE)
    assert await carrying.take(tx, Channel.MAIL, now) is None


async def test_what_is_over_reminds_nobody_any_more(tx: Tx, elm: Elm) -> None:
    loan = await elm.out(elm.ben, 0)
    about = f"{elm.here.scope}/loan/{loan.id}"
    facts = {"tool": "Drill"}
    await commands.mark_seen(tx, elm.ben.person_id, commands.EVERYTHING, NOW)
    whom = [elm.ben.person_id]
    await commands.tell(tx, whom, Kind.DUE, elm.here.id, about, facts, NOW, due_at=NOW)
    await clock_runs(tx, elm, NOW + 6 * MINUTE)
    assert await went(tx, elm.ben) == [("mail", 5)]  # and waits for the server
    now = NOW + 7 * MINUTE
    await commands.tell(tx, whom, Kind.LATE, elm.here.id, about, facts, now, due_at=now)
    await handover.take_back(tx, loan.id, elm.ada, now)
    await clock_runs(tx, elm, NOW + 20 * MINUTE)
    assert await went(tx, elm.ben) == []
    assert (await told(tx, elm.ben, Kind.LATE)).seen_at is None, "it stands on the page"


async def test_what_came_to_some_devices_only_says_so(tx: Tx, elm: Elm) -> None:
    await rings(tx, elm.ben)
    loan = await elm.out(elm.ben, 0)
    about = f"{elm.here.scope}/loan/{loan.id}"
    whom, facts = [elm.ben.person_id], {"tool": "Drill"}
    await commands.tell(tx, whom, Kind.DUE, elm.here.id, about, facts, NOW, due_at=NOW)
    now = NOW + 3 * MINUTE
    await clock_runs(tx, elm, now)
    taken = await carrying.take(tx, Channel.PUSH, now)
    assert taken is not None
    await carrying.settle(tx, taken, Outcome(Fate.SENT, "400, 1 of 2 devices"), now)
    (told_of,) = await truth.reminders_of(tx, elm.ada, about)
    assert (told_of.state, told_of.partly) == ("pushed", True)


async def test_what_became_of_it_is_forgotten_after_a_season(tx: Tx, elm: Elm) -> None:
    await elm.asked(elm.ben, 2)
    await clock_runs(tx, elm, NOW + 16 * MINUTE)
    taken = await carrying.take(tx, Channel.MAIL, NOW + 16 * MINUTE)
    assert taken is not None
    await carrying.settle(tx, taken, Outcome(Fate.SENT), NOW)
    await carrying.forget_old(tx, NOW + timedelta(days=89))
    assert await went(tx, elm.ada) != []
    await carrying.forget_old(tx, NOW + timedelta(days=90))
    assert await went(tx, elm.ada) == []


async def test_a_muted_room_is_silent_but_for_what_is_urgent(tx: Tx, elm: Elm) -> None:
    await rings(tx, elm.ben)
    loan = await elm.asked(elm.ben, 1)
    about = f"{elm.here.scope}/loan/{loan.id}"
    await preferences.mute(tx, elm.ben, about, NOW)
    facts = {"tool": "Drill"}
    for kind in (Kind.APPROVED, Kind.CANCELLED):
        await commands.tell(tx, [elm.ben.person_id], kind, elm.here.id, about, facts, NOW)
    await clock_runs(tx, elm, NOW + 14 * MINUTE)
    assert await went(tx, elm.ben) == [("push", 0), ("mail", 5)]
    assert (await told(tx, elm.ben, Kind.APPROVED)).seen_at is None


async def test_lines_in_a_room_are_one_notice_until_they_are_looked_at(tx: Tx, elm: Elm) -> None:
    loan = await elm.asked(elm.ben, 2)
    for minute in range(3):
        await news.of_words(tx, loan, elm.ben, NOW + minute * MINUTE)
    first = await told(tx, elm.ada, Kind.MESSAGE)
    assert first.at == NOW
    await commands.mark_seen(tx, elm.ada.person_id, commands.EVERYTHING, NOW)  # the bell's page
    assert (await told(tx, elm.ada, Kind.MESSAGE)).seen_at is None
    await news.room_seen(tx, loan.conversation_id, elm.ada, NOW)
    assert (await told(tx, elm.ada, Kind.MESSAGE)).seen_at == NOW


async def proved_no_more(tx: Tx, elm: Elm, now: datetime) -> None:
    (await queries.person(tx, elm.ada.person_id)).verified_at = None
    await tx.flush()


async def leaves(tx: Tx, elm: Elm, now: datetime) -> None:
    standing = await queries.standing(tx, elm.here.id, elm.ada.person_id)
    assert standing is not None
    standing.status = "left"
    await tx.flush()


async def wants_none(tx: Tx, elm: Elm, now: datetime) -> None:
    wish = Wish(push=True, mail=MailWish.NEVER)
    await preferences.choose(tx, elm.ada.person_id, {Group.REQUESTS: wish})


async def sees_it(tx: Tx, elm: Elm, now: datetime) -> None:
    await commands.mark_seen(tx, elm.ada.person_id, commands.EVERYTHING, now)


async def mutes_it(tx: Tx, elm: Elm, now: datetime) -> None:
    about = (await told(tx, elm.ada, Kind.REQUESTED)).subject
    await preferences.mute(tx, elm.ada, about, now)


async def naps(tx: Tx, elm: Elm, now: datetime) -> None:
    await preferences.keep_quiet(tx, elm.ada.person_id, "13:00", "14:00", "Europe/London")


async def nothing(tx: Tx, elm: Elm, now: datetime) -> None:
    pass


@pytest.mark.parametrize(
    ("meanwhile", "after", "becomes"),
    [
        (nothing, MINUTE, "goes"),
        (sees_it, MINUTE, "forgotten"),
        (wants_none, MINUTE, "forgotten"),
        (mutes_it, MINUTE, "forgotten"),
        (leaves, MINUTE, "forgotten"),
        (proved_no_more, MINUTE, "forgotten"),
        (naps, MINUTE, "ready 2026-05-01 14:00"),
        (pauses, MINUTE, "ready 2026-05-09 08:00"),
        (nothing, timedelta(days=2), "failed too late"),
    ],
)
async def test_what_a_server_put_off_is_asked_about_again(
    tx: Tx,
    elm: Elm,
    meanwhile: Chooses,
    after: timedelta,
    becomes: str,
) -> None:
    await elm.asked(elm.ben, 2)
    now = NOW + 16 * MINUTE
    await clock_runs(tx, elm, now)
    taken = await carrying.take(tx, Channel.MAIL, now)
    assert taken is not None
    assert await carrying.pack(tx, taken, now) is not None
    await carrying.settle(tx, taken, Outcome(Fate.AGAIN, "451"), now)
    now += after
    await meanwhile(tx, elm, now)
    again = await carrying.take(tx, Channel.MAIL, now)
    assert again is not None
    parcel = await carrying.pack(tx, again, now)
    row = await tx.scalar(select(Delivery).where(Delivery.person_id == elm.ada.person_id))
    if parcel is not None:
        result = "goes"
    elif row is None:
        result = "forgotten"
    elif row.settled_at:
        result = f"{row.sending} {row.last_error}"
    else:
        result = f"{row.sending} {row.send_at.astimezone(elm.here.zone):%Y-%m-%d %H:%M}"
    assert result == becomes


async def test_who_has_left_hears_nothing_more(tx: Tx, elm: Elm) -> None:
    await elm.asked(elm.ben, 2)
    standing = await queries.standing(tx, elm.here.id, elm.ada.person_id)
    assert standing is not None
    standing.status = "left"
    await tx.flush()
    await clock_runs(tx, elm, NOW + 60 * MINUTE)
    assert await went(tx, elm.ada) == []
