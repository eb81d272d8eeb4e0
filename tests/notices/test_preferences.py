"""The page on which somebody says what reaches them where, and the same as JSON."""

from __future__ import annotations

import re
from datetime import time

from app import clock, db
from app.notices import preferences
from app.notices.deciding import MailWish, Wish
from app.notices.kinds import Group
from app.notices.preferences import Chosen
from tests.neighbours import Neighbour, Street

HERE = "/profile/notices"


async def chosen(who: Neighbour) -> Chosen:
    async with db.snapshot() as tx:
        return await preferences.chosen_by(tx, who.id)


async def test_the_table_is_kept_as_it_was_sent(street: Street) -> None:
    ada = street.ada
    sent = {f"mail_{group}": "at_once" for group in Group} | {"push_reminders": "1"}
    sent |= {"mail_messages": "never", "mail_waitlists": "daily", "mail_trouble": "nonsense"}
    await ada.does(HERE, **sent)
    mine = await chosen(ada)
    assert mine.wish(Group.REMINDERS) == Wish(push=True, mail=MailWish.AT_ONCE)
    assert mine.wish(Group.MESSAGES) == Wish(push=False, mail=MailWish.NEVER)
    assert mine.wish(Group.WAITLISTS) == Wish(push=False, mail=MailWish.DAILY)
    page = await ada.opens(HERE)
    assert page.count("checked") == 1
    await ada.does(HERE)  # a form without the table changes nothing of it
    assert await chosen(ada) == mine
    assert (await chosen(street.ben)).wish(Group.MESSAGES) == Wish()


async def test_quiet_hours_keep_what_was_typed_wrongly(street: Street) -> None:
    ada = street.ada
    sent = {"quiet_from": "23:30", "quiet_until": "06:00", "zone": "Europe/Berlin"}
    await ada.does(f"{HERE}/quiet", **sent)
    mine = await chosen(ada)
    assert (mine.quiet_from, mine.zone) == (time(23, 30), "Europe/Berlin")
    wrong = await ada.posts(f"{HERE}/quiet", **sent | {"quiet_until": "late"})
    assert wrong.status_code == 422
    assert "not a time of day" in wrong.text
    assert 'value="23:30"' in wrong.text
    wrong = await ada.posts(f"{HERE}/quiet", **sent | {"zone": "Atlantis/Deep"})
    assert wrong.status_code == 422
    assert await chosen(ada) == mine


async def test_a_pause_lasts_a_week_or_until_it_is_ended(street: Street) -> None:
    ada = street.ada
    await ada.does(f"{HERE}/pause")
    ends = (await chosen(ada)).paused_until
    assert ends is not None
    assert 6 < (ends - clock.now()).days + 1 <= 7
    assert "Paused until" in await ada.opens(HERE)
    await ada.does(f"{HERE}/pause/end")
    assert not (await chosen(ada)).is_paused(clock.now())
    assert "Paused until" not in await ada.opens(HERE)


async def test_a_muted_room_can_be_heard_of_again_from_both_places(street: Street) -> None:
    ada, ben = street.ada, street.ben
    loan = await ben.asks_for(await ada.lists("Cordless drill"), street.day(2))
    room = f"{ada.home}/loans/{loan}"
    for _ in range(2):
        await ada.acts(loan, "mute")
    assert "Hear of this room again" in await ada.opens(room)
    assert "Mute this room" in await ben.opens(room)
    page = await ada.opens(HERE)
    assert "Cordless drill" in page
    assert f'action="{room}/mute/end"' in page
    await ada.acts(loan, "mute/end")
    assert "Mute this room" in await ada.opens(room)
    assert "Muted rooms" not in await ada.opens(HERE)
    assert (await street.cy.posts(f"{room}/mute")).status_code == 404


async def test_a_questions_room_is_muted_like_any_other(street: Street) -> None:
    ada, drill = street.ada, await street.ada.lists("Cordless drill")
    there = await street.ben.does(f"{street.ben.home}/tools/{drill}/questions", about="Loud?")
    await ada.does(f"{there}/mute")
    assert "Hear of this room again" in await ada.opens(there)
    assert f'action="{there}/mute/end"' in await ada.opens(HERE)
    await ada.does(f"{there}/mute/end")
    assert "Mute this room" in await ada.opens(there)
    assert (await street.cy.posts(f"{there}/mute")).status_code == 404


def watched(page: str) -> set[str]:
    """The pages on which looking is having seen."""
    found = re.search(r'data-paths="([^"]*)"', page)
    assert found is not None
    return set(found[1].split())


async def test_what_is_about_the_page_that_one_looks_at_is_seen(street: Street) -> None:
    ada, ben = street.ada, street.ben
    drill = await ada.lists("Cordless drill")
    first = await ben.asks_for(drill, street.day(2))
    second = await ben.asks_for(drill, street.day(4))
    page = await ada.opens(f"{ada.home}/notices")
    assert page.count("is-unseen") == 4  # two heaps of one each
    assert watched(page) == {f"{ada.home}/loans/{first}", f"{ada.home}/loans/{second}"}
    await ada.does(f"{ada.home}/notices/seen", about=f"{ada.home}/loans/{first}")
    assert watched(await ada.opens(ada.home)) == {f"{ada.home}/loans/{second}"}
    for elsewhere in ("", "/", f"/c/other/loans/{second}", f"{ada.home}/loans/x"):
        await ada.posts(f"{ada.home}/notices/seen", about=elsewhere)
    assert watched(await ada.opens(ada.home)) == {f"{ada.home}/loans/{second}"}


async def test_what_was_told_of_one_loan_lies_on_one_heap(street: Street) -> None:
    ada, ben = street.ada, street.ben
    loan = await ben.asks_for(await ada.lists("Cordless drill"), street.today)
    for noun in ("approval", "handover"):
        await ada.acts(loan, noun)
    page = await ben.opens(f"{ben.home}/notices")
    assert page.count('class="notice is-unseen"') == 2
    assert "1 more about the Cordless drill" in page
