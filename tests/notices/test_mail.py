"""Notices by mail, to a real server: what stands in them, how they end, and what became of them."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from app import clock, courier, db, outgoing
from app.notices import commands, preferences, steps, unsubscribe
from app.notices.deciding import MailWish
from app.notices.deliveries import Delivery
from app.notices.kinds import Group
from app.notices.models import Kind, Notice
from app.people import queries
from app.settings import settings
from tests.neighbours import Neighbour, Street
from tests.notices.postbox import Postbox, html_of, text_of

MINUTE = timedelta(minutes=1)
EVIL = '<script>alert(1)</script>"\r\nBcc: all@example.org'


@pytest.fixture
async def proved(street: Street) -> Street:
    """Everybody's address is proved, and nobody sleeps."""
    async with db.begin() as tx:
        for who in (street.ada, street.ben, street.cy, street.cora):
            (await queries.person(tx, who.id)).verified_at = clock.now()
            await preferences.keep_quiet(tx, who.id, "00:00", "00:00", "")
    return street


async def comes_due(who: Neighbour) -> None:
    """What is unseen has been told a quarter of an hour ago, is decided on, and handed on."""
    await decided_of(who)
    await carried(who)


async def is_named(who: Neighbour, tool: str) -> None:
    """A name that no page would let in stands in all that this person was told."""
    async with db.begin() as tx:
        for notice in await tx.scalars(select(Notice).where(Notice.person_id == who.id)):
            notice.facts = {**notice.facts, "tool": tool}


async def decided_of(who: Neighbour) -> None:
    async with db.begin() as tx:
        await decided(tx, who, 16 * MINUTE)


async def decided(tx: db.Tx, who: Neighbour, age: timedelta) -> None:
    now = clock.now()
    rows = await tx.scalars(
        select(Notice).where(Notice.person_id == who.id, Notice.seen_at.is_(None))
    )
    for notice in rows.all():
        notice.at = min(notice.at, now - age)
        await tx.flush()
        await steps.step(tx, steps.key_of(notice.community_id, notice.id), now)


async def carried(who: Neighbour) -> None:
    """Whatever waits for this person is due now, and goes."""
    async with db.begin() as tx:
        for row in await deliveries(tx, who):
            if row.sending == "ready":
                row.send_at = clock.now() - MINUTE
    await courier.carry_all()


async def deliveries(tx: db.Tx, who: Neighbour) -> list[Delivery]:
    rows = await tx.scalars(
        select(Delivery).where(Delivery.person_id == who.id).order_by(Delivery.notice_id)
    )
    return list(rows)


