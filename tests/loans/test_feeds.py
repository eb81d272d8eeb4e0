"""Calendars by a secret address: what programs read, for how long, and who reads nothing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from app import db
from app.errors import NotFound, Refusal
from app.loans import almanac, changes, commands, feeds, handover, ics, shelf, undo
from app.loans.feed import Feed, FeedKind
from app.members import blocks
from app.members import commands as members
from app.people import keys
from app.people.viewer import Viewer
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.neighbours import Street, browser
from tests.people.living import NOW

ROOT = "https://tools.example.org"


async def secret_of(
    elm: Elm, who: Viewer, kind: FeedKind = FeedKind.LOANS, tool: int | None = None
) -> str:
    return keys.feed_secret((await feeds.make(elm.tx, kind, tool, who, NOW)).nonce)


async def read(elm: Elm, secret: str, now: datetime = NOW) -> tuple[Calendar, list[Event]]:
    asked = await feeds.asked(elm.tx, secret)
    shown = await almanac.shown(elm.tx, asked, now)
    found = Calendar.from_ical(ics.written(shown, asked.community.zone, ROOT))
    assert isinstance(found, Calendar)
    return found, [one for one in found.walk("VEVENT") if isinstance(one, Event)]


async def only(elm: Elm, secret: str, now: datetime = NOW) -> Event:
    _, (event,) = await read(elm, secret, now)
    return event


async def test_both_see_a_loan_in_their_calendars_and_a_third_does_not(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1, 2)
    bens = await only(elm, await secret_of(elm, elm.ben))
    adas = await only(elm, await secret_of(elm, elm.ada, FeedKind.TOOLS))
    assert (str(bens["SUMMARY"]), str(adas["SUMMARY"])) == ("Drill from Ada", "Drill to Ben")
    assert (bens.start, bens.end) == (loan.start, loan.end)
    assert bens["UID"] == adas["UID"]
    assert str(bens["STATUS"]) == "CONFIRMED"
    assert str(bens["URL"]) == f"{ROOT}{elm.here.path}/loans/{loan.id}"
    for who, kind in ((elm.cy, FeedKind.LOANS), (elm.ben, FeedKind.TOOLS), (elm.ada, "loans")):
        assert (await read(elm, await secret_of(elm, who, FeedKind(kind))))[1] == []


async def test_each_change_of_times_or_state_raises_the_sequence(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    secret = await secret_of(elm, elm.ben)
    loan = await elm.asked(elm.ben, 1)
    seen = [await only(elm, secret)]

    async def later() -> None:
        event = await only(elm, secret)
        assert event.sequence > seen[-1].sequence
        assert event["UID"] == seen[0]["UID"]
        seen.append(event)

    await commands.approve(tx, loan.id, elm.ada, NOW)
    await later()
    await undo.undo(tx, loan.id, elm.ada, NOW)
    await later()
    await commands.approve(tx, loan.id, elm.ada, NOW)
    await later()
    change = await changes.propose(tx, loan.id, elm.ben, NOW, None, loan.end + DAY)
    await changes.agree(tx, loan.id, change.id, elm.ada, NOW)
    await later()
    assert seen[-1].end == seen[0].end + DAY
    await handover.hand_over(tx, loan.id, elm.ada, loan.start)
    await later()
    await handover.take_back(tx, loan.id, elm.ada, loan.start + HOUR)
    await later()
    assert seen[-1].end == loan.start + HOUR, "back early, as it was"
    states = [str(one["STATUS"]) for one in seen[:3]]
    assert states == ["TENTATIVE", "CONFIRMED", "TENTATIVE"]


async def test_what_is_off_is_crossed_out_for_ninety_days(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    secret = await secret_of(elm, elm.ben)
    loan = await elm.promised(elm.ben, 1)
    before = await only(elm, secret)
    await commands.cancel(tx, loan.id, elm.ada, NOW, "It is broken.")
    event = await only(elm, secret, NOW + 89 * DAY)
    assert str(event["STATUS"]) == "CANCELLED"
    assert event.sequence > before.sequence
    assert "broken" not in event.to_ical().decode(), "why, is said in the room"
    assert (await read(elm, secret, NOW + 91 * DAY))[1] == []


@pytest.mark.parametrize(
    ("zone", "night", "offsets"),
    [
        ("Europe/London", date(2026, 10, 24), (1, 0)),
        ("Europe/London", date(2026, 3, 28), (0, 1)),
        ("America/New_York", date(2026, 10, 31), (-4, -5)),
        ("America/New_York", date(2026, 3, 7), (-5, -4)),
        ("Pacific/Chatham", date(2026, 4, 4), (13.75, 12.75)),
        ("Asia/Kolkata", date(2026, 4, 4), (5.5, 5.5)),
        ("UTC", date(2026, 4, 4), (0, 0)),
    ],
)
def test_the_night_the_clocks_change_is_right(
    zone: str, night: date, offsets: tuple[float, float]
) -> None:
    """From the evening before to noon after; the rules of the zone travel with it."""
    start = datetime.combine(night, time(22), ZoneInfo(zone))
    end = datetime.combine(night + DAY, time(12), ZoneInfo(zone))
    entry = almanac.Entry("one", 3, start, end, NOW, "Drill; from\\ Ada, next door", "CONFIRMED")
    body = ics.written(almanac.Shown("Elm", [entry], NOW), zone, ROOT)
    found = Calendar.from_ical(body)
    (event,) = [one for one in found.walk("VEVENT") if isinstance(one, Event)]
    assert (event.start, event.end) == (start, end)
    local = [at for at in (event.start, event.end) if isinstance(at, datetime)]
    assert [at.utcoffset() for at in local] == [timedelta(hours=one) for one in offsets]
    assert str(event["SUMMARY"]) == "Drill; from\\ Ada, next door"
    zones = [str(one["TZID"]) for one in found.walk("VTIMEZONE")]
    if zone != "UTC":
        assert zones == [zone]
        assert f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}".encode() in body
    assert body == ics.written(almanac.Shown("Elm", [entry], NOW), zone, ROOT)


async def test_one_tools_calendar_names_nobody_and_is_silent_when_it_is_off(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 1)
    await elm.asked(elm.cora, 3)
    secret = await secret_of(elm, elm.cy, FeedKind.TOOL, elm.drill.id)
    event = await only(elm, secret)
    assert str(event["SUMMARY"]) == "Drill is taken"
    assert "Ben" not in event.to_ical().decode()
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    assert (await read(elm, secret))[1] == [], "it tells nobody when it is back"
    await shelf.resume(tx, elm.drill.id, elm.ada, NOW)
    assert len((await read(elm, secret))[1]) == 1
    await blocks.block(tx, elm.cy.person_id, elm.ada, NOW)
    assert (await read(elm, secret))[1] == []


async def test_leaving_and_suspension_end_every_address_for_good(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    bens, cys = await secret_of(elm, elm.ben), await secret_of(elm, elm.cy)
    await members.suspend(tx, elm.ben.person_id, elm.cora, NOW)
    await members.leave(tx, elm.cy, NOW)
    for secret in (bens, cys):
        with pytest.raises(NotFound):
            await feeds.asked(tx, secret)
    await members.restore(tx, elm.ben.person_id, elm.cora, NOW)
    with pytest.raises(NotFound):
        await feeds.asked(tx, bens)


async def test_a_new_address_ends_the_one_before_and_only_a_hash_is_kept(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    first = await secret_of(elm, elm.ben)
    made = await feeds.make(tx, FeedKind.LOANS, None, elm.ben, NOW)
    second = feeds.shown_secret(made)
    assert second
    assert second != first
    assert second.encode() not in made.key_hash + made.nonce
    with pytest.raises(NotFound):
        await feeds.asked(tx, first)
    assert (await feeds.asked(tx, second)).viewer.person_id == elm.ben.person_id
    assert not await feeds.end(tx, made.id, elm.cy), "nobody ends another's"
    assert await feeds.end(tx, made.id, elm.ben)
    with pytest.raises(Refusal):
        await feeds.make(tx, FeedKind.TOOL, None, elm.ben, NOW)


# --- over HTTP


async def made(street: Street, **form: object) -> str:
    """Ben's address, as his page shows it."""
    await street.ben.does(f"{street.ben.home}/calendar", **form)
    tool = f"?tool={form['tool']}" if "tool" in form else ""
    page = await street.ben.opens(f"{street.ben.home}/calendar{tool}")
    return page.split('class="copy"')[1].split('value="')[1].split('"')[0]


