"""The loan's own live regions, for its parties: what can be done now, and why one cannot write."""

from __future__ import annotations

from app import clock, topic
from app.db import Tx
from app.errors import NotFound
from app.loans import case_facts, case_words, cases, mediation, queries, rules, telling
from app.loans.models import Loan
from app.loans.states import Who
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
        room_id=seen.conversation_id,
        zone=viewer.here.zone,
    )


@topics.personal("writing")
async def writing(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Empty while this person can write; else the reason, in the place of the box."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    apart = None
    if seen.mediator_id is None:  # a mediator keeps the room open for two who blocked each other
        apart = await blocks.between(tx, viewer.person_id, [seen.other_than(viewer.person_id)])
    why_not = rules.why_not_write(seen, viewer) or people_rules.why_not_write_to(apart)
    return partial("loans/_writing.html", loan_id=seen.id, why_not_write=why_not)


@topics.personal("amends")
async def amends(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """What went wrong and what can be done about it: for the two and their mediator."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    room = case_words.Room(await cases.case(tx, seen), viewer, clock.now())
    offered = await mediation.choice(tx, seen) if room.case.open else None
    return partial("loans/_amends.html", **case_words.told(room, offered))


@topics.personal("facts")
async def facts(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """A loan as a coordinator who is no party sees it: what was done, not what was said."""
    seen = await _theirs(tx, viewer, key, Who.COORDINATOR)
    if seen is None:
        return None
    room = case_words.Room(await cases.case(tx, seen), viewer, clock.now())
    return partial("loans/_facts.html", **case_facts.facts(room))


@topics.personal("help")
async def help(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    if key or not viewer.is_coordinator:
        return None
    now = clock.now()
    found = await cases.in_need(tx, viewer.community_id, now)
    unsettled = await cases.unsettled(tx, viewer.community_id)
    rows = [case_facts.in_need(one, unsettled.get(one.id, ()), viewer, now) for one in found]
    return partial("loans/_help.html", loans=rows)


async def _theirs(tx: Tx, viewer: Viewer, key: str, who: Who = queries.PARTIES) -> Loan | None:
    loan_id = topic.number(key)
    if loan_id is None:
        return None
    try:
        return await queries.loan_for(tx, viewer, loan_id, who=who)
    except NotFound:
        return None
