"""A loan from asking to the return, through the pages, over two workers."""

from __future__ import annotations

from app import topic
from tests.neighbours import Street


async def test_ben_borrows_adas_drill_and_brings_it_back(street: Street) -> None:
    ada, ben, here = street.ada, street.ben, street.here
    drill = await ada.lists("Cordless drill")
    card = topic.tool(here.id, drill)
    async with ben.watches(card, topic.board(here.id)) as bens:
        await bens.shows(card, "Free now")
        loan = await ben.asks_for(drill, street.today, street.day(1))
        await bens.shows(card, "Asked for")
        assert "Ben is waiting for your answer" in await ada.opens(f"{ada.home}/things")
        await ada.acts(loan, "approval")
        await bens.shows(card, "Reserved")
        await ada.acts(loan, "handover")
        await bens.shows(card, "Out")
        await ben.acts(loan, "return-claim")
        await bens.shows(card, "On its way back")
        await ada.acts(loan, "return")
        await bens.shows(card, "Free now")
    assert "Back" in await ben.opens(f"{ben.home}/loans/{loan}")
