"""The loan's own live regions, for its parties: what can be done now, and why one cannot write."""

from __future__ import annotations

from app import clock, topic
from app.db import Tx
from app.errors import NotFound
from app.loans import outlook, queries, rules, telling
from app.loans.models import Loan
from app.pages import partial
from app.people import blocks
from app.people import rules as people_rules
from app.people.forms import Form
from app.people.viewer import Viewer
from app.realtime import Topics
from app.tools import queries as tool_queries

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
        wanted=viewer.person_id == seen.borrower_id
        and await outlook.wanted(tx, seen.community_id, seen.tool_id, seen.state),
        room_id=seen.conversation_id,
        zone=viewer.here.zone,
    )


@topics.personal("writing")
async def writing(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Empty while this person can write; else the reason, in the place of the box."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    apart = await blocks.between(tx, viewer.person_id, [seen.other_than(viewer.person_id)])
    why_not = rules.why_not_write(seen, viewer) or people_rules.why_not_write_to(apart)
    return partial("loans/_writing.html", loan_id=seen.id, why_not_write=why_not)


@topics.personal("waitlist")
async def waitlist(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """One's own place and offer; the order with names for the lender and coordinators."""
    tool_id = topic.number(key)
    if tool_id is None:
        return None
    try:
        tool = await tool_queries.tool_for(tx, viewer, tool_id)
    except NotFound:
        return None
    told = await outlook.of_tool(tx, viewer, tool, clock.now())
    return partial("loans/_waitlist.html", form=Form(), **told)


async def _theirs(tx: Tx, viewer: Viewer, key: str) -> Loan | None:
    loan_id = topic.number(key)
    if loan_id is None:
        return None
    try:
        return await queries.loan_for(tx, viewer, loan_id)
    except NotFound:
        return None
