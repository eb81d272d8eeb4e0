"""What the people of a story do around one loan or tool, each deed by the command of the pages."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.demo.script import Line
from app.loans import changes, handover, lend_now, shelf
from app.loans import commands as loans
from app.loans.models import Loan
from app.people.viewer import Viewer
from app.tools.models import Tool
from app.tools.photos import Stored

if TYPE_CHECKING:
    from app.demo.played import Played


@dataclass(frozen=True)
class Deed:
    """One line of a scene, as it is done."""

    played: Played
    tx: Tx
    by: Viewer
    now: datetime
    line: Line

    @property
    def words(self) -> str:
        return self.line.words

    @property
    def loan(self) -> Loan:
        assert self.played.loan is not None, "somebody asks first"
        return self.played.loan

    @property
    def on_loan(self) -> tuple[Tx, int, Viewer, datetime]:
        """What every command of a loan begins with."""
        return self.tx, self.loan.id, self.by, self.now

    @property
    def tool(self) -> Tool:
        return self.played.stage.tools[self.played.scene.tool]

    @property
    def on_tool(self) -> tuple[Tx, int, Viewer, datetime]:
        return self.tx, self.tool.id, self.by, self.now

    def period(self, words: str) -> tuple[datetime, datetime]:
        """'+2 to +3'."""
        first, _, last = words.partition(" to ")
        return self.played.stage.calendar.period(first, last or first)

    async def shot(self) -> Stored | None:
        return await self.played.stage.shot(self.line.shot) if self.line.shot else None


async def ask(it: Deed) -> None:
    """Whoever asks has read the safety note, if there is one."""
    scene = it.played.scene
    start, end = it.played.stage.calendar.period(scene.first, scene.last)
    it.played.loan = await loans.request(
        it.tx, it.tool.id, start, end, it.by, it.now, it.words, accept_safety=True
    )


async def say(it: Deed) -> None:
    room = ConversationId(it.loan.conversation_id)
    here, by = it.by.community_id, it.by.person_id
    await chat.say(it.tx, here, room, by, it.words, uuid.uuid4(), it.now)


async def want_longer(it: Deed) -> None:
    """A day more than was agreed on."""
    await changes.propose(*it.on_loan, None, it.loan.end + timedelta(days=1), it.words)


async def lend_at_the_door(it: Deed) -> None:
    """'Rosa until +1 18:00': to somebody without an account."""
    name, _, until = it.words.partition(" until ")
    end = it.played.stage.calendar.instant(until)
    somebody = lend_now.Somebody(name=name)
    it.played.loan = await lend_now.lend(it.tx, it.tool.id, somebody, end, it.by, it.now)


async def bring_back(it: Deed) -> None:
    """With a photo of where it stands now, if one was taken."""
    tx, loan_id, by, now = it.on_loan
    if (shot := await it.shot()) is None:
        await handover.claim_return(tx, loan_id, by, now, it.words)
    else:
        await handover.leave(tx, loan_id, by, now, it.words, shot)


BASIC: dict[str, Callable[[Deed], Awaitable[object]]] = {
    "asks": ask,
    "says": say,
    "wants it longer": want_longer,
    "lends at the door": lend_at_the_door,
    "pauses": lambda it: shelf.pause(*it.on_tool, it.words),
    "approves": lambda it: loans.approve(*it.on_loan),
    "declines": lambda it: loans.decline(*it.on_loan, it.words),
    "withdraws": lambda it: loans.withdraw(*it.on_loan),
    "cancels": lambda it: loans.cancel(*it.on_loan, it.words),
    "hands over": lambda it: handover.hand_over(*it.on_loan),
    "waits in vain": lambda it: handover.no_show(*it.on_loan),
    "brings back": bring_back,
    "finds nothing": lambda it: handover.not_here(*it.on_loan),
    "takes back": lambda it: handover.take_back(*it.on_loan),
}
