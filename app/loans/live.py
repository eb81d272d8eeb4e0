"""The loan's own live regions, for its parties: what can be done now, and why one cannot write."""

from __future__ import annotations

from app import clock, topic
from app.db import Tx
from app.errors import NotFound
from app.loans import hands, queries, rules, sides, telling
from app.loans.models import Loan
from app.pages import partial
from app.people import blocks
from app.people import rules as people_rules
from app.people.viewer import Viewer
from app.realtime import Topics

topics = Topics()


@topics.personal("loan")
async def loan(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    now, holder = clock.now(), await queries.holder(tx, seen.community_id, seen.tool_id)
    return partial(
        "loans/_loan.html",
        loan=telling.tell(seen, viewer.here, viewer.person_id, now, viewer.locale),
        actions=telling.actions(seen, viewer, holder, now),
        hands=await hands.tell(tx, seen, viewer, now),
        room_id=seen.conversation_id,
        zone=viewer.here.zone,
    )


@topics.personal("handover")
async def handover(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Empty until the tool has changed hands."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    shown = await sides.sides(tx, seen, viewer)
    return partial("loans/_handover.html", loan_id=seen.id, sides=shown)


@topics.personal("writing")
async def writing(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Empty while this person can write; else the reason, in the place of the box."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    apart = await blocks.between(tx, viewer.person_id, [seen.other_than(viewer.person_id)])
    why_not = rules.why_not_write(seen, viewer) or people_rules.why_not_write_to(apart)
    return partial("loans/_writing.html", loan_id=seen.id, why_not_write=why_not)


async def _theirs(tx: Tx, viewer: Viewer, key: str) -> Loan | None:
    loan_id = topic.number(key)
    if loan_id is None:
        return None
    try:
        return await queries.loan_for(tx, viewer, loan_id)
    except NotFound:
        return None
