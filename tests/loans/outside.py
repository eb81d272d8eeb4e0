"""What those see of it all who have no part in it: a neighbour of the street, and a stranger.

Here as regions and readings, which pages and programs are made of; each route by itself is walked
in `tests/test_walls.py`.
"""

from __future__ import annotations

import pytest

from app import db, topic
from app.errors import NotFound
from app.loans import alone, queries
from app.loans.models import Loan
from app.loans.states import Who
from app.people.viewer import Viewer
from app.realtime import Listener, Topics, versions
from app.realtime.topics import draw, face_for
from app.tools import queries as tools

SAID, CODE, PLACE = "Psst, for your eyes.", "shed-4711", "By the gate"
# What the machine's people say, note and write down for each other.
PRIVATE = (SAID, CODE, PLACE, "It rains.", "Look at it.", "We share it.", "A scratch.")
WHO_CHOOSES = ("Ben Okafor", "Cy Tanaka", "Ben is", "Cy is")
EVERY_PART = queries.PARTIES | Who.COORDINATOR


def of_a_loan(loan: Loan, here: int) -> list[str]:
    loan_id, room = loan.id, loan.conversation_id
    named = (topic.loan, topic.handover, topic.writing, topic.similar, topic.amends, topic.facts)
    found = [name(here, loan_id) for name in (*named, topic.delivered)]
    return found + [name(here, room) for name in (topic.room, topic.question, topic.seen)]


def of_the_street(loan: Loan, viewer: Viewer) -> list[str]:
    """What is everybody's, or the viewer's own."""
    here, me, tool = loan.community_id, viewer.person_id, loan.tool_id
    own = (topic.things, topic.rooms, topic.bell, topic.notices, topic.waiting)
    of_tool = (topic.dates, topic.tool, topic.mine, topic.waitlist)
    return [
        *(name(here, tool) for name in of_tool),
        *(topic.board(here), topic.recent(here), topic.help(here), topic.reports(here)),
        *(name(me) for name in own),
    ]


async def look(tx: db.Tx, topics: Topics, by: Listener, name: str) -> str:
    """'' where there is nothing for them."""
    kind = topics.kinds[versions.split(name)[1]]
    face = face_for(await draw(tx, kind, by, name), by.person_id)
    return face if isinstance(face, str) else ""


async def a_neighbour_learns_nothing(
    tx: db.Tx, topics: Topics, by: Listener, dee: Viewer, loan: Loan, turn: int
) -> None:
    """Of the loan no region at all; in one of the others, each in its turn, no private word."""
    for name in of_a_loan(loan, loan.community_id):
        assert not await look(tx, topics, by, name), f"{name} shows itself to a third"
    with pytest.raises(NotFound):
        await queries.loan_for(tx, dee, loan.id, who=EVERY_PART)
    assert not await queries.loans_of(tx, dee)
    tool = await tools.tool(tx, loan.community_id, loan.tool_id)
    assert tool is not None
    assert await alone.box_of(tx, tool, dee) is None
    names = of_the_street(loan, dee)
    name = names[turn % len(names)]
    shown = await look(tx, topics, by, name)
    told = [word for word in PRIVATE if word in shown]
    if versions.split(name)[1] in ("dates", "tool", "waitlist"):
        told += [word for word in WHO_CHOOSES if word in shown]
    assert not told, f"{name} tells a third {told}"


async def a_stranger_learns_nothing(
    tx: db.Tx, topics: Topics, by: Listener, zoe: Viewer, loan: Loan
) -> None:
    """Of another street: nothing there is open to her, and its ids mean nothing in her own."""
    for name in (*of_a_loan(loan, loan.community_id), *of_the_street(loan, zoe)[:8]):
        assert topics.open_to(by, name) is None
    guessed = of_a_loan(loan, zoe.community_id)
    for name in (*guessed, topic.mine(zoe.community_id, loan.tool_id)):
        assert not await look(tx, topics, by, name), f"{name} is not of this street"
    with pytest.raises(NotFound):
        await queries.loan_for(tx, zoe, loan.id, who=EVERY_PART)
    with pytest.raises(NotFound):
        await tools.tool_for(tx, zoe, loan.tool_id)
