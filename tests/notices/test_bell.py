"""The bell rings on every open page of who should know, and of nobody else."""

from __future__ import annotations

import re

from app import topic
from tests.neighbours import Street


async def test_a_request_rings_the_lenders_bell_and_seeing_it_stills_it(street: Street) -> None:
    ada = street.ada
    drill = await ada.lists("Cordless drill")
    bell, page = topic.bell(ada.id), topic.notices(ada.id)
    async with ada.watches(bell, page) as screen:
        loan = await street.ben.asks_for(drill, street.day(2))
        await screen.shows(bell, "1<span")
        html = await screen.shows(page, "Ben Okafor asks for your Cordless drill")
        assert f'href="{ada.home}/loans/{loan}"' in html
        opened = await ada.opens(f"{ada.home}/notices")
        newest = re.search(r'name="up_to" value="(\d+)"', opened)
        assert newest is not None
        await ada.does(f"{ada.home}/notices/seen", up_to=newest[1])
        await screen.shows(bell, "hidden")
        await screen.until(lambda: "is-unseen" not in (screen.html[page] or ""))


async def test_looking_at_the_page_changes_nothing(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    await street.ben.asks_for(drill, street.day(2))
    for _ in range(2):
        assert "is-unseen" in await street.ada.opens(f"{street.ada.home}/notices")


async def test_each_hears_of_the_other_and_nobody_of_themselves(street: Street) -> None:
    ada, ben = street.ada, street.ben
    drill = await ada.lists("Cordless drill")
    loan = await ben.asks_for(drill, street.today)
    for noun in ("approval", "handover"):
        await ada.acts(loan, noun)
    await ben.acts(loan, "return-claim")
    await ada.acts(loan, "return")
    bens = await ben.opens(f"{ben.home}/notices")
    adas = await ada.opens(f"{ada.home}/notices")
    for words in ("lends you", "you have the", "has the Cordless drill back"):
        assert words in bens
        assert words not in adas
    for words in ("asks for your", "brought the Cordless drill back"):
        assert words in adas
        assert words not in bens
    for other in (street.cy, street.cora):
        assert "Cordless" not in await other.opens(f"{other.home}/notices")


async def test_the_loser_of_two_hears_it(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(2))
    await street.cy.asks_for(drill, street.day(2))
    bell = topic.bell(street.cy.id)
    async with street.cy.watches(bell) as screen:
        await street.ada.acts(loan, "approval")
        await screen.shows(bell, "1<span")
    assert "Somebody else got" in await street.cy.opens(f"{street.cy.home}/notices")


async def test_a_report_rings_until_a_coordinator_looks_at_it(street: Street) -> None:
    cora, drill = street.cora, await street.ada.lists("Cordless drill")
    there = await street.ben.does(f"{street.ben.home}/tools/{drill}/questions", about="Yours?")
    about = re.search(r"/rooms/\d+/messages/\d+", await street.ada.opens(there))
    assert about is not None
    bell, desk = topic.bell(cora.id), topic.reports(street.here.id)
    async with cora.watches(bell, desk) as screen:
        await street.ada.does(f"{street.ada.home}{about[0]}/report", reason="It is not.")
        await screen.shows(desk, "It is not.")
        assert f'data-paths="{cora.home}/reports"' in await screen.shows(bell, "1<span")
        await cora.does(f"{cora.home}/notices/seen", about=f"{cora.home}/reports")
        await screen.shows(bell, "hidden")


async def test_an_empty_page_says_what_will_stand_there(street: Street) -> None:
    assert "Nothing to tell you yet" in await street.cy.opens(f"{street.cy.home}/notices")
