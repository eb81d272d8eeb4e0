"""The loan's own live region: its state and what can be done now, for its parties."""

from __future__ import annotations

from app import clock, topic
from app.db import Tx
from app.errors import NotFound
from app.loans import queries, telling
from app.pages import partial
from app.people.viewer import Viewer
from app.realtime import Topics

topics = Topics()


@topics.personal("loan")
async def loan(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    now, loan_id = clock.now(), topic.number(key)
    if loan_id is None:
        return None
    try:
        seen = await queries.loan_for(tx, viewer, loan_id)
    except NotFound:
        return None
    holder = await queries.holder(tx, seen.community_id, seen.tool_id)
    return partial(
        "loans/_loan.html",
        loan=telling.tell(seen, viewer.here, viewer.person_id, now, viewer.locale),
        actions=telling.actions(seen, viewer, holder, now),
        room_id=seen.conversation_id,
        zone=viewer.here.zone,
    )
