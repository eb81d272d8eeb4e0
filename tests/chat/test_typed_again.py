"""Words that are refused are not typed twice: without a script, the next page still has them."""

from __future__ import annotations

import re

import pytest

from app import db
from app.chat import queries as chat
from app.loans.models import Loan
from tests.neighbours import Neighbour, Street

LONG = "Nineteen. " * 401  # more than a message may have


@pytest.fixture
async def rooms(street: Street) -> dict[str, str]:
    """The paths on which ben types, once each of them refuses what he writes."""
    ada, ben, home = street.ada, street.ben, street.here.path
    drill, saw = await ada.lists("Cordless drill"), await ada.lists("Hand saw", "saws")
    asked = await ben.does(f"{home}/tools/{saw}/questions", about="Is it sharp?")
    loan = await ben.asks_for(drill, street.today, note="May I?")
    await ada.says(loan, "Of course.")
    async with db.snapshot() as tx:
        room = (await tx.get_one(Loan, (street.here.id, loan))).conversation_id
        said = await chat.last_of(tx, street.here.id, room, ada.id)
        mine = await chat.last_of(tx, street.here.id, room, ben.id)
    assert said is not None
    assert mine is not None
    return {
        "loan": f"{home}/loans/{loan}/messages",
        "its room": f"{home}/rooms/{room}/messages",
        "question": f"{asked}/messages",
        "report": f"{home}/rooms/{room}/messages/{said.id}/report",
        "edit": f"{home}/rooms/{room}/messages/{mine.id}/edit",
    }


def in_a_box(page: str) -> list[str]:
    return re.findall(r"<textarea[^>]*>([^<]*)</textarea>", page)


async def keeps(who: Neighbour, path: str, words: str, why: str, field: str = "body") -> None:
    answer = await who.posts(path, **{field: words})
    assert answer.status_code in (403, 409, 422), answer.text
    assert words in in_a_box(answer.text), f"{path}: the words are gone"
    assert why in answer.text


async def test_what_is_refused_is_still_there(street: Street, rooms: dict[str, str]) -> None:
    ada, ben = street.ada, street.ben
    for where in ("loan", "its room", "question", "edit"):
        await keeps(ben, rooms[where], LONG, "a message may have 4000")
    await keeps(ben, rooms["report"], "x" * 501, "500 characters", "reason")
    await ben.does(rooms["report"], reason="He is too kind.")
    page = await street.cora.opens(f"{street.here.path}/reports")
    (settle,) = re.findall(r'action="([^"]+/settlement)"', page)
    await keeps(street.cora, settle, "y" * 501, "500 characters", "reason")
    await ada.does(f"{street.here.path}/people/{ben.id}/block")
    for where in ("loan", "its room", "question"):
        await keeps(ben, rooms[where], "I come at six", "Nobody can write")
    await keeps(ben, rooms["edit"], "I come at seven", "Nobody can write")
