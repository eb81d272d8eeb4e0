"""A room inside one transaction: Ada and Ben in it, Cy outside."""

from __future__ import annotations

import uuid
from datetime import datetime

from app.chat import commands, edits, queries, timeline
from app.chat.models import ConversationId, Message
from app.chat.timeline import Timeline, Where
from app.db import Tx
from app.people.viewer import Viewer
from tests.people.living import NOW, community, member, person


class Room:
    """Ada and Ben in one room, Cy outside."""

    def __init__(self, tx: Tx, id: ConversationId, ada: Viewer, ben: Viewer, cy: Viewer) -> None:
        self.tx, self.id, self.ada, self.ben, self.cy = tx, id, ada, ben, cy

    async def said(
        self,
        who: Viewer,
        text: str,
        client_id: uuid.UUID | None = None,
        quotes: int | None = None,
        now: datetime = NOW,
    ) -> Message:
        named = client_id or uuid.uuid4()
        here, me = who.community_id, who.person_id
        return await commands.say(self.tx, here, self.id, me, text, named, now, quotes)

    async def says(self, who: Viewer, text: str, client_id: uuid.UUID | None = None) -> int:
        """The revision of what was said."""
        return (await self.said(who, text, client_id)).revision

    async def sees(self, who: Viewer, up_to: int) -> int:
        """How far this person has seen afterwards."""
        await commands.mark_seen(self.tx, who.community_id, self.id, who.person_id, up_to)
        seat = await queries.participant(self.tx, who.community_id, self.id, who.person_id)
        assert seat is not None
        await self.tx.refresh(seat)
        return seat.seen_up_to

    async def changes(self, who: Viewer, message: int, text: str, now: datetime = NOW) -> Message:
        here, me = who.community_id, who.person_id
        return await edits.edit(self.tx, here, self.id, me, message, text, now)

    async def takes_back(self, who: Viewer, message: int, now: datetime = NOW) -> Message:
        here, me = who.community_id, who.person_id
        gone, _ = await edits.remove(self.tx, here, self.id, me, message, now)
        return gone

    async def unread(self, who: Viewer) -> int:
        found = await queries.unread_by_room(self.tx, who.person_id)
        return found.get((who.community_id, self.id), 0)

    async def lines(self) -> list[str]:
        found = await queries.newest(self.tx, self.ada.community_id, self.id)
        return [message.body for message in found]

    async def opened(self, who: Viewer, **where: int) -> Timeline:
        return await timeline.opened(self.tx, who, self.id, "/room", Where(**where))


async def room_of_two(tx: Tx) -> Room:
    elm = await community(tx, await person(tx, "Cora Lindqvist"))
    ada, ben = await member(tx, elm, "Ada Moreno"), await member(tx, elm, "Ben Okafor")
    cy = await member(tx, elm, "Cy Tanaka")
    id = await commands.open_for(tx, elm.id, (ada.person_id, ben.person_id), NOW)
    return Room(tx, id, ada, ben, cy)
