"""The buttons to block somebody and to end it, and how it reaches every open screen."""

from __future__ import annotations

import json
import re

import pytest

from app import topic
from tests.neighbours import Neighbour, Street, browser, found_street, said
from tests.workers import Worker

PAUSED = "<b>Paused</b>"


async def blocks(who: Neighbour, whom: Neighbour, **form: object) -> str:
    return await who.does(f"{who.home}/people/{whom.id}/block", **form)


async def ends(who: Neighbour, whom: Neighbour, **form: object) -> str:
    return await who.does(f"/profile/blocks/{whom.id}/end", **form)


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts there."""
    found = re.search(rf'<form [^>]*action="{action}"[^>]*>(.*?)</form>', page, re.S)
    assert found is not None, f"no form leads to {action}"
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[1]))


async def test_ada_blocks_ben_from_the_room_and_ends_it_in_her_profile(street: Street) -> None:
    ada, ben = street.ada, street.ben
    loan = await ben.asks_for(await ada.lists("Drill"), street.today)
    room, post = f"{ada.home}/loans/{loan}", f"{ada.home}/people/{ben.id}/block"
    page = await ada.opens(room)
    assert "Ben is not told." in page
    assert "Nobody." in await ada.opens("/profile")
    assert await ada.does(post, **form_of(page, post)) == room
    page = await ada.opens(room)
    assert "You blocked Ben. End the block in your profile to write." in page
    assert "Block Ben" not in page
    profile, end = await ada.opens("/profile"), f"/profile/blocks/{ben.id}/end"
    assert "Ben Okafor" in profile
    assert await ada.does(end, **form_of(profile, end)) == "/profile"
    assert "Nobody." in await ada.opens("/profile")
    assert "You blocked" not in await ada.opens(room)


async def test_ben_blocks_ada_from_her_tool_and_ends_it_there(street: Street) -> None:
    ada, ben = street.ada, street.ben
    tool = f"{ben.home}/tools/{await ada.lists('Drill')}"
    post, end = f"{ben.home}/people/{ada.id}/block", f"/profile/blocks/{ada.id}/end"
    assert await ben.does(post, **form_of(await ben.opens(tool), post)) == tool
    assert await ben.does(end, **form_of(await ben.opens(tool), end)) == tool
    assert "Ask Ada for it" in await ben.opens(tool)
    assert "Block" not in await ada.opens(tool), "on a tool of one's own there is nobody to block"


async def test_a_button_pressed_twice_is_pressed_once(street: Street) -> None:
    ada, ben = street.ada, street.ben
    await blocks(ada, ben, idempotency_key="one")
    await ends(ada, ben)
    await blocks(ada, ben, idempotency_key="one")  # the same press, arriving late
    assert "Nobody." in await ada.opens("/profile")
    await blocks(ada, ben, idempotency_key="two")
    assert "Ben Okafor" in await ada.opens("/profile")


async def test_nobody_is_sent_elsewhere_after_a_block(street: Street) -> None:
    ada, ben = street.ada, street.ben
    assert await blocks(ada, ben, back="//evil.example") == "/"
    assert await ends(ada, ben, back="https://evil.example/") == "/"
    assert await blocks(ada, ben) == ada.home


async def test_who_can_be_blocked(street: Street, workers: tuple[Worker, Worker]) -> None:
    ada = street.ada
    async with found_street(workers) as other:
        for stranger in (other.ben.id, 2**61):
            answer = await ada.posts(f"{ada.home}/people/{stranger}/block")
            assert answer.status_code == 404
        answer = await other.ada.posts(f"{ada.home}/people/{street.ben.id}/block")
        assert answer.status_code == 404
        assert await ends(ada, other.ben) == "/profile", "nothing to end, nothing to learn"
    answer = await ada.posts(f"{ada.home}/people/{ada.id}/block")
    assert (answer.status_code, said(answer.text)) == (422, "You cannot block yourself.")


async def test_another_site_blocks_nobody(street: Street) -> None:
    path = f"{street.ada.home}/people/{street.ben.id}/block"
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (await street.ada.client.post(path, headers=elsewhere)).status_code == 403
    async with browser(street.workers[0]) as nobody:
        for post in (path, f"/profile/blocks/{street.ben.id}/end"):
            assert (await nobody.post(post)).headers["location"].startswith("/sign-in")
    assert "Nobody." in await street.ada.opens("/profile")


async def test_a_block_is_a_security_event_without_a_name(street: Street) -> None:
    ada, ben = street.ada, street.ben
    await blocks(ada, ben)
    await ends(ada, ben)
    lines = [json.loads(line) for line in ada.at.log.read_text().splitlines() if '"whose"' in line]
    told = [line for line in lines if (line["person"], line["whose"]) == (ada.id, ben.id)]
    assert [line["event"] for line in told] == ["blocked", "unblocked"]
    assert "Ben" not in str(told)


async def test_a_refused_message_keeps_its_words_without_javascript(street: Street) -> None:
    ada, ben = street.ada, street.ben
    loan = await ben.asks_for(await ada.lists("Drill"), street.today)
    await blocks(ada, ben)
    path = f"{ben.home}/loans/{loan}/messages"
    answer = await ben.posts(path, body="I was just about to say")
    assert answer.status_code == 403
    assert "I was just about to say</textarea>" in answer.text
    assert 'role="alert">Nobody can write in this room at the moment.' in answer.text
    flash = await ben.client.post(path, data={"body": "Hm"}, headers={"HX-Request": "true"})
    assert (flash.status_code, "Nobody can write" in flash.text) == (403, True)
    assert "just about" not in await ada.opens(f"{ada.home}/loans/{loan}")


async def test_what_is_out_is_brought_back_through_the_pages(street: Street) -> None:
    ada, ben = street.ada, street.ben
    loan = await ben.asks_for(await ada.lists("Drill"), street.today)
    await ada.acts(loan, "approval")
    await blocks(ada, ben)
    await ada.acts(loan, "handover")
    assert "I brought it back" in await ben.opens(f"{ben.home}/loans/{loan}")
    await ben.acts(loan, "return-claim")
    await ada.acts(loan, "return")
    assert "Back" in await ben.opens(f"{ben.home}/loans/{loan}")


async def test_a_block_reaches_every_open_screen_of_both_and_so_does_its_end(
    street: Street,
) -> None:
    """Ada is at one worker, Ben and Cy at the other."""
    ada, ben, cy, here = street.ada, street.ben, street.cy, street.here.id
    drill, saw = await ada.lists("Drill"), await ben.lists("Saw", "saws")
    loan = await ben.asks_for(drill, street.today)
    await ada.acts(loan, "approval")
    hers, his, dates = topic.tool(here, drill), topic.tool(here, saw), topic.dates(here, drill)
    box, news = topic.writing(here, loan), topic.recent(here)
    async with (
        ben.watches(hers, dates, box, news) as bens,
        ada.watches(his, hers, box) as adas,
        cy.watches(hers, his, dates) as cys,
    ):
        await blocks(ada, ben)
        await bens.shows(hers, PAUSED)
        await bens.shows(dates, PAUSED)
        await bens.shows(box, "Nobody can write")
        await bens.until(lambda: "Drill" not in (bens.html.get(news) or "Drill"))
        await adas.shows(his, PAUSED)
        await adas.shows(box, "You blocked Ben.")
        before = len(bens.frames)
        await ada.acts(loan, "handover")  # and nothing of that shows through the veil
        await cys.shows(hers, "<b>Out</b>")
        await adas.shows(hers, "<b>Out</b>")
        await bens.rises_above(hers, bens.version[hers])
        assert "Out" not in str(bens.frames[before:])
        assert PAUSED not in str(cys.frames)
        await ends(ada, ben)
        await bens.shows(hers, "<b>Out</b>")
        await adas.shows(his, "Free now")
        await bens.until(lambda: "reason" not in (bens.html[box] or "reason"))
        await ben.says(loan, "Hello again")


async def test_in_a_room_of_two_nothing_more_arrives(street: Street) -> None:
    ada, ben, here = street.ada, street.ben, street.here.id
    loan = await ben.asks_for(await ada.lists("Drill"), street.today)
    await ada.acts(loan, "approval")
    page = await ada.opens(f"{ada.home}/loans/{loan}")
    found = re.search(rf'data-topic="({topic.room(here, 0)[:-1]}\d+)"', page)
    assert found is not None
    room = found[1]
    async with ben.watches(room) as bens, ada.watches(room) as adas:
        await ben.says(loan, "Before")
        await adas.shows(room, "Before")
        await blocks(ada, ben)
        for who in (ada, ben):
            answer = await who.posts(f"{who.home}/loans/{loan}/messages", body="After")
            assert answer.status_code == 403
        await ada.acts(loan, "handover")  # still noted, and read by both
        for screen in (bens, adas):
            assert "After" not in await screen.shows(room, "handed the tool over")


@pytest.mark.parametrize("noun", ["suspension", "removal"])
async def test_a_block_outlives_a_suspension_and_a_removal(street: Street, noun: str) -> None:
    ada, ben, cora = street.ada, street.ben, street.cora
    await blocks(ada, ben)
    await cora.does(f"{cora.home}/members/{ben.id}/{noun}")
    profile = await ada.opens("/profile")
    assert "Ben Okafor" in profile
    await ends(ada, ben)


async def test_blocking_on_and_off_is_slowed_down(street: Street) -> None:
    path = f"{street.cy.home}/people/{street.ben.id}/block"
    answers = [(await street.cy.posts(path)).status_code for _ in range(31)]
    assert answers == [303] * 30 + [429]
