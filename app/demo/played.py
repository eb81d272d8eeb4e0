"""One scene of a story, as it is played."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.demo.deeds import BASIC, Deed
from app.demo.further import FURTHER
from app.demo.script import Line, Scene
from app.loans.models import Loan

if TYPE_CHECKING:
    from app.demo.stage import Stage

ACTS = BASIC | FURTHER
READ_WITHIN = timedelta(days=1)  # whatever is older has been seen by everybody
EVERYTHING = 2**62  # a revision that no room reaches
SPEAKING = ("asks", "says")  # whoever speaks has seen the room


@dataclass
class Played:
    """One scene, and the loan that it is about once somebody has asked."""

    stage: Stage
    scene: Scene
    loan: Loan | None = None
    incident_id: int = 0

    async def act(self, line: Line, tx: Tx, now: datetime) -> None:
        """Raises what the command refuses: a story that the rules do not allow is wrong."""
        deed = Deed(self, tx, self.stage.viewers[line.who], now, line)
        try:
            await ACTS[line.does](deed)
        except Exception as error:
            error.add_note(f"{self.stage.place.slug}, {self.scene.tool}: {line}")
            raise
        lately = now >= self.stage.now - READ_WITHIN
        if lately and self.loan is not None and line.does not in SPEAKING:
            room = ConversationId(self.loan.conversation_id)
            by = deed.by.person_id
            await chat.mark_seen(tx, self.loan.community_id, room, by, EVERYTHING)
