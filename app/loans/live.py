"""The loan's own live regions, for its parties: what can be done now, and why one cannot write."""

from __future__ import annotations

from app import clock, topic
from app.board import queries as cards
from app.db import Tx
from app.errors import NotFound
from app.loans import (
    case_facts,
    case_words,
    cases,
    changes,
    hands,
    kept,
    mediation,
    outlook,
    past,
    pick_up,
    queries,
    ripple,
    sides,
    similar,
    standing,
    talk,
)
from app.loans.models import Loan
from app.loans.states import State, Who
from app.pages import partial
from app.people import blocks
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
    now, me, known = clock.now(), viewer.person_id, await standing.around(tx, [seen])
    apart = await kept.between(tx, me, seen)
    taken = await changes.why_not_beside_others(tx, seen, known.change(seen), viewer, now)
    return partial(
        "loans/_loan.html",
        hands=await hands.tell(tx, seen, viewer, now),
        loan=standing.tell(seen, known, viewer.here, me, now, viewer.locale),
        actions=standing.actions(seen, known, viewer, now),
        proposed=standing.proposed(seen, known, viewer, now, taken),
        propose=standing.way_to_propose(seen, known, viewer, apart, now),
        borrows=me == seen.borrower_id,
        pick_up=await pick_up.tell(tx, seen, viewer, apart, now),
        awaited=me == seen.borrower_id and await ripple.keeps_waiting(tx, seen, now),
        wanted=me == seen.borrower_id
        and await outlook.wanted(tx, seen.community_id, seen.tool_id, seen.state),
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


def _with_the_wall(key: str) -> tuple[str, ...]:
    """What is free elsewhere changes with every tool; whether it matters, with the loan."""
    return (f"loan/{key}", "board")


@topics.personal("similar", follows=_with_the_wall)
async def instead(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """For the borrower of a loan at risk: what else is free in its dates. Else empty."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    now, tools = clock.now(), []
    if seen.borrower_id == viewer.person_id and seen.state == State.APPROVED:
        known = await standing.around(tx, [seen])
        if known.at_risk(seen, now):
            apart = await blocks.apart_from(tx, viewer.person_id)
            tools = [
                cards.line(one, viewer.here, viewer.locale)
                for one in await similar.free_like(tx, seen, viewer.person_id, apart, now)
            ]
            return partial("loans/_similar.html", loan_id=seen.id, at_risk=True, tools=tools)
    return partial("loans/_similar.html", loan_id=seen.id, at_risk=False, tools=tools)


@topics.personal("writing")
async def writing(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Empty while this person can write; else the reason, in the place of the box."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    why_not = await talk.why_not_write_in(tx, seen.conversation_id, viewer, clock.now(), seen)
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


def _with_the_tool(key: str) -> tuple[str, ...]:
    """Whatever changes what one has to do with a tool may be a line of its past."""
    return (f"mine/{key}",)


@topics.personal("history", follows=_with_the_tool)
async def history(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """How often it was lent and what was repaired; for who lends it also to whom, for how much."""
    tool_id = topic.number(key)
    if tool_id is None:
        return None
    try:
        tool = await tool_queries.tool_for(tx, viewer, tool_id)
    except NotFound:
        return None
    told = await past.of_tool(tx, viewer, tool, clock.now())
    return partial("tools/_history.html", tool_id=tool.id, told=told)


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
