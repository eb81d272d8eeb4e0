"""A lender who does not answer: reminded at half time, then it runs out, and the third pauses."""

from __future__ import annotations

from datetime import timedelta

from app import topic
from tests.clocks import Clock
from tests.neighbours import Street


async def test_three_requests_nobody_answers_remind_run_out_and_pause_the_tool(
    street: Street, the_clock: Clock
) -> None:
    drill = await street.ada.lists("Cordless drill")
    for n in range(3):
        await street.ben.asks_for(drill, street.day(10 + 2 * n))
    card, hers = topic.tool(street.here.id, drill), topic.notices(street.ada.id)
    his = topic.notices(street.ben.id)
    async with street.ada.watches(card, hers) as ada, street.ben.watches(his) as ben:
        the_clock.move(timedelta(hours=24, seconds=5))
        await ada.until(
            lambda: (ada.html.get(hers) or "").count("still waits for your answer") == 3
        )
        the_clock.move(timedelta(hours=24))
        await ada.shows(card, "Paused")
        await ada.shows(hers, "Three requests in a row had no answer")
        await ben.until(lambda: (ben.html.get(his) or "").count("ran out without an answer") == 3)
        assert (ada.html.get(hers) or "").count("still waits for your answer") == 3, "each once"
