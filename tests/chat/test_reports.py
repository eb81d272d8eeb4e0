"""A report freezes a copy for coordinators who have no part in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from app.chat import commands, reports
from app.chat.models import Report
from app.db import Tx
from app.errors import NotFound, Refusal
from app.notices import telling
from app.notices.models import Notice
from app.people.models import Community, Membership, Role
from app.people.viewer import Viewer
from tests.chat.living import Room, room_of_two
from tests.people.living import NOW, member


async def coordinator(room: Room) -> Viewer:
    elm = await room.tx.get_one(Community, room.ada.community_id)
    return await member(room.tx, elm, "Cora Lindqvist", role=Role.COORDINATOR)


async def reported(room: Room, who: Viewer, message: int, reason: str = "A threat.") -> Report:
    return await reports.report(room.tx, room.id, message, reason, who, NOW)


async def test_a_copy_stays_whatever_its_author_does(tx: Tx) -> None:
    room = await room_of_two(tx)
    cora = await coordinator(room)
    said = await room.said(room.ben, "You will be sorry")
    first = await reported(room, room.ada, said.id)
    await room.changes(room.ben, said.id, "Sorry")
    await room.takes_back(room.ben, said.id)
    (seen,) = await reports.reports_for(tx, cora)
    assert (seen.words, seen.reason) == ("You will be sorry", "A threat.")
    assert (seen.reporter.name, seen.author.name) == ("Ada Moreno", "Ben Okafor")
    assert (await reported(room, room.ada, said.id, "Again")).id == first.id
    settled = await reports.settle(tx, seen.id, "We have talked.", cora, NOW + timedelta(days=1))
    again = await reports.settle(tx, seen.id, "And again.", cora, NOW + timedelta(days=2))
    assert (again.outcome, again.settled_at) == ("We have talked.", settled.settled_at)
    assert again.words == "You will be sorry"


async def test_only_what_others_said_in_a_room_of_ones_own(tx: Tx) -> None:
    room = await room_of_two(tx)
    said = await room.said(room.ben, "Hello")
    note = await commands.note(tx, room.ada.community_id, room.id, "Approved.", None, NOW)
    for message, words in ((said.id, "your own words"), (note.id, "line of the room")):
        with pytest.raises(Refusal, match=words):
            await reported(room, room.ben, message)
    with pytest.raises(Refusal, match="Say why"):
        await reported(room, room.ada, said.id, " ")
    with pytest.raises(Refusal, match="500"):
        await reported(room, room.ada, said.id, "x" * 501)
    with pytest.raises(NotFound):
        await reported(room, room.cy, said.id)
    await room.takes_back(room.ben, said.id)
    with pytest.raises(Refusal, match="taken back"):
        await reported(room, room.ada, said.id)


async def test_coordinators_hear_of_it_who_have_no_part_in_it(tx: Tx) -> None:
    room = await room_of_two(tx)
    elm = await tx.get_one(Community, room.ada.community_id)
    cora, dee = await coordinator(room), await coordinator(room)
    all_of_them = update(Membership).where(Membership.community_id == elm.id)
    await tx.execute(all_of_them.values(role=Role.COORDINATOR))  # ada and ben as well
    await commands.join(tx, elm.id, room.id, dee.person_id)
    said = await room.said(room.ben, "You will be sorry")
    for _ in range(2):
        await reported(room, room.ada, said.id)
    told_here = select(Notice).where(Notice.community_id == elm.id)
    found = (await tx.scalars(told_here.options(joinedload(Notice.by)))).all()
    assert {one.person_id for one in found} >= {cora.person_id, room.cy.person_id}
    parties = {room.ada.person_id, room.ben.person_id, dee.person_id}
    assert not {one.person_id for one in found} & parties
    assert len([one for one in found if one.person_id == cora.person_id]) == 1
    told = telling.tell(found[0], cora.here, NOW, "en-GB")
    assert told.sentence == "Ada Moreno reported what Ben Okafor has said: “A threat.”"
    assert told.path == f"{cora.here.path}/reports"


async def test_nobody_judges_their_own_room_and_no_member_sees_reports(tx: Tx) -> None:
    room = await room_of_two(tx)
    cora = await coordinator(room)
    said = await room.said(room.ben, "Hello")
    made = await reported(room, room.ada, said.id)
    await commands.join(tx, room.ada.community_id, room.id, cora.person_id)
    assert await reports.reports_for(tx, cora) == []
    with pytest.raises(NotFound):
        await reports.settle(tx, made.id, "Fine.", cora, NOW)
    for one in (room.ada, room.ben, room.cy):
        with pytest.raises(Refusal, match="coordinator"):
            await reports.settle(tx, made.id, "Fine.", one, NOW)