async def test_what_ada_has_not_seen_comes_by_mail_in_one_thread(
    proved: Street, postbox: Postbox
) -> None:
    ada, ben = proved.ada, proved.ben
    loan = await ben.asks_for(await ada.lists("Drill"), proved.day(2))
    await is_named(ada, f"Drill {EVIL}")
    await comes_due(ada)
    await ben.says(loan, "<b>When</b> can I come?")
    await is_named(ada, f"Drill {EVIL}")
    await comes_due(ada)
    first, second = postbox.to(ada.email)
    assert "Ben Okafor asks for your Drill <script>" in text_of(first)
    assert f"{settings.root}{ada.home}/loans/{loan}" in text_of(first)
    assert "<script>" not in html_of(first)
    assert "&lt;script&gt;alert(1)" in html_of(first)
    assert first["From"] == "ToolShare <tools@elm.example.org>"
    assert first["Subject"] == second["Subject"]
    assert "Bcc: all@example.org" in first["Subject"]
    assert "Bcc" not in first
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert first["Message-ID"] != second["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"
    assert "wrote to you" in text_of(second)
    assert "When" not in text_of(second) + html_of(second)
    async with db.snapshot() as tx:
        assert {one.sending for one in await deliveries(tx, ada)} == {"sent"}
    await courier.carry_all()
    assert len(postbox.to(ada.email)) == 2


async def test_one_click_ends_mail_about_that_and_nothing_else(
    proved: Street, postbox: Postbox
) -> None:
    ada, ben = proved.ada, proved.ben
    drill = await ada.lists("Cordless drill")
    await ben.asks_for(drill, proved.day(2))
    await comes_due(ada)
    (letter,) = postbox.to(ada.email)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(letter["List-Unsubscribe"]).strip("<>").removeprefix(settings.root)
    assert link in text_of(letter)
    async with httpx.AsyncClient(base_url=ada.at.url) as program:  # no cookie, no origin
        page = await program.get(link)
        assert "Nothing has changed yet" in page.text
        async with db.snapshot() as tx:
            chosen = await preferences.chosen_by(tx, ada.id)
        assert chosen.wish(Group.REQUESTS).mail is MailWish.AT_ONCE
        assert (await program.get(f"{link}x")).status_code == 404
        assert (await program.post(f"/unsubscribe/{ada.id}.requests.0")).status_code == 404
        done = await program.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
    async with db.snapshot() as tx:
        chosen = await preferences.chosen_by(tx, ada.id)
    assert chosen.wish(Group.REQUESTS).mail is MailWish.NEVER
    assert chosen.wish(Group.REMINDERS).mail is MailWish.AT_ONCE
    await ben.asks_for(drill, proved.day(5))
    await comes_due(ada)
    assert len(postbox.to(ada.email)) == 1


async def test_what_is_not_urgent_comes_together(proved: Street, postbox: Postbox) -> None:
    ada, ben = proved.ada, proved.ben
    drill = await ada.lists("Cordless drill")
    for day in (2, 4):
        loan = await ben.asks_for(drill, proved.day(day))
        await ben.acts(loan, "withdrawal")
    await ada.does(f"{ada.home}/notices/seen", up_to=2**61)
    async with db.begin() as tx:
        about = f"{ada.viewer.here.scope}/loan/{loan}"
        facts = {"tool": "Cordless drill"}
        for kind in (Kind.WITHDRAWN, Kind.WITHDRAWN, Kind.FETCHED):
            await commands.tell(tx, [ada.id], kind, ada.viewer.here.id, about, facts, clock.now())
        await decided(tx, ada, timedelta(days=1))
    await carried(ada)
    (letter,) = postbox.to(ada.email)
    assert text_of(letter).count("does not need your Cordless drill") == 2
    both = "No more mail about “Requests and answers” and “Hand-overs and returns”"
    assert f"{both}: http" in text_of(letter)
    link = str(letter["List-Unsubscribe"]).strip("<>").removeprefix(settings.root)
    async with httpx.AsyncClient(base_url=ada.at.url) as program:
        assert both in (await program.get(link)).text
        await program.post(link, data={"List-Unsubscribe": "One-Click"})
    async with db.snapshot() as tx:
        chosen = await preferences.chosen_by(tx, ada.id)
    never = {group for group in Group if chosen.wish(group).mail is MailWish.NEVER}
    assert never == {Group.REQUESTS, Group.HANDOVERS}
    assert letter["Subject"] == f"News from {ada.viewer.here.name}"


async def test_what_fails_is_tried_again_and_in_the_end_shown_to_both(
    proved: Street, postbox: Postbox
) -> None:
    ada, ben, cora = proved.ada, proved.ben, proved.cora
    drill = await ada.lists("Cordless drill")
    loan = await ben.asks_for(drill, proved.today)
    await ada.acts(loan, "approval")
    async with db.begin() as tx:
        here, now = ada.viewer.here, clock.now()
        facts = {"tool": "Cordless drill", "other": "Ada Moreno"}
        about = f"{here.scope}/loan/{loan}"
        await commands.tell(tx, [ben.id], Kind.DUE, here.id, about, facts, now, due_at=now)
        await commands.mark_seen(tx, ben.id, 0, now)
    room = f"{here.scope}/delivered/{loan}"
    async with ada.watches(room) as screen:
        await screen.shows(room, "on the page, not seen yet")
        postbox.answers.extend(["451 Later, please"])
        await comes_due(ben)
        async with db.snapshot() as tx:
            rows = [one for one in await deliveries(tx, ben) if one.channel == "mail"]
        assert {(one.sending, one.attempts, one.last_error) for one in rows} == {
            ("ready", 1, "451")
        }
        assert all(one.send_at > clock.now() for one in rows)
        assert "will be tried again" in await cora.opens(f"{cora.home}/jobs")
        postbox.answers.extend(["550 Nobody here"])
        await carried(ben)
        await screen.shows(room, "could not be delivered")
        assert "could not be delivered" in await ben.opens(f"{ben.home}/loans/{loan}")
        desk = await cora.opens(f"{cora.home}/jobs")
        assert "could not be delivered in the last week" in desk
        assert ben.email not in desk
        await ben.does(f"{ben.home}/notices/seen", about=f"{ben.home}/loans/{loan}")
        await screen.shows(room, "seen, ")


async def test_one_that_cannot_be_written_holds_up_no_other(
    proved: Street, postbox: Postbox
) -> None:
    ada, ben = proved.ada, proved.ben
    drill = await ada.lists("Cordless drill")
    await ben.asks_for(drill, proved.day(2))
    await ben.asks_for(drill, proved.day(4))
    await decided_of(ada)
    async with db.begin() as tx:
        first, _ = await deliveries(tx, ada)
        notice = await tx.get_one(Notice, (first.community_id, first.notice_id))
        notice.kind = "of_a_later_release"
    await carried(ada)
    async with db.snapshot() as tx:
        found = [(one.sending, one.last_error) for one in await deliveries(tx, ada)]
    assert found == [("ready", "ValueError"), ("sent", "")]
    for _ in range(outgoing.TRIES):
        await carried(ada)
    async with db.snapshot() as tx:
        assert [one.sending for one in await deliveries(tx, ada)] == ["failed", "sent"]
    assert len(postbox.to(ada.email)) == 1


@pytest.mark.parametrize("groups", [[Group.REMINDERS], list(Group)])
def test_a_link_that_ends_mail_names_what_and_cannot_be_made_up(groups: list[Group]) -> None:
    link = unsubscribe.token(2**62, groups[::-1])
    assert len(link) < 200
    assert unsubscribe.read(link) == (2**62, groups)
    for wrong in (link[:-1], link.replace("reminders", "messages"), f"1{link}", "1..", "x"):
        assert unsubscribe.read(wrong) is None


async def test_without_a_mail_server_the_desk_says_what_is_missing(street: Street) -> None:
    page = await street.cora.opens(f"{street.cora.home}/jobs")
    assert "has not set SMTP_URL and MAIL_FROM yet" in re.sub(r"\s+", " ", page)
    assert "sends no mail yet" in await street.ada.opens("/profile/notices")