async def test_a_program_without_cookies_reads_it_and_asks_again_cheaply(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(1), note="The door code is 4711")
    address = await made(street, kind="loans")
    async with browser(street.workers[0]) as program:
        answer = await program.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert answer.headers["cache-control"].startswith("private")
        assert "set-cookie" not in answer.headers
        assert "4711" not in answer.text
        assert "STATUS:TENTATIVE" in answer.text
        tag, date = answer.headers["etag"], answer.headers["last-modified"]
        for known in ({"If-None-Match": tag}, {"If-Modified-Since": date}):
            again = await program.get(address, headers=known)
            assert (again.status_code, again.text) == (304, "")
            assert again.headers["etag"] == tag
        assert (await program.head(address)).status_code == 200
        await street.ada.acts(loan, "approval")
        news = await program.get(address, headers={"If-None-Match": tag})
        assert "STATUS:CONFIRMED" in news.text


async def test_a_stranger_gets_the_same_for_a_wrong_and_for_an_ended_address(
    street: Street,
) -> None:
    drill = await street.ada.lists("Cordless drill")
    address = await made(street, kind="tool", tool=drill)
    secret = address.rsplit("/", 1)[1].removesuffix(".ics")
    async with db.snapshot() as tx:
        feed = (await feeds.asked(tx, secret)).feed
    assert await db_has(feed)
    answers = []
    await street.cy.does(f"{street.cy.home}/calendar/{feed.id}/end")
    async with browser(street.workers[1]) as stranger:
        assert (await stranger.get(address)).status_code == 200, "only its person ends it"
        await street.ben.does(f"{street.ben.home}/calendar/{feed.id}/end")
        for tried in (secret, keys.fresh()):
            answer = await stranger.get(address.replace(secret, tried))
            assert answer.status_code == 404
            answers.append(answer.text.replace(tried, ""))
    assert answers[0] == answers[1]
    assert not await db_has(feed)


async def db_has(feed: Feed) -> bool:
    async with db.snapshot() as tx:
        return await tx.get(Feed, (feed.community_id, feed.id)) is not None


async def test_the_page_makes_shows_and_replaces(street: Street) -> None:
    first = await made(street, kind="loans")
    page = await street.ben.opens(f"{street.ben.home}/calendar")
    assert "webcal:" + first.partition(":")[2] in page
    second = await made(street, kind="loans")
    async with browser(street.workers[0]) as program:
        assert (await program.get(first)).status_code == 404
        assert (await program.get(second)).status_code == 200
    assert (await street.ben.posts(f"{street.ben.home}/calendar", kind="all")).status_code == 422
